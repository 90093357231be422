//! Fresh weights with which engines can be held against each other.

use nas_cases::networks::with_weights;
use nas_ir::ops::Role;
use nas_ir::{Model, Tensor as Plain};
use nas_passes::specialise;

use super::source::space;
use crate::calibrate::calibrate;
use crate::network::run;

/// Two pictures `[3, 8, 8]`, or one that is near the first.
fn pictures(count: u32, moved: f32) -> Plain {
    let value = |i: u32| (i as f32 * 0.7).sin() + moved * (i as f32 * 1.3).cos();
    Plain::of_floats([count, 3, 8, 8], (0..count * 192).map(value).collect())
}

/// The first network of a space whose layers are these, calibrated.
fn calibrated(layers: &str) -> Model {
    let text = format!("space s {{\n    input image: [3, 8, 8]\n{layers}\n}}");
    let space = space(&text);
    let model = with_weights(&specialise(&space, &space.first_assignment()));
    calibrate(model, &[pictures(2, 0.0)]).unwrap()
}

#[test]
fn a_rectifier_cuts_off_a_sixth_of_what_a_batch_norm_makes_and_none_of_what_is_above_zero() {
    let model = calibrated(
        "    let a = image -> conv(4, kernel = 3) -> batch_norm -> max_pool(kernel = 3, stride = 1, padding = 1) -> relu6\n\
         \u{20}   let b = a -> conv(4, kernel = 1) -> batch_norm\n\
         \u{20}   let c = a -> conv(4, kernel = 1) -> batch_norm\n\
         \u{20}   let d = add(b, c) -> hswish -> conv(4, kernel = 1) -> batch_norm -> conv(4, kernel = 1) -> relu\n\
         \u{20}   output y = add(d, d -> conv(4, kernel = 1) -> batch_norm) -> relu",
    );
    let names = model.network.weights().into_iter();
    let shifts = names.filter(|it| it.weight.role == Role::Shift);
    let are_set: Vec<bool> =
        shifts.map(|it| model.weights[&it.name].floats().unwrap() == [1.0; 4]).collect();
    // Through a pool, two of a sum, before a convolution, in a sum with what a rectifier made.
    assert_eq!(are_set, [true, true, true, false, false]);
}

/// Fifty layers that amplify what is apart by 1.2 each make 10,000 times as much of it.
#[test]
fn a_deep_network_amplifies_little() {
    let layer = " -> conv(16, kernel = 3) -> batch_norm -> relu";
    let model = calibrated(&format!("    output y = image{}", layer.repeat(50)));
    let answer = |moved| run(&model, &[pictures(1, moved)]).unwrap().swap_remove(0);
    let (plain, moved) = (answer(0.0), answer(1e-4));
    let (plain, moved) = (plain.floats().unwrap(), moved.floats().unwrap());
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|x| x * x).sum::<f32>().sqrt();
    let apart = norm(&mut plain.iter().zip(moved).map(|(a, b)| a - b));
    let apart = apart / norm(&mut plain.iter().copied());
    assert!(apart < 1e-2, "{apart}");
}
