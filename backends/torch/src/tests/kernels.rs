//! Which kernel is planned for an operator.

use nas_ir::ops::signature::Argument;
use nas_ir::{Op, Shape};
use tch::Device;

use super::build::op;
use crate::kernel::Kernel;
use crate::program::OpCase;

const CHANNELS: u32 = 8;

fn planned(op: Op, [height, width]: [u32; 2], device: Device) -> String {
    let inputs = vec![Shape::from([CHANNELS, height, width])];
    let output = op.shape(&inputs).unwrap();
    let case = OpCase { op, inputs, output, weights: Vec::new() };
    format!("{:?}", Kernel::of(&case, device).unwrap())
}

/// A convolution with the kernel 3 x 3.
fn conv(groups: u32, stride: u32, dilation: u32, more: &[(&'static str, Argument)]) -> Op {
    let given = [
        ("out", Argument::Count(CHANNELS)),
        ("kernel", Argument::Count(3)),
        ("groups", Argument::Count(groups)),
        ("stride", Argument::Count(stride)),
        ("dilation", Argument::Count(dilation)),
    ];
    op("conv", &[&given, more].concat())
}

#[test]
fn dilated_depthwise_convolutions_are_rewritten_for_training_on_processors() {
    let planned = |op, device| planned(op, [12, 12], device);
    let rewritten = |groups, stride, dilation| {
        let found = planned(conv(groups, stride, dilation, &[]), Device::Cpu);
        let ways = ["Picked", "Batched", "learning: None"];
        ways.into_iter().find(|way| found.contains(way)).unwrap_or_else(|| panic!("{found}"))
    };
    assert_eq!(rewritten(CHANNELS, 2, 2), "Picked");
    assert_eq!(rewritten(CHANNELS, 1, 2), "Batched");
    // Another stride, no dilation, more than one channel in a group.
    for (groups, stride, dilation) in [(CHANNELS, 3, 2), (CHANNELS, 1, 1), (2, 1, 2)] {
        assert_eq!(rewritten(groups, stride, dilation), "learning: None");
    }
    // Another padding, another device.
    let valid = conv(CHANNELS, 1, 2, &[("padding", Argument::Word("valid"))]);
    assert!(planned(valid, Device::Cpu).contains("learning: None"));
    assert!(planned(conv(CHANNELS, 1, 2, &[]), Device::Cuda(0)).contains("learning: None"));
}

/// oneDNN's gradient of the kernel ends the process: see `sweep.rs`.
#[test]
fn strided_1x1_convolutions_are_rewritten_for_training_on_processors() {
    let rewritten = |kernel, stride, device| {
        let given = [
            ("out", Argument::Count(CHANNELS)),
            ("kernel", Argument::Count(kernel)),
            ("stride", Argument::Pair(stride)),
        ];
        planned(op("conv", &given), [12, 12], device).contains("learning: Some(Pointwise)")
    };
    for stride in [[2, 2], [1, 2], [2, 1], [3, 3]] {
        assert!(rewritten(1, stride, Device::Cpu), "{stride:?}");
        assert!(!rewritten(3, stride, Device::Cpu), "{stride:?}");
        assert!(!rewritten(1, stride, Device::Cuda(0)), "{stride:?}");
    }
    assert!(!rewritten(1, [1, 1], Device::Cpu));
}

#[test]
fn a_map_is_padded_beforehand_where_its_sides_differ() {
    let sides = Argument::Sides { before: [0, 1], after: [1, 1] };
    let same = planned(conv(1, 1, 1, &[]), [12, 12], Device::Cpu);
    assert!(same.contains("Alike([1, 1])"), "{same}");
    let apart = planned(conv(1, 1, 1, &[("padding", sides)]), [12, 12], Device::Cpu);
    assert!(apart.contains("Apart([1, 1, 0, 1])"), "{apart}");
}

#[test]
fn pools_reach_as_far_as_their_windows_on_the_map() {
    let pool = |name: &str, size, ceil| {
        let given = [
            ("kernel", Argument::Count(3)),
            ("stride", Argument::Count(2)),
            ("ceil", Argument::Flag(ceil)),
        ];
        planned(op(name, &given), size, Device::Cpu)
    };
    // Windows at 0, 2, … cover 9 rows; of 8, the last one reaches a row beyond.
    for (name, whole, reaching) in
        [("max_pool", "Alike([0, 0])", "Apart([0, 1, 0, 1])"), ("avg_pool", "Direct", "Sum")]
    {
        for (size, ceil, expected) in
            [([9, 9], true, whole), ([8, 8], false, whole), ([8, 8], true, reaching)]
        {
            let found = pool(name, size, ceil);
            assert!(found.contains(expected), "{found}");
        }
    }
}

/// 49 rows become 98 by a ratio of 32 bits as exactly; 5 become 41 with one of them a row off.
#[test]
fn nearest_pixels_are_listed_where_libtorch_rounds() {
    let resize = |size: u32, to: u32| {
        let given = [("size", Argument::Pair([to; 2])), ("mode", Argument::Word("nearest"))];
        planned(op("resize", &given), [size; 2], Device::Cpu)
    };
    assert!(resize(49, 98).contains("Nearest(Ratio)"));
    let off = |from: u32, to: u32| {
        let ratio = from as f32 / to as f32;
        (0..to).any(|at| (at as f32 * ratio) as u32 != at * from / to)
    };
    let (from, to) = (1..60)
        .flat_map(|from| (from..60).map(move |to| (from, to)))
        .find(|&(from, to)| off(from, to))
        .unwrap();
    assert!(resize(from, to).contains("Nearest(Listed)"), "{from} to {to}");
}
