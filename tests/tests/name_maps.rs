//! Name maps of published networks: each tensor of the network is one of the file's, and the other way round.
//!
//! `tests/exports/shapes` has the names and shapes of the state dicts of torchvision and timm, as `shapes.py` there
//! writes them. What the networks compute with such weights is held against PyTorch by `cargo xtask exports`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

use std::collections::BTreeSet;
use std::path::Path;

use nas_grammar::Source;
use nas_ir::{Network, Tensor, Weights};
use nas_passes::specialise;
use nasc::services::input::Input;
use nasc::services::name_map::NameMap;
use nasc::services::{pick, weights_file};

/// A test for each name map, with the file of the space and the `arch` that it is for; and the list of all.
macro_rules! maps {
    ($($map:ident: $file:ident, $arch:ident;)*) => {
        const MAPS: &[&str] = &[$(stringify!($map)),*];
        $(#[test] fn $map() { check(stringify!($map), stringify!($file), stringify!($arch)); })*
    };
}

maps! {
    efficientnet_b0: efficientnet, b0;
    fbnet_c: fbnet, fbnet_c;
    mobilenet_v2: mobilenet_v2, x100;
    mobilenet_v3_large: mobilenet_v3, large;
    mobilenet_v3_small: mobilenet_v3, small;
    resnet50: resnet, resnet50;
}

/// Those that are tested on a published file itself.
const ELSEWHERE: [&str; 1] = ["squeezenas_mac_small"];

#[test]
fn every_shipped_map_has_a_test() {
    let files = std::fs::read_dir(nas_spaces::shipped()).unwrap().map(|it| it.unwrap().path());
    let maps = files.filter(|path| path.extension().is_some_and(|ending| ending == "names"));
    let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let shipped: BTreeSet<String> = maps.map(|path| stem(&path)).collect();
    let tested = MAPS.iter().chain(&ELSEWHERE).map(|&name| name.to_owned());
    assert_eq!(tested.collect::<BTreeSet<_>>(), shipped);
}

/// Every tensor of the network is found with its shape, none of the file is left, and no rule is idle.
fn check(map: &str, file: &str, arch: &str) {
    let spaces = nas_spaces::shipped();
    let network = network(&spaces.join(file).with_extension("nas"), arch);
    let path = spaces.join(map).with_extension("names");
    let source = Source::new(map, std::fs::read_to_string(path).unwrap());
    let names = NameMap::parse(source).unwrap_or_else(|faults| panic!("{faults:?}"));
    let published = published(map);

    let needed = network.weights();
    let has = |name: &str| published.contains_key(name);
    let idle = names.idle(needed.iter().map(|needed| needed.name.as_str()), has);
    assert!(idle.is_empty(), "{idle:?}");
    let taken = weights_file::fit(network, &published, map, &names);
    let model = taken.unwrap_or_else(|failure| panic!("{failure:?}"));
    assert_eq!(model.weights.len(), published.len());
}

fn network(file: &Path, arch: &str) -> Network {
    let network = Input::with(file, |program, compiler| {
        let named = pick::network(program, compiler, None, arch)?;
        Ok(specialise(&named.space, &named.assignment))
    });
    network.unwrap()
}

/// The tensors of a state dict, of zeros.
fn published(map: &str) -> Weights {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("exports/shapes").join(map);
    let text = std::fs::read_to_string(list.with_extension("txt")).unwrap();
    let tensor = |line: &str| {
        let (name, sizes) = line.split_once(' ').unwrap();
        let dims: Vec<u32> = sizes.split('x').map(|size| size.parse().unwrap()).collect();
        let count = dims.iter().map(|&size| size as usize).product();
        (name.to_owned(), Tensor::of_floats(dims, vec![0.0; count]))
    };
    text.lines().map(tensor).collect()
}
