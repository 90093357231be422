"""TensorFlow Lite by onnx2tf: 32-bit floats in LiteRT. Beside each case the same network in 8 bits is
kept as `NAME.int8.tflite`, where TensorFlow makes one, for the compilers that start from that."""

import os
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import importlib.metadata
import pathlib

import numpy
import onnx
import onnx2tf
import tensorflow
from common import main, read

# For inputs of three channels it would fetch pictures to compare its layers on.
PICTURES = numpy.random.default_rng(0).random((20, 128, 128, 3), dtype=numpy.float32)
for module in (onnx2tf.onnx2tf, onnx2tf.utils.common_functions):
    module.download_test_image_data = lambda: PICTURES


def quantised(saved, case, folder):
    """The network in 8 bits, calibrated on the case's inputs and a few scalings of them."""
    converter = tensorflow.lite.TFLiteConverter.from_saved_model(str(saved))
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    signature = tensorflow.saved_model.load(str(saved)).signatures["serving_default"]
    names = list(signature.structured_input_signature[1])
    arrays = {port["name"]: to_last(read(folder, port)) for port in case["inputs"]}
    converter.representative_dataset = lambda: (
        {name: arrays[name] * scale for name in names} for scale in (1.0, 0.5, -1.0)
    )
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tensorflow.int8
    return converter.convert()


def to_last(array):
    """Channels last, as TensorFlow has maps."""
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def to_first(array, dims):
    """Channels first again, unless onnx2tf has put them there."""
    is_last = array.ndim == 4 and list(array.shape) == [dims[i] for i in (0, 2, 3, 1)]
    return array.transpose(0, 3, 1, 2) if is_last else array


def plain(name):
    """`a` for the `serving_default_a:0` of a signature."""
    return name.split(":")[0].removeprefix("serving_default_")


def loaded(path, case, folder):
    interpreter = tensorflow.lite.Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    inputs = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}
    for port in case["inputs"]:
        index = next(inputs[name] for name in inputs if port["name"] in (name, plain(name)))
        interpreter.set_tensor(index, to_last(read(folder, port)))

    def call():
        interpreter.invoke()
        outputs = [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
        return [to_first(a, port["dims"]) for a, port in zip(outputs, case["outputs"], strict=True)]

    return [call]


def short(case, folder, path):
    """The network with short names, as `nasc export --lean` has them: a SavedModel takes none with a `=`."""
    model = onnx.load(folder / f"{case['name']}.onnx")
    graph = model.graph
    names = {port["name"]: port["name"] for side in ("inputs", "outputs") for port in case[side]}

    def called(name):
        return names.setdefault(name, f"v{len(names)}") if name else name

    for tensor in [*graph.initializer, *graph.value_info]:
        tensor.name = called(tensor.name)
    for node in graph.node:
        node.name = ""
        for values in (node.input, node.output):
            values[:] = [called(name) for name in values]
    onnx.save(model, path)


def load(case, folder):
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        path = work / f"{case['name']}.onnx"
        short(case, folder, path)
        onnx2tf.convert(
            input_onnx_file_path=str(path),
            output_folder_path=str(work),
            output_signaturedefs=True,
            copy_onnx_input_output_names_to_tflite=True,
            not_use_onnxsim=True,
            non_verbose=True,
        )
        kept = folder / f"{case['name']}.int8.tflite"
        try:
            kept.write_bytes(quantised(work, case, folder))
        except Exception:
            kept.unlink(missing_ok=True)
        return loaded(work / f"{case['name']}_float32.tflite", case, folder)


main(load, f"{tensorflow.__version__} by onnx2tf {importlib.metadata.version('onnx2tf')}")
