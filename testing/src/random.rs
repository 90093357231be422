//! Random small spaces, written as source: nested choices, candidates that share a tensor, zeros,
//! residuals, guards, choices that nothing reads, train outputs, and the blocks of `VARYING`. Every tensor
//! between steps is a map of one shape, so that everything fits everything.

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

/// What decisions over values, sets and depths make: an expression, and the block that it calls.
const VARYING: &[(&str, &str)] = &[
    (
        "by_kernel(@)",
        "block by_kernel(x) {
    let k = choose k [1, 3]
    x -> conv(4, kernel = k) -> conv(4, kernel = (k, 1))
}",
    ),
    (
        "by_width(@)",
        "block by_width(x) {
    let w = elastic w [4, 8]
    x -> conv(w, kernel = 1) -> batch_norm -> depthwise -> conv(4, kernel = 1)
}
block depthwise(x) { x -> conv(x.channels, kernel = 3, groups = x.channels) }",
    ),
    (
        "by_condition(@)",
        "block by_condition(x) {
    let k = choose k [1, 3, 5]
    if k == 3 { x -> relu } else { x -> conv(4, kernel = k) }
}",
    ),
    (
        "by_variable(@)",
        "block by_variable(x) {
    let is_deep = choose deep [true, false]
    var y = x -> conv(4, kernel = 1)
    if is_deep { y = y -> choose op { a: conv(4, kernel = 1), b: relu } }
    x + y
}",
    ),
    (
        "by_depth(@)",
        "block by_depth(x) {
    x -> repeat choose depth [0, 1, 2] as i {
        conv(4, kernel = if i == 0 { 1 } else { elastic k [1, 3] })
    }
}",
    ),
    (
        "by_set(@, s)",
        "block by_set(x, s) {
    sum(choose 2 { a: x, b: s -> choose op { a: conv(4, kernel = 1), b: relu }, c: x -> relu })
}",
    ),
    ("(choose t ([@, s]))", ""),
    (
        "in_cell(@, s) + in_cell(s, @)",
        "cell in_cell(x, s) {
    (x -> choose op { a: conv(4, kernel = 1), b: relu }) + (s -> conv(4, kernel = choose k [1, 3]))
}",
    ),
    (
        "ends(@, s)",
        "cell ends(x, s) {
    var states = [x, s]
    for _n in 0..2 { states = states + [(choose left (states)) + (choose right (states))] }
    concat(loose_ends(states)) -> conv(4, kernel = 1)
}",
    ),
    (
        "in_one_branch(@)",
        "block in_one_branch(x) {
    let kind = choose kind [\"plain\", \"group\"]
    x -> conv(4, kernel = 1, groups = if kind == \"group\" { choose g [2, 4] } else { 1 })
}",
    ),
    (
        "in_one_candidate(@)",
        "block in_one_candidate(x) {
    x -> conv(4, kernel = 1, groups = choose a { none: 1, some: choose b [2, 4] })
}",
    ),
    (
        "by_index(@)",
        "block by_index(x) {
    let a = choose a [0, 1]
    x -> conv(4, kernel = 1, groups = [1, choose b [1, 2, 4]][a])
}",
    ),
    (
        "in_candidates(@)",
        "block in_candidates(x) {
    x -> choose op { a: conv(choose w [4, 8], kernel = 1) -> conv(4, kernel = choose k [1, 3]), b: relu }
}",
    ),
    (
        "by_precision(@, precision = choose precision [int8, fp16])",
        "block by_precision(x) {
    let y = x -> conv(8, kernel = choose k [1, 3]) -> batch_norm -> relu
    y -> choose op { a: conv(4, kernel = 1), b: conv(4, kernel = 3, precision = fp32) -> relu }
}",
    ),
    (
        "@ -> relu(precision = choose precision [int8, fp32]) -> batch_norm(precision = fp16)",
        "",
    ),
    (
        "width_outside(@)",
        "block width_outside(x) {
    let w = choose w [4, 8]
    x -> choose op { a: conv(w, kernel = 1) -> conv(4, kernel = 1), b: relu }
}",
    ),
];

fn step() -> impl Strategy<Value = Step> {
    let simple = prop_oneof![
        4 => proptest::sample::select(SIMPLE).prop_map(Step::Simple),
        1 => (1usize..4).prop_map(Step::Residual),
    ];
    let varying = proptest::sample::select(VARYING).prop_map(|(expr, _)| Step::Simple(expr));
    let simple = prop_oneof![3 => simple, 1 => varying];
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
pub fn source() -> impl Strategy<Value = String> {
    (vec(step(), 1..5), any::<bool>()).prop_map(|(steps, is_helped)| {
        let mut writer = Writer::default();
        let body = writer.body(&steps);
        let blocks = writer.blocks;
        let is_called = |(expr, _): &&(&str, &str)| {
            expr.split('(').find(|name| !name.is_empty()).is_some_and(|name| blocks.contains(name))
        };
        let prelude = VARYING.iter().filter(is_called).map(|(_, block)| format!("{block}\n"));
        let prelude: String = prelude.collect();
        let head = "    train output aux = (stem -> conv(4, kernel = 3)) + result\n";
        let head = if is_helped { head } else { "" };
        format!(
            "{prelude}{blocks}space random {{\n    input image: [4, 6, 5]\n    \
             let stem = image -> conv(4, kernel = 3)\n    \
             let result = {body}(image, stem)\n    output result = result\n{head}}}\n"
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
