//! The published SqueezeNAS MAC-Small network against what its authors' own code answers.
//!
//! Runs where `NASC_REFERENCE` names the folder with `weights.safetensors`, `street.png` and
//! `reference.safetensors`; elsewhere it says that it is skipped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

use std::path::{Path, PathBuf};

use nas_ir::{Model, Tensor};
use nas_passes::specialise;
use nas_testing::skipped;
use nasc::services::input::Input;
use nasc::services::{pick, weights_file};
use safetensors::SafeTensors;

/// The largest difference of a logit that is allowed.
const MAX_ABS: f32 = 3e-4;
/// The least share of pixels of the same class.
const ARG_MAX: f64 = 0.9999;
const CLASSES: usize = 19;
const HEIGHT: usize = 1024;
const WIDTH: usize = 2048;

fn reference() -> Option<PathBuf> {
    let folder = std::env::var_os("NASC_REFERENCE").map(PathBuf::from);
    if folder.is_none() {
        skipped("reference", "NASC_REFERENCE names no folder with the published network");
    }
    folder
}

#[test]
fn mac_small_answers_as_published() {
    let Some(folder) = reference() else { return };
    let model = mac_small(&folder);
    let image = street(&folder);
    let answers = std::fs::read(folder.join("reference.safetensors")).unwrap();
    let answers = SafeTensors::deserialize(&answers).unwrap();

    let outputs = nas_torch::run(&model, std::slice::from_ref(&image)).unwrap();
    judge("libtorch", outputs[0].floats().unwrap(), &answers);
    drop(outputs);

    let onnx = nasc::services::onnx_file::emit(model, &nas_onnx::Options::default()).unwrap();
    let outputs = nas_tract::Model::load(&onnx).unwrap().run(&[image]).unwrap();
    assert_eq!(outputs[0].dims, [1, CLASSES as u32, HEIGHT as u32, WIDTH as u32]);
    judge("tract", outputs[0].floats().unwrap(), &answers);
}

/// The network with its weights by our names.
fn mac_small(folder: &Path) -> Model {
    let spaces = nas_spaces::shipped();
    let file = spaces.join("squeezenas_small.nas");
    let network = Input::with(&file, |program, compiler| {
        let named = pick::network(program, compiler, None, "mac_small")?;
        Ok(specialise(&named.space, &named.assignment))
    });
    let network = network.unwrap();
    let names = spaces.join("squeezenas_mac_small.names");
    let path = folder.join("weights.safetensors");
    weights_file::load(network, &path, Some(&names)).unwrap()
}

/// The picture, normalised as the network was trained.
fn street(folder: &Path) -> Tensor {
    let image = image::open(folder.join("street.png")).unwrap().into_rgb8();
    assert_eq!(image.dimensions(), (WIDTH as u32, HEIGHT as u32));
    let (mean, std) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    let mut data = Vec::with_capacity(3 * HEIGHT * WIDTH);
    for channel in 0..3 {
        data.extend(image.pixels().map(|pixel| {
            let value = f32::from(pixel.0[channel]) / 255.0;
            (value - mean[channel]) / std[channel]
        }));
    }
    Tensor::of_floats([1, 3, HEIGHT as u32, WIDTH as u32], data)
}

fn judge(engine: &str, logits: &[f32], answers: &SafeTensors<'_>) {
    assert_eq!(logits.len(), CLASSES * HEIGHT * WIDTH);
    let at = |class: usize, y: usize, x: usize| logits[(class * HEIGHT + y) * WIDTH + x];

    let view = answers.tensor("logits_every_16th").unwrap();
    assert_eq!(view.shape(), [1, CLASSES, HEIGHT / 16, WIDTH / 16]);
    let expected: Vec<f32> =
        view.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let mut max_abs = 0.0_f32;
    for (i, &expected) in expected.iter().enumerate() {
        let (x, y) = (i % (WIDTH / 16), i / (WIDTH / 16) % (HEIGHT / 16));
        let found = at(i / (WIDTH / 16 * (HEIGHT / 16)), y * 16, x * 16);
        assert!(found.is_finite(), "{engine}: logit {i} is {found}");
        max_abs = max_abs.max((found - expected).abs());
    }

    let view = answers.tensor("argmax_every_4th").unwrap();
    assert_eq!(view.shape(), [1, HEIGHT / 4, WIDTH / 4]);
    let equal = view.data().iter().enumerate().filter(|&(i, &expected)| {
        let (x, y) = (i % (WIDTH / 4) * 4, i / (WIDTH / 4) * 4);
        let larger =
            |best: usize, class| if at(class, y, x) > at(best, y, x) { class } else { best };
        (0..CLASSES).fold(0, larger) == usize::from(expected)
    });
    let agreement = equal.count() as f64 / view.data().len() as f64;

    println!("{engine}: max abs {max_abs:.2e}, arg-max agreement {:.4} %", agreement * 100.0);
    assert!(max_abs <= MAX_ABS, "{engine}: max abs {max_abs}");
    assert!(agreement >= ARG_MAX, "{engine}: arg-max agreement {agreement}");
}
