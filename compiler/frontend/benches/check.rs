//! How long a check takes: the published spaces, and generated files in which the time of a layer
//! must stay the same when there are more.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a benchmark")]

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use nas_grammar::Source;

/// Parses and checks everything of a file, which must have no problem.
fn check(source: &Source) {
    let ((), problems) =
        nas_testing::compile(source.clone(), |_, compiler| drop(compiler.check_all()));
    assert!(problems.is_empty(), "{problems:?}");
    black_box(problems);
}

fn published(criterion: &mut Criterion) {
    for name in ["squeezenas_small.nas", "squeezenas_large.nas"] {
        let source = nas_testing::shipped(name);
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
    nas_testing::beside_shipped(&text)
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

/// Everything in `spaces/`, one file after the other.
fn all_shipped(criterion: &mut Criterion) {
    let names = nas_testing::shipped_names();
    let sources: Vec<Source> = names.iter().map(|name| nas_testing::shipped(name)).collect();
    let mut group = criterion.benchmark_group("spaces");
    group.sample_size(10);
    group.bench_function("all files", |bencher| bencher.iter(|| sources.iter().for_each(check)));
    group.finish();
}

/// Time and memory from 1,000 to 100,000 layers made by a loop, and the exponents of their growth:
/// 1 is linear.
fn growth(_: &mut Criterion) {
    let mut last: Option<(f64, f64)> = None;
    for layers in [1_000, 10_000, 100_000] {
        let source = nas_testing::beside_shipped(&format!(
            "use std.blocks.conv_bn_relu\nspace chain {{\n    input x0: [16, 32, 32]\n    \
             var x = x0\n    for _i in 0..{layers} {{ x = x -> conv_bn_relu(16, kernel = 3) }}\n    \
             output y = x\n}}\n"
        ));
        let (start, before) = (Instant::now(), resident());
        let space = nas_testing::compile(source, |_, compiler| {
            compiler.check_all();
            compiler.space("chain", &[])
        });
        let (seconds, bytes) = (start.elapsed().as_secs_f64(), resident() - before);
        black_box(space);
        let exponents = last.map_or(String::new(), |(time, memory)| {
            let (time, memory) = ((seconds / time).log10(), (bytes / memory).log10());
            format!(", grown with the power {time:.2} (time) and {memory:.2} (memory)")
        });
        eprintln!("{layers} layers: {seconds:.3} s, {:.1} MB{exponents}", bytes / 1e6);
        last = Some((seconds, bytes));
    }
}

/// Bytes of memory that the process holds, where the system tells.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status.split_whitespace().nth(1).and_then(|pages| pages.parse::<f64>().ok());
    pages.unwrap_or(0.0) * 4096.0
}

criterion_group!(benches, growth, published, all_shipped, generated);
criterion_main!(benches);
