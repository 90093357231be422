//! How long exact analyses take: of the published spaces, and of generated ones with ten and a
//! hundred times as many layers.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use nas_analysis::{best_under, count_within, distribution, front, moments, range};
use nas_grammar::Source;
use nas_ir::{Checked, Form, Limit, Measure, Space};

const MEASURES: [Measure; 3] = [Measure::Macs, Measure::Params, Measure::WeightBytes];

fn space(source: Source, name: &str) -> Arc<Checked<Space>> {
    nas_testing::compile(source, |_, compiler| compiler.space(name, &[])).0.unwrap()
}

/// The ranges of all measures, and a histogram of a thousand intervals.
fn ranges_and_histogram(space: &Checked<Space>) {
    for measure in MEASURES {
        black_box(range(space, measure).unwrap());
    }
    black_box(distribution(space, &Measure::Macs.into()).unwrap().histogram(1000));
}

fn published(criterion: &mut Criterion) {
    let space = space(nas_testing::shipped("squeezenas_large.nas"), "squeezenas_large");
    let mut group = criterion.benchmark_group("squeezenas_large");
    group.sample_size(10);
    group.bench_function("ranges and histogram", |b| b.iter(|| ranges_and_histogram(&space)));
    group.bench_function("distribution of params", |b| {
        b.iter(|| distribution(&space, &Measure::Params.into()).unwrap());
    });
    let mean = |measure| moments(&space, measure).unwrap().mean as i128;
    let limit = |measure: Measure| Limit { form: Form::from(measure), most: mean(measure) };
    let (one, two) = ([limit(Measure::Macs)], [limit(Measure::Macs), limit(Measure::Params)]);
    for (name, limits) in [("one limit", one.as_slice()), ("two limits", two.as_slice())] {
        group.bench_function(format!("count under {name}"), |b| {
            b.iter(|| count_within(&space, limits).unwrap());
        });
        let scores: Vec<Vec<f64>> = space
            .decisions
            .iter()
            .enumerate()
            .map(|(d, decision)| {
                (0..decision.candidates.len()).map(|c| ((d * 7 + c * 5) % 11) as f64).collect()
            })
            .collect();
        group.bench_function(format!("best under {name}"), |b| {
            b.iter(|| best_under(&space, &scores, limits).unwrap());
        });
    }
    group.bench_function("front of macs and params", |b| {
        b.iter(|| front(&space, &Measure::Macs.into(), &Measure::Params.into()).unwrap());
    });
    group.finish();
}

/// Ranges and moments of ever more layers of 13 candidates, and the exponent of their growth: 1 is
/// linear. The tables of a distribution have a bounded number of cells, and so grow no faster.
fn growth(_: &mut Criterion) {
    let mut last: Option<f64> = None;
    for layers in [10, 100, 1_000] {
        let source = nas_testing::beside_shipped(&format!(
            "use squeezenas_units.unit\nspace chain {{\n    input x0: [16, 32, 32]\n    \
             var x = x0\n    for _i in 0..{layers} {{ x = x -> unit(16) }}\n    \
             output y = x\n}}\n"
        ));
        let space = space(source, "chain");
        let start = Instant::now();
        for measure in MEASURES {
            black_box((range(&space, measure).unwrap(), moments(&space, measure).unwrap()));
        }
        let seconds = start.elapsed().as_secs_f64();
        let exponent = last.map_or(String::new(), |last| {
            format!(", grown with the power {:.2}", (seconds / last).log10())
        });
        let start = Instant::now();
        let slack = distribution(&space, &Measure::Macs.into()).unwrap().slack();
        let distribution = start.elapsed().as_secs_f64();
        eprintln!(
            "{layers} layers: ranges and moments {seconds:.4} s{exponent}; distribution \
             {distribution:.3} s, to {slack} MACs"
        );
        last = Some(seconds);
    }
}

criterion_group!(benches, growth, published);
criterion_main!(benches);
