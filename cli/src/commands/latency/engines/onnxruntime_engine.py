"""ONNX Runtime on the CPU, all optimisations on, in 32-bit floats."""

import onnxruntime
from serve import serve, values

onnxruntime.set_default_logger_severity(4)
TYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}


def load(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = {
        port.name: onnxruntime.OrtValue.ortvalue_from_numpy(values(port.shape, TYPES[port.type]))
        for port in session.get_inputs()
    }
    # Outputs stay where they are, too: neither is copied in a run.
    binding = session.io_binding()
    for name, value in inputs.items():
        binding.bind_ortvalue_input(name, value)
    names = [port.name for port in session.get_outputs()]
    for name, value in zip(names, session.run_with_ort_values(names, inputs)):
        binding.bind_ortvalue_output(name, value)
    return lambda: session.run_with_iobinding(binding)


serve(onnxruntime.__version__, load)
