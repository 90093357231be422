//! How long a check takes: the published spaces, and generated files in which the time of a layer
//! must stay the same when there are more.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a benchmark")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use nas_grammar::Source;

/// Parses and checks everything of a file, which must have no problem.
fn check(source: &Source) {
    let ((), problems) = common::compile(source.clone(), |_, compiler| compiler.check_all());
    assert!(problems.is_empty(), "{problems:?}");
    black_box(problems);
}

fn published(criterion: &mut Criterion) {
    for name in ["squeezenas_small.nas", "squeezenas_large.nas"] {
        let source = common::shipped(name);
        criterion.bench_function(name, |bencher| bencher.iter(|| check(&source)));
    }
}

/// A file with one line for each layer.
fn chain(layers: usize, import: &str, layer: &str) -> Source {
    let mut text = format!("use {import}\nspace chain {{\n    input x0: [16, 32, 32]\n");
    for index in 0..layers {
        let _ = writeln!(text, "    let x{} = x{index} -> {layer}", index + 1);
    }
    let _ = writeln!(text, "    output y = x{layers}\n}}");
    common::beside_shipped(&text)
}

fn generated(criterion: &mut Criterion) {
    for (kind, import, layer) in [
        ("plain layers", "std.blocks.conv_bn_relu", "conv_bn_relu(16, kernel = 3)"),
        ("layers of 13 candidates", "squeezenas_units.unit", "unit(16)"),
    ] {
        let mut group = criterion.benchmark_group(kind);
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        for layers in [1_000, 10_000] {
            let source = chain(layers, import, layer);
            let start = Instant::now();
            check(&source);
            let each = start.elapsed().as_secs_f64() * 1e6 / layers as f64;
            eprintln!("{kind}: {layers} layers, once: {each:.2} us a layer");
            group.throughput(Throughput::Elements(layers as u64));
            group.bench_function(layers.to_string(), |bencher| bencher.iter(|| check(&source)));
        }
        group.finish();
    }
}

criterion_group!(benches, published, generated);
criterion_main!(benches);
