"""OpenVINO on the CPU, for the least latency, in 32-bit floats."""

import openvino
from serve import serve, values

core = openvino.Core()


def load(path, threads):
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = core.compile_model(core.read_model(path), "CPU", settings)
    request = compiled.create_infer_request()
    for port in compiled.inputs:
        array = values(port.shape, port.element_type.to_dtype())
        request.set_tensor(port, openvino.Tensor(array))
    # Outputs stay where they are: memory that is new each time is slow to come by.
    for port in compiled.outputs:
        request.set_tensor(port, openvino.Tensor(port.element_type, port.shape))

    return lambda: request.infer(share_outputs=True)


serve(openvino.__version__.split("-")[0], load)
