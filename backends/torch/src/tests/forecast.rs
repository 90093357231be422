//! What a step holds, counted by hand.

use nas_grammar::Source;
use nas_ir::recipe::TrainingPrecision;
use nas_testing::space;

use crate::forecast::{Fit, Forecast, Pictures, Recomputed, Trained, fitted};
use crate::program::Program;

fn forecasts(body: &str, batch: u32, crop: Option<[u32; 2]>) -> [Forecast; 2] {
    forecasts_of(body, Pictures { batch, crop, fuses: false, ..ONE })
}

fn forecasts_of(body: &str, pictures: Pictures) -> [Forecast; 2] {
    let text = format!("{TWICE} space s {{ input x: [4, 8, 8] output y = x -> {body} }}");
    let space = space(Source::new("s.nas", text.as_str()));
    let program = Program::of_space(&space).unwrap();
    let trained = Trained::new(&program, pictures).unwrap();
    [trained.mixture(&space).unwrap(), trained.greatest(&space).unwrap()]
}

/// A picture of the size of the input, on a processor.
const ONE: Pictures = Pictures {
    batch: 1,
    parts: 1,
    held: 2,
    crop: None,
    fuses: true,
    precision: TrainingPrecision::Fp32,
    is_plain: true,
};

/// A block that reads a value twice.
const TWICE: &str =
    "block twice(x) { let y = x -> conv(4, kernel = 1) y + (y -> conv(4, kernel = 1)) }";
/// Bytes of a map of four channels.
const MAP: u64 = 4 * 8 * 8 * 4;

#[test]
fn a_chain_holds_what_the_way_back_reads() {
    // Of conv, batch norm and relu, the last works where the second wrote; an output is held four times
    // for its loss, the largest value three times on the way back.
    let [mixture, greatest] = forecasts("conv(4, kernel = 3) -> batch_norm -> relu", 1, None);
    assert_eq!(mixture.step, (2 + 4 + 3) * MAP);
    assert_eq!(greatest, mixture);
    // Scored, a convolution is read once; then the output is there twice, as the result and for its classes.
    assert_eq!(mixture.scoring, (2 + 1) * MAP);
    let kernel = 4 * 4 * 9 * 4;
    let norm = 4 * 4;
    assert_eq!(mixture.weights, 2 * (kernel + 4 * norm) + 3 * (kernel + 4 * norm));
    let [of_two, _] = forecasts("conv(4, kernel = 3) -> batch_norm -> relu", 2, None);
    assert_eq!(of_two.step, 2 * mixture.step);
    let [of_crop, _] = forecasts("conv(4, kernel = 3) -> batch_norm -> relu", 1, Some([16, 8]));
    assert_eq!((of_crop.step, of_crop.scoring), (2 * mixture.step, mixture.scoring));
}

#[test]
fn a_mixture_holds_all_candidates_and_a_path_one() {
    let choice = "choose { a: conv(4, kernel = 3) b: conv(4, kernel = 1) -> relu c: zero }";
    let [mixture, greatest] = forecasts(choice, 1, None);
    // Two convolutions and the mixture; on the way back a gradient for either.
    assert_eq!(mixture.step, (3 + 4 + 3) * MAP);
    assert_eq!(greatest.step, (2 + 4 + 3) * MAP);
    // All weights and velocities are there; those of one candidate have gradients.
    assert_eq!(mixture.weights - greatest.weights, 3 * 4 * 4 * 4);
}

/// Only the most channels run: a convolution, the choice of it and its mask, then what joins the channels and the choice of that.
#[test]
fn masked_widths_hold_what_the_greatest_does() {
    let of = |widths: &str| {
        let body = format!("conv(elastic width {widths}, kernel = 3) -> conv(4, kernel = 1)");
        let space = space(Source::new(
            "s.nas",
            format!("space s {{ input x: [4, 8, 8] output y = x -> {body} }}"),
        ));
        let pictures = Pictures { fuses: false, ..ONE };
        let program = Program::masked(&space).unwrap();
        Trained::new(&program, pictures).unwrap().masked(&space).unwrap()
    };
    assert_eq!(of("[4, 8]").step, (3 * 2 + 2 + 4 + 3 * 2) * MAP);
    assert_eq!(of("[1, 2, 3, 4, 5, 6, 7, 8]"), of("[4, 8]"));
}

