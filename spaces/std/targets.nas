//! Engines and devices, by the operators that they run as networks are exported. Rows state only
//! what is restricted. What they claim of the first six and the last was tried on each operator:
//! see the page of targets in the reference.

/// tract 0.23.9 on the CPU, the engine that proves each export.
target tract {
    opset 21
    precision fp32
    supports {
        add, avg_pool, channel_pad, channel_shuffle, channel_slice, concat, conv, conv_transpose,
        crop, flatten, global_avg_pool, hsigmoid, hswish, leaky_relu, linear, max_pool, max_unpool,
        mul, pad, prelu, relu, relu6, resize, shift, sigmoid, swish, tanh
    }
}

/// ONNX Runtime 1.31.1 on the CPU. Source: the operators of its CPU provider, `docs/OperatorKernels.md`.
target onnxruntime {
    opset 21
    precision fp32
    supports {
        add, avg_pool, channel_pad, channel_shuffle, channel_slice, concat, conv, conv_transpose,
        crop, flatten, global_avg_pool, hsigmoid, hswish, leaky_relu, linear, max_pool, max_unpool,
        mul, pad, prelu, relu, relu6, resize, shift, sigmoid, swish, tanh
    }
}

/// OpenVINO 2026.4.1 on the CPU. Source: the operators of its ONNX front end,
/// `src/frontends/onnx/docs/supported_ops.md`.
target openvino {
    opset 21
    precision fp32
    supports {
        add, avg_pool, channel_pad, channel_shuffle, channel_slice, concat, conv, conv_transpose,
        crop, flatten, global_avg_pool, hsigmoid, hswish, leaky_relu, linear, max_pool, max_unpool,
        mul, pad, prelu, relu, relu6, resize, shift, sigmoid, swish, tanh
    }
}

/// ncnn 1.0.20261020 on the CPU, converted by pnnx of the same date. Source: its table of operators,
/// `docs/developer-guide/operators.md`. Its pools and transposed convolutions have one padding for both
/// ends; pnnx leaves `Pad` and what scatters to no layer.
target ncnn {
    opset 17
    precision fp32
    supports {
        add, channel_shuffle, channel_slice, concat, conv, crop, flatten, global_avg_pool, hsigmoid,
        hswish, leaky_relu, linear, mul, prelu, relu, relu6, shift, sigmoid, swish, tanh
        conv_transpose(padding_before == padding_after)
        avg_pool(padding_before == padding_after)
        max_pool(padding_before == padding_after)
        max_pool(kernel == 2)
        resize(mode == "bilinear")
        // Whole factors up to those whose inverse it rounds; others may be exported as a gather.
        resize(scale == 1 or scale == 2 or scale == 3 or scale == 4 or scale == 8 or scale == 16)
    }
}

/// TensorRT 8.5 and later on a GPU. Source: the operators of its ONNX parser, `docs/operators.md` of
/// onnx-tensorrt: up to operator set 17, no indices from `MaxPool`. Not tried here.
target tensorrt {
    opset 17
    precision fp16
    supports {
        add, avg_pool, channel_pad, channel_shuffle, channel_slice, concat, conv, conv_transpose,
        crop, flatten, global_avg_pool, hsigmoid, hswish, leaky_relu, linear, max_pool, mul, pad,
        prelu, relu, relu6, resize, shift, sigmoid, swish, tanh
    }
}

/// LiteRT, TensorFlow Lite 2.19, in 32 bits, converted by onnx2tf 1.29.24. Source: the README of onnx2tf,
/// its table of operators. TensorFlow convolves with a stride or with dilation.
target tflite {
    opset 17
    precision fp32
    supports {
        add, avg_pool, channel_pad, channel_shuffle, channel_slice, concat, crop, flatten,
        global_avg_pool, hsigmoid, hswish, leaky_relu, linear, max_pool, mul, pad, prelu, relu,
        relu6, shift, sigmoid, swish, tanh
        conv(dilation == 1)
        conv(stride == 1)
        conv_transpose(dilation == 1)
        resize(mode == "bilinear")
        resize(scale <= 16)
    }
}

/// Arm Ethos-U55 and U65 by vela 5.2.0, from an 8-bit network that onnx2tf and TensorFlow make. Source:
/// what `vela --supported-ops-report` says of the TensorFlow Lite operators.
target ethos_u {
    opset 17
    precision int8
    supports {
        add, channel_pad, channel_shuffle, channel_slice, concat, crop, flatten, global_avg_pool,
        hsigmoid, hswish, leaky_relu, linear, mul, pad, prelu, relu, relu6, sigmoid, swish, tanh,
        shift
        conv(stride == 1)
        conv(stride <= 3, dilation == 1)
        conv(dilation == 1, groups == 1, padding_before == 0, padding_after == 0)
        conv_transpose(stride <= 2, dilation == 1, output_padding == 0)
        max_pool(stride == 1)
        max_pool(padding_before == 0, padding_after == 0)
        max_pool(stride <= 3, padding_before == 0, padding_after <= 1)
        avg_pool(kernel <= 8, stride <= 3)
        avg_pool(padding_before == 0, padding_after == 0)
        resize(mode == "nearest", scale == 2 or scale == 4 or scale == 8)
        resize(mode == "bilinear", not align_corners, scale == 2)
    }
}

/// Rockchip RK3588 in 16 bits, by RKNN Toolkit 2.5.0. Source: `RKNNToolKit2_OP_Support-v2.1.0.md`; what
/// the compiler leaves to the CPU does not count.
target rknn {
    opset 17
    precision fp16
    supports {
        add, channel_shuffle, channel_slice, concat, conv, crop, flatten, global_avg_pool, hsigmoid,
        hswish, leaky_relu, linear, max_pool, mul, pad, prelu, relu, relu6, shift, sigmoid, swish,
        tanh
        conv_transpose(stride <= 2)
        avg_pool(padding_before == 0, padding_after == 0)
        avg_pool(count_include_pad, padding_before == padding_after)
        avg_pool(count_include_pad, not ceil, kernel >= 3)
        resize(mode == "nearest")
        resize(
            not align_corners,
            scale == 1 or scale == 2 or scale == 3 or scale == 4 or scale == 8,
        )
    }
}
