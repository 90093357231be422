//! Running ONNX in tract, and comparing what comes out