#[test]
fn what_only_one_reads_is_worked_on_in_place() {
    let [sum, _] = forecasts("twice", 1, None);
    assert_eq!(sum.step, (2 + 4 + 3) * MAP);
}

#[test]
fn of_layers_that_are_computed_together_what_convolutions_make_is_held() {
    // Of an inverted residual what the depthwise and the last convolution make, the sum, and the gradient of what is
    // between; an expansion is held nowhere.
    let layers = "conv(8, kernel = 1) -> batch_norm -> relu -> conv(8, kernel = 3, groups = 8) \
                  -> batch_norm -> relu -> conv(4, kernel = 1) -> batch_norm";
    let [of_layers, _] = forecasts_of(layers, ONE);
    assert_eq!(of_layers.step, (2 + 1 + 1 + 4 + 2 * 3) * MAP);
    let [alone, _] = forecasts_of(layers, Pictures { fuses: false, ..ONE });
    assert_eq!(alone.step, (2 + 2 + 2 + 2 + 1 + 1 + 4 + 2 * 3) * MAP);
    // What both layers make takes half, and is floats again beside their gradient and those of the sum.
    let halves = Pictures { precision: TrainingPrecision::Bf16, ..ONE };
    let [of_halves, _] = forecasts_of(layers, halves);
    assert_eq!(2 * of_halves.step, (2 + 1 + 2 * (1 + 4 + (2 + 1) + 2 + 2)) * MAP);
}

/// What a gate makes of a map is not held where a 1x1 convolution reads it, and neither is what an activation makes before.
#[test]
fn what_is_loaded_through_gates_is_not_held() {
    let held = |gated: &str| {
        let text = format!(
            "block gated(x) {{ x * (x -> global_avg_pool -> sigmoid) }}
             space s {{ input x: [4, 8, 8] output y = x -> conv(8, kernel = 3, groups = 4) -> {gated} }}"
        );
        let space = space(Source::new("s.nas", text.as_str()));
        let program = Program::of_space(&space).unwrap();
        Trained::new(&program, ONE).unwrap().mixture(&space).unwrap().step
    };
    let [pooled, sigmoid] = [8 * 4; 2];
    // The convolution before, what that of the gate's map makes, and the sum; the gradients of both maps.
    let gated = held("gated -> hswish -> conv(4, kernel = 1) -> batch_norm");
    let plain = held("conv(4, kernel = 1) -> batch_norm");
    assert_eq!(gated, plain + pooled + sigmoid);
    // A convolution with a wider window reads a map that is there.
    let wide =
        |before: &str| held(&format!("{before} conv(4, kernel = 3, groups = 2) -> batch_norm"));
    assert_eq!(wide("gated -> hswish ->"), wide("") + pooled + sigmoid + 2 * 2 * MAP);
}

/// A batch norm behind a bias is computed for itself, as is the convolution: all three maps are there, and nothing else.
#[test]
fn a_bias_before_a_batch_norm_gains_nothing() {
    let held = |fuses| {
        forecasts_of(
            "conv(8, kernel = 3, bias = true) -> batch_norm -> relu",
            Pictures { fuses, ..ONE },
        )
    };
    assert_eq!(held(true), held(false));
}

/// An expansion, a depthwise convolution and a 1x1 one, without a residual and with one.
const BLOCKS: &str = "block squeezed(x) { x -> conv(96, kernel = 1) -> batch_norm -> relu -> conv(96, kernel = 3, groups = 96) \
    -> batch_norm -> relu -> conv(4, kernel = 1) -> batch_norm }
    block residual(x) { x + (x -> squeezed) }
    block lined(x) { x -> conv(96, kernel = 1) -> batch_norm -> relu }";

/// What is forecast of a body where there may be so many bytes, and what is done to fit.
fn within(body: &str, memory: Option<u64>) -> (Fit, Forecast) {
    batch_within(64, body, memory)
}

fn batch_within(batch: u32, body: &str, memory: Option<u64>) -> (Fit, Forecast) {
    let text = format!("{BLOCKS} space s {{ input x: [4, 8, 8] output y = x -> {body} }}");
    let space = space(Source::new("s.nas", text.as_str()));
    let program = Program::of_space(&space).unwrap();
    let pictures = Pictures { batch, ..ONE };
    fitted(&program, pictures, memory, |trained| trained.mixture(&space)).unwrap()
}

