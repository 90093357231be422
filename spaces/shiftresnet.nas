//! ShiftResNet for CIFAR-10 (Wu et al. 2018): 1x1 convolutions around a shift of the channels
//! instead of 3x3 ones; three depths, four expansions.
//!
//! 97 lines of code; 114 in alvinwan/shiftresnet-cifar (models: shiftresnet.py at 093d742, of
//! resnet.py at 0cf765e `ResNet`, of shiftnet_cuda_v2/nn.py at 1a3a1e2 the generic shift).
use std.blocks.conv_bn_relu
use std.mobile.shift_residual

space shiftresnet(classes = 10) {
    input image: [3, 32, 32]
    task classification(classes)

    let depth = choose depth [20, 56, 110]
    let expand = choose expand [1, 3, 6, 9]
    var x = image -> conv_bn_relu(16, kernel = 3)
    for stage in 0..3 {
        x = x -> repeat (depth - 2) / 6 as i {
            shift_residual(
                16 * 2 ^ stage,
                stride = if stage > 0 and i == 0 { 2 } else { 1 },
                expand,
            )
        }
    }
    output logits = x -> global_avg_pool -> linear(classes)
}

arch d20_e1 of shiftresnet {
    depth = [20]
    expand = [1]
    expect macs == 5_948_032
    expect params == 34_906
    expect params ~= 0.03M
}

/// Published: all 95,642 parameters.
arch d20_e3 of shiftresnet {
    depth = [20]
    expand = [3]
    expect macs == 16_433_792
    expect params == 95_642
}

arch d20_e6 of shiftresnet {
    depth = [20]
    expand = [6]
    expect macs == 32_162_432
    expect params == 186_746
    expect params ~= 0.19M
}

arch d20_e9 of shiftresnet {
    depth = [20]
    expand = [9]
    expect macs == 47_891_072
    expect params == 277_850
    expect params ~= 0.28M
}

arch d56_e1 of shiftresnet {
    depth = [56]
    expand = [1]
    expect params == 102_106
    expect params ~= 0.10M
}

arch d56_e3 of shiftresnet {
    depth = [56]
    expand = [3]
    expect macs == 44_745_344
    expect params == 294_554
    expect params ~= 0.29M
}

arch d56_e6 of shiftresnet {
    depth = [56]
    expand = [6]
    expect params == 583_226
    expect params ~= 0.58M
}

arch d56_e9 of shiftresnet {
    depth = [56]
    expand = [9]
    expect params == 871_898
    expect params ~= 0.87M
}

arch d110_e1 of shiftresnet {
    depth = [110]
    expand = [1]
    expect params == 202_906
    expect params ~= 0.20M
}

arch d110_e3 of shiftresnet {
    depth = [110]
    expand = [3]
    expect macs == 87_212_672
    expect params == 592_922
    expect params ~= 0.59M
}

arch d110_e6 of shiftresnet {
    depth = [110]
    expand = [6]
    expect params == 1_177_946
    expect params ~= 1.18M
}

arch d110_e9 of shiftresnet {
    depth = [110]
    expand = [9]
    expect params == 1_762_970
    expect params ~= 1.76M
}

expect shiftresnet.count == 3 * 4
