//! Which decisions on shapes are on numbers of channels alone, and what is in the way of the others.
#![allow(clippy::unwrap_used, clippy::panic, reason = "only tests use it")]

use nas_analysis::widths;
use nas_analysis::widths::{Obstacle, Width};
use nas_grammar::Source;

/// The labels of the decisions on shapes in a space with this body, each with the names of its candidates in order.
fn found(body: &str) -> Vec<(String, Result<Vec<String>, Obstacle>)> {
    let text = format!("space s {{\n    input x: [6, 8, 8]\n    {body}\n}}\n");
    let space = nas_testing::space(Source::new("s.nas", text));
    let named = |Width { decision, candidates }: Width| {
        let decision = space.decision(decision).unwrap();
        let name = |candidate: usize| decision.candidates.get(candidate).unwrap().clone();
        let names = |order: Vec<usize>| order.into_iter().map(name).collect();
        (decision.label.clone(), candidates.map(names))
    };
    widths(&space).into_iter().map(named).collect()
}

/// The order of the candidates of the only one.
#[track_caller]
fn order(body: &str) -> String {
    let [(_, order)] = found(body).try_into().unwrap();
    order.unwrap().join(" ")
}

#[track_caller]
fn obstacle(body: &str) -> Obstacle {
    let [(_, order)] = found(body).try_into().unwrap();
    order.unwrap_err()
}

#[test]
fn candidates_are_in_the_order_of_their_channels() {
    let tail = "-> batch_norm -> relu -> conv(4, kernel = 1)";
    assert_eq!(
        order(&format!("output y = x -> conv(elastic w [4, 2, 6], kernel = 3) {tail}")),
        "2 4 6"
    );
    // Where some are as wide as others, they keep their order.
    let body =
        format!("let w = elastic w [9, 5, 7] output y = x -> conv(min(w, 6), kernel = 3) {tail}");
    assert_eq!(order(&body), "5 9 7");
    assert!(found("output y = x -> conv(6, kernel = elastic k [3, 5])").is_empty());
}

#[test]
fn what_keeps_channels_apart_or_joins_them_all_is_on_the_way() {
    let body = "let w = elastic w [2, 4] * elastic e [1, 3]
        let a = x -> conv(w, kernel = 3, stride = 2) -> batch_norm -> hswish -> dropout
        let b = a -> choose op {
            depthwise: conv(w, kernel = 3, groups = w) -> prelu
            pool: avg_pool(3, 1, padding = \"same\")
            none: zero
        }
        let c = a + b -> repeat elastic depth [1, 2] { conv(w, kernel = 3, groups = w) }
        output y = c * (c -> global_avg_pool -> sigmoid) -> flatten -> linear(4)";
    let orders: Vec<_> =
        found(body).into_iter().map(|(name, order)| (name, order.unwrap())).collect();
    let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    assert_eq!(orders, [("w".to_owned(), names(["2", "4"])), ("e".to_owned(), names(["1", "3"]))]);
}

#[test]
fn a_size_is_no_number_of_channels() {
    let Obstacle::Sizes { node, shapes } = obstacle(
        "output y = x -> conv(4, kernel = 1, stride = elastic s [1, 2]) -> global_avg_pool",
    ) else {
        panic!("it is a width")
    };
    assert_eq!((node.as_str(), shapes.len()), ("conv.0", 2));
}

#[test]
fn what_else_depends_on_the_decision_is_in_the_way() {
    let tail = "-> conv(4, kernel = 1)";
    let of =
        |body: &str| obstacle(&format!("let w = elastic w [2, 4]\n    output y = {body} {tail}"));
    assert_eq!(of("x -> conv(w, kernel = w - 1)"), Obstacle::Operator("conv.0".to_owned()));
    let part = "(if w == 2 { x -> conv(w, kernel = 1) } else { x -> conv(w, kernel = 1) -> relu })";
    assert_eq!(of(part), Obstacle::Part("if.0".to_owned()));
    let both = "(x -> conv(w, kernel = 1) -> conv(6, kernel = 1)) + (x -> conv(6 - w, kernel = 1) -> conv(6, kernel = 1))";
    assert_eq!(of(both), Obstacle::Crossing);
    let own = "output y = x -> conv(choose w [2, 4], kernel = 1) -> conv(4, kernel = 1)";
    assert_eq!(obstacle(own), Obstacle::OwnWeights);
}

#[test]
fn channels_that_move_are_in_the_way() {
    let of = |operator: &str| {
        let body = format!(
            "let a = x -> conv(elastic w [16, 32], kernel = 1)\n    output y = a -> {operator} -> conv(4, kernel = 1)"
        );
        let Obstacle::Rearranged(node) = obstacle(&body) else { panic!("{operator}") };
        node
    };
    assert_eq!(of("channel_shuffle(2)"), "channel_shuffle.0");
    assert_eq!(of("channel_pad(after = 1)"), "channel_pad.0");
    assert_eq!(of("channel_slice(0, 2)"), "channel_slice.0");
    assert_eq!(of("shift(3)"), "shift.0");
    assert_eq!(of("conv(4, kernel = 1, groups = 2)"), "conv.1");
    let joined = "let a = x -> conv(elastic w [4, 8], kernel = 1)
        output y = concat(a, x) -> conv(4, kernel = 1)";
    assert_eq!(obstacle(joined), Obstacle::Rearranged("concat.0".to_owned()));
    let groups =
        "output y = x -> conv(elastic w [4, 8], kernel = 1, groups = 2) -> conv(4, kernel = 1)";
    assert_eq!(obstacle(groups), Obstacle::Rearranged("conv.0".to_owned()));
}

#[test]
fn inputs_and_outputs_have_one_number() {
    let body = "output y = x -> conv(elastic w [2, 4], kernel = 1)";
    assert_eq!(obstacle(body), Obstacle::Port("y".to_owned()));
}
