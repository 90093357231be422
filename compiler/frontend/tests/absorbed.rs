//! Of which decisions batch norms take a factor out again.
#![allow(clippy::unwrap_used, reason = "only tests use it")]

use nas_analysis::absorbed;
use nas_grammar::Source;

/// The labels of the decisions that are absorbed where this makes `y` of `x`, both of 6 channels.
fn labels(body: &str) -> Vec<String> {
    let text = format!(
        "space s {{\n    input image: [3, 8, 8]\n    task classification(4)\n    \
         let x = image -> conv(6, kernel = 3) -> batch_norm -> relu\n    {body}\n    \
         output logits = y -> global_avg_pool -> linear(4)\n}}\n"
    );
    let space = nas_testing::space(Source::new("s.nas", text));
    let label = |id| space.decision(id).unwrap().label.clone();
    absorbed(&space).into_iter().map(label).collect()
}

const CANDIDATES: &str = "choose op { a: conv(6, kernel = 1), b: conv(6, kernel = 3) }";

#[test]
fn a_batch_norm_takes_a_factor_out() {
    let none: [&str; 0] = [];
    let of = |tail: &str| labels(&format!("let y = x -> {CANDIDATES} -> {tail}"));
    assert_eq!(of("batch_norm"), ["op"]);
    assert_eq!(
        of("relu -> max_pool(2) -> conv(6, kernel = 1) -> dropout(0.2) -> batch_norm"),
        ["op"]
    );
    assert_eq!(of("relu"), none);
    // A bias, and what bends above zero, show it.
    assert_eq!(of("conv(6, kernel = 1, bias = true) -> batch_norm"), none);
    assert_eq!(of("relu6 -> conv(6, kernel = 1) -> batch_norm"), none);
}

#[test]
fn a_residual_shows_it() {
    let none: [&str; 0] = [];
    let of =
        |sum: &str| labels(&format!("let z = x -> {CANDIDATES}\n    let y = {sum} -> batch_norm"));
    assert_eq!(of("x + z"), none);
    assert_eq!(of("z + z"), ["op"]);
    assert_eq!(of("z + (z -> conv(6, kernel = 1))"), ["op"]);
    assert_eq!(of("z + zero(x)"), ["op"]);
    assert_eq!(of("concat(x, z)"), none);
}

#[test]
fn what_is_read_by_another_decision_is_followed_through_its_candidates() {
    let of = |next: &str| {
        labels(&format!("let y = x -> {CANDIDATES} -> choose next {{ {next} }} -> batch_norm"))
    };
    assert_eq!(of("p: identity, q: conv(6, kernel = 1) -> batch_norm"), ["op", "next"]);
    assert_eq!(of("p: identity, q: conv(6, kernel = 1, bias = true)"), ["next"]);
}

#[test]
fn a_width_counts_where_its_shapes_meet() {
    let none: [&str; 0] = [];
    let of = |tail: &str| {
        labels(&format!("let y = x -> conv(choose width [4, 8], kernel = 1) -> {tail}"))
    };
    assert_eq!(of("batch_norm -> relu -> conv(6, kernel = 1) -> batch_norm"), ["width"]);
    assert_eq!(of("batch_norm -> relu -> conv(6, kernel = 1)"), none);
    let kernel = |kind: &str| {
        labels(&format!("let y = x -> conv(6, kernel = {kind} size [3, 5]) -> batch_norm"))
    };
    assert_eq!([kernel("choose"), kernel("elastic")], [["size"], ["size"]]);
}

/// One decision at two places: the second factor is on what has the first, unless that was taken out.
#[test]
fn a_decision_of_two_places_is_followed_from_both() {
    let none: [&str; 0] = [];
    let of = |tail: &str| {
        labels(&format!(
            "let k = choose size [3, 5]\n    let u = x -> conv(6, kernel = k)\n    \
             let v = u -> conv(6, kernel = k)\n    let y = {tail} -> batch_norm"
        ))
    };
    assert_eq!(of("v"), ["size"]);
    assert_eq!(of("u + v"), none);
}

#[test]
fn a_precision_counts_where_a_kernel_is_multiplied() {
    let none: [&str; 0] = [];
    let chosen = "precision = choose precision [int8, fp16]";
    let of = |step: &str| labels(&format!("let y = x -> {step}"));
    assert_eq!(of(&format!("conv(6, kernel = 1, {chosen}) -> batch_norm")), ["precision"]);
    assert_eq!(of(&format!("conv(6, kernel = 1, {chosen}) -> relu")), none);
    // What no kernel stands in computes the same.
    assert_eq!(of(&format!("relu({chosen}) -> batch_norm")), none);
}
