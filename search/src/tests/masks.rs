//! What `fbnetv2` refuses, in its words, and what it takes.

use miette::Diagnostic;
use nas_ir::recipe::Recipe;

use super::toy::{Toy, space};
use crate::error::RunError;
use crate::strategies::{self, fbnetv2};

/// What is said of each decision that is refused in a space with this body, and how it is cured.
fn refused(body: &str) -> Vec<(String, String)> {
    let recipe = Recipe::default_for("toy", &fbnetv2::SCHEMA).unwrap();
    let toy =
        Toy::any(space(&format!("space toy {{ input x: [2, 4, 4]\n{body} }}"))).searched_by(recipe);
    match strategies::search(&toy.space, &toy.recipe).map(drop) {
        Ok(()) => Vec::new(),
        Err(RunError::Refused { refused, .. }) => {
            let said = refused.iter().map(|refusal| {
                let refusal: &dyn Diagnostic = refusal;
                (refusal.to_string(), refusal.help().unwrap().to_string())
            });
            said.collect()
        }
        Err(other) => panic!("{other}"),
    }
}

#[track_caller]
fn assert_refused(body: &str, why: &str, help: &str) {
    let [(said, cure)] = refused(body).try_into().unwrap();
    assert_eq!(said, format!("no mask of channels stands for the candidates of {why}"));
    assert_eq!(cure, help);
}

const SAMPLED: &str = "write `strategy proxyless { gradient = reinforce }`: it runs one candidate of each decision at a time";

#[test]
fn what_no_mask_stands_for_is_refused_with_a_cure() {
    let tail = "-> conv(2, kernel = 1)";
    assert_refused(
        &format!("output y = x -> conv(choose width [2, 4], kernel = 1) {tail}"),
        "`width`: each has weights of its own",
        "write `elastic` instead of `choose`: then fewer channels are the first of the most",
    );
    // One decision on sizes is taken, and no second one.
    assert_eq!(
        refused(
            "output y = x -> conv(2, kernel = 1, stride = elastic s [1, 2]) -> global_avg_pool"
        ),
        []
    );
    assert_refused(
        "let n = elastic n [3, 4]\n let z = x -> resize(size = (n, n))\n \
         output y = z -> conv(2, kernel = 1, stride = elastic s [1, 2]) -> global_avg_pool",
        "`s`: `conv.0` is [2, 3, 3] or [2, 4, 4] or [2, 2, 2], and another decision is on sizes, too",
        SAMPLED,
    );
    assert_refused(
        &format!("let w = elastic w [1, 3]\n output y = x -> conv(w, kernel = w) {tail}"),
        "`w`: `conv.0` depends on it in more than channels",
        SAMPLED,
    );
    assert_refused(
        &format!("output y = concat(x -> conv(elastic w [2, 4], kernel = 1), x) {tail}"),
        "`w`: where channels stand behind `concat.0` depends on how many there are",
        SAMPLED,
    );
    assert_refused(
        "let w = elastic w [2, 4]\n let a = x -> conv(w, kernel = 1) -> conv(2, kernel = 1)\n \
         output y = a + (x -> conv(6 - w, kernel = 1) -> conv(2, kernel = 1))",
        "`w`: none of them has the most channels everywhere",
        SAMPLED,
    );
    assert_refused(
        "output y = x -> conv(elastic w [2, 4], kernel = 1)",
        "`w`: `y` has several numbers of channels",
        SAMPLED,
    );
    assert_refused(
        &format!(
            "let w = elastic w [2, 4]\n let z = x -> conv(w, kernel = 1)\n \
             output y = (if w == 2 {{ z -> relu }} else {{ z }}) {tail}"
        ),
        "`w`: at `if.0` it selects a part of the network, too",
        SAMPLED,
    );
}

#[test]
fn numbers_of_channels_and_steps_are_searched() {
    let body = "let w = elastic w [2, 4] * elastic e [1, 2]
        output y = x -> conv(w, kernel = elastic k [1, 3]) -> batch_norm -> relu
            -> choose op { depthwise: conv(w, kernel = 3, groups = w) none: identity }
            -> repeat elastic depth [1, 2] { conv(2, kernel = 1) }";
    assert_eq!(refused(body), []);
}
