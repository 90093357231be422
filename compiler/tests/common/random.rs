//! Random small spaces, written as source: nested choices, candidates that share a tensor, zeros,
//! residuals, guards, choices that nothing reads. Every tensor is a map of one shape, so that
//! everything fits everything.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;

/// A step of a block's body; `s` is the tensor that the candidates of a choice share.
#[derive(Debug, Clone)]
enum Step {
    /// An expression of the value so far, which stands for `@`.
    Simple(&'static str),
    /// Adds the value of an earlier step, counted back from here.
    Residual(usize),
    /// A choice, and whether what follows reads it.
    Choose(Vec<Candidate>, bool),
}

#[derive(Debug, Clone)]
enum Candidate {
    /// The value before the choice.
    Current,
    /// The tensor that all candidates may read.
    Shared,
    /// A block of its own, under a guard if there is one.
    Body(Vec<Step>, Option<bool>),
}

const SIMPLE: &[&str] = &[
    "@ -> conv(4, kernel = 1)",
    "@ -> conv(4, kernel = 3, groups = 2)",
    "@ -> conv(4, kernel = 3, dilation = 2, bias = true)",
    "@ -> batch_norm",
    "@ -> relu",
    "@ -> zero",
    "@ -> identity",
    "@ + s",
    "@ * s",
    "(@ -> conv(4, kernel = 1)) + (@ -> zero)",
];

fn step() -> impl Strategy<Value = Step> {
    let simple = prop_oneof![
        4 => proptest::sample::select(SIMPLE).prop_map(Step::Simple),
        1 => (1usize..4).prop_map(Step::Residual),
    ];
    simple.prop_recursive(3, 16, 3, |step| {
        let body = vec(step.clone(), 1..3);
        let candidate = prop_oneof![
            1 => Just(Candidate::Current),
            1 => Just(Candidate::Shared),
            4 => (body, proptest::option::weighted(0.2, any::<bool>()))
                .prop_map(|(steps, guard)| Candidate::Body(steps, guard)),
        ];
        prop_oneof![
            1 => step,
            3 => (vec(candidate, 2..4), proptest::bool::weighted(0.9))
                .prop_map(|(candidates, is_read)| Step::Choose(candidates, is_read)),
        ]
    })
}

/// The source of a space.
pub(crate) fn source() -> impl Strategy<Value = String> {
    vec(step(), 1..5).prop_map(|steps| {
        let mut writer = Writer::default();
        let body = writer.body(&steps);
        let blocks = writer.blocks;
        format!(
            "{blocks}space random {{\n    input image: [4, 6, 5]\n    \
             let stem = image -> conv(4, kernel = 3)\n    output result = {body}(image, stem)\n}}\n"
        )
    })
}

#[derive(Default)]
struct Writer {
    blocks: String,
    count: usize,
}

impl Writer {
    /// Writes a block `(x, s)` and returns its name.
    fn body(&mut self, steps: &[Step]) -> String {
        let name = format!("block_{}", self.count);
        self.count += 1;
        let mut text = format!("block {name}(x, s) {{\n    let v0 = x\n");
        for (index, step) in steps.iter().enumerate() {
            let value = match step {
                Step::Simple(expr) => expr.replace('@', &format!("v{index}")),
                Step::Residual(back) => format!("v{index} + v{}", index.saturating_sub(*back)),
                Step::Choose(candidates, is_read) => {
                    self.choose(candidates, index, &mut text);
                    if *is_read { format!("chosen{index}") } else { format!("v{index}") }
                }
            };
            let _ = writeln!(text, "    let v{} = {value}", index + 1);
        }
        let _ = writeln!(text, "    v{}\n}}", steps.len());
        self.blocks += &text;
        name
    }

    fn choose(&mut self, candidates: &[Candidate], index: usize, text: &mut String) {
        let _ = writeln!(text, "    let shared{index} = v{index} -> conv(4, kernel = 1)");
        let _ = writeln!(text, "    let chosen{index} = choose op {{");
        for (position, candidate) in candidates.iter().enumerate() {
            let value = match candidate {
                Candidate::Current => format!("v{index}"),
                Candidate::Shared => format!("shared{index}"),
                Candidate::Body(steps, guard) => {
                    let body = self.body(steps);
                    let guard = match guard {
                        // The first candidate stays, so that there is one.
                        Some(is_there) if position > 0 => format!(" if {is_there}"),
                        _ => String::new(),
                    };
                    format!("{body}(v{index}, shared{index}){guard}")
                }
            };
            let _ = writeln!(text, "        \"c{position}\": {value}");
        }
        let _ = writeln!(text, "    }}");
    }
}