/// What a whole batch takes at least.
fn least_of_whole(body: &str) -> (Fit, Forecast) {
    let (_, kept) = within(body, None);
    // INVARIANT: it fits into `enough`, and not into `less`.
    let (mut less, mut enough) = (0, kept.bytes());
    while enough - less > 1 {
        let middle = less.midpoint(enough);
        let (fit, found) = within(body, Some(middle));
        let fits = fit.parts == 1 && found.bytes() <= middle;
        (less, enough) = if fits { (less, middle) } else { (middle, enough) };
    }
    within(body, Some(enough))
}

#[test]
fn as_few_layers_are_computed_again_as_have_the_rest_fit() {
    let residuals = |memory| within("repeat 4 { residual }", memory);
    let again = |layers| Fit { layers, parts: 1 };
    let (none, kept) = residuals(None);
    assert_eq!((none, kept.recomputed.layers, kept.recomputed.of_layers), (again(0), 0, 8));
    assert_eq!(residuals(Some(kept.bytes())), (again(0), kept));
    let (all, least) = least_of_whole("repeat 4 { residual }");
    assert_eq!((all, least.recomputed.layers), (again(8), 8));
    assert!(least.bytes() < kept.bytes());
    // The first layer that goes is a depthwise one, at 9 multiply-accumulates for a number and 4 more for that of the expansion.
    let (one, fewer) = residuals(Some(kept.bytes() - 1));
    let macs = 96 * (9 + 4) * 8 * 8;
    let first = Recomputed { layers: 1, macs, ..kept.recomputed };
    assert_eq!((one, fewer.recomputed), (again(1), first));
    for allowed in [least.bytes(), fewer.bytes(), least.bytes().midpoint(kept.bytes())] {
        let (_, found) = residuals(Some(allowed));
        assert!(found.bytes() <= allowed, "{found:?} in {allowed}");
    }
}

/// Where that is not enough, a batch is cut into as few parts as do, and as few layers are computed again as do then.
#[test]
fn what_does_not_fit_is_learned_from_in_parts() {
    let residuals = |memory| within("repeat 4 { residual }", memory);
    let (_, kept) = residuals(None);
    let (_, least) = least_of_whole("repeat 4 { residual }");
    let (fit, found) = residuals(Some(least.bytes() - 1));
    assert_eq!((fit.parts, found.parts, least.parts), (2, 2, 1));
    assert!(fit.layers < 8 && found.bytes() < least.bytes(), "{fit:?}: {found:?}");
    let limit = least.bytes() - least.step * 2 / 3;
    let (fit, found) = residuals(Some(limit));
    assert!(fit.parts > 2 && fit.parts <= 32, "{fit:?}");
    assert!(found.bytes() <= limit && found.step < least.step / 2, "{found:?}");
    assert!(kept.bytes() > least.bytes());
    // Where nothing fits, it is told what takes least.
    let (fit, nothing) = residuals(Some(1));
    assert_eq!(fit, Fit { layers: 8, parts: 32 });
    assert!(nothing.bytes() < found.bytes(), "{nothing:?} and {found:?}");
}

/// A picture has no parts, and no more of its layers are computed again than need be.
#[test]
fn a_single_picture_fits_as_well() {
    let residuals = |memory| batch_within(1, "repeat 4 { residual }", memory);
    let (_, kept) = residuals(None);
    let (fit, found) = residuals(Some(kept.bytes() - 1));
    assert_eq!(fit, Fit { layers: 1, parts: 1 });
    assert!(found.bytes() < kept.bytes());
    assert_eq!(residuals(Some(1)).0, Fit { layers: 8, parts: 1 });
}

/// Where all is one chain, what is computed again at once is no more than between two layers that are kept.
#[test]
fn no_long_row_of_layers_is_given_up() {
    let (all, least) = within("repeat 6 { lined }", Some(1));
    let (_, kept) = within("repeat 6 { lined }", None);
    assert!(least.bytes() < kept.bytes(), "{least:?} for {kept:?}");
    assert!(all.layers < kept.recomputed.of_layers as usize, "{all:?}");
}
