//! Choices by path, as result files hold them, against a space that has changed since.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "functions that only tests use"
)]

use indexmap::IndexMap;
use nas_frontend::items::arch::{Misfits, from_choices};
use nas_grammar::Source;
use nas_passes::{Unfit, specialise};

const UNIT: &str = "block unit(x) {
    x -> choose op { k3: conv(3, kernel = choose kernel [1, 3]), k5: conv(3, kernel = 5) }
}
block stage(x) { x -> unit -> unit }
";

/// What is said of choices for a space that is this pipeline.
fn said(pipeline: &str, choices: &[(&str, &str)]) -> Vec<String> {
    let text = format!("{UNIT}space s {{ input x: [3, 8, 8] output out = x -> {pipeline} }}");
    let space = nas_testing::space(Source::new("s.nas", text));
    let choices: IndexMap<String, String> =
        choices.iter().map(|(path, name)| ((*path).to_owned(), (*name).to_owned())).collect();
    match from_choices(&space, &choices) {
        Err(Misfits(all)) => all.iter().map(ToString::to_string).collect(),
        Ok(assignment) => {
            let made: IndexMap<_, _> =
                specialise(&space, &assignment).choices.into_iter().collect();
            made.iter().for_each(|(path, name)| assert_eq!(choices[path], *name, "{path}"));
            Vec::new()
        }
    }
}

#[test]
fn choices_that_fit_are_taken_and_unreachable_ones_ignored() {
    let choices = [("unit.0/op", "k5"), ("unit.0/op=k3/kernel", "1"), ("unit.1/op", "k5")];
    assert_eq!(said("unit -> unit", &choices), [""; 0]);
}

#[test]
fn a_decision_that_moved_takes_along_what_is_inside_it() {
    let choices = [("unit.0/op", "k3"), ("unit.0/op=k3/kernel", "3"), ("unit.1/op", "k5")];
    assert_eq!(
        said("stage", &choices),
        [
            "`unit.0/op` is now `stage.0/unit.0/op`: rename it",
            "`unit.0/op=k3/kernel` is now `stage.0/unit.0/op=k3/kernel`: rename it",
            "`unit.1/op` is now `stage.0/unit.1/op`: rename it",
        ]
    );
}

#[test]
fn paths_move_in_the_order_of_their_numbers() {
    let name = |i: usize| if i == 2 { "k3" } else { "k5" };
    let paths: Vec<String> = (0..12).rev().map(|i| format!("layer.{i}/op")).collect();
    let choices: Vec<_> = paths.iter().zip((0..12).rev().map(name)).collect();
    let choices: Vec<(&str, &str)> = choices.iter().map(|(p, n)| (p.as_str(), *n)).collect();
    let said = said("repeat 12 { unit }", &choices);
    assert!(
        said.contains(&"`layer.2/op` is now `repeat.0.2/unit.0/op`: rename it".to_owned()),
        "{said:#?}"
    );
    let new = "`repeat.0.2/unit.0/op=k3/kernel` is not made: add \
               `\"repeat.0.2/unit.0/op=k3/kernel\": \"1\"`, or another candidate";
    assert_eq!((said.len(), said.last().map(String::as_str)), (13, Some(new)));
}

#[test]
fn a_decision_that_is_gone_speaks_for_what_was_inside_it() {
    let choices = [("unit.0/op", "k5"), ("old/kind", "a"), ("old/kind=a/rate", "2")];
    assert_eq!(said("unit", &choices), ["the space has no decision `old/kind`: remove it"]);
}

#[test]
fn gone_and_new_are_both_said() {
    let choices = [("unit.0/op", "k5"), ("head/act", "relu")];
    assert_eq!(
        said("unit -> unit", &choices),
        [
            "the space has no decision `head/act`: remove it",
            "`unit.1/op` is not made: add `\"unit.1/op\": \"k3\"`, or another candidate",
            "`unit.1/op=k3/kernel` is not made: add `\"unit.1/op=k3/kernel\": \"1\"`, or another candidate",
        ]
    );
}

#[test]
fn an_unknown_candidate_leaves_open_what_follows() {
    let choices = [("unit.0/op", "k4")];
    assert_eq!(
        said("unit -> unit", &choices),
        ["`unit.0/op` has no candidate `k4`: the candidates are `k3`, `k5`"]
    );
}

#[test]
fn what_does_not_fit_is_told_without_a_guess_where_nobody_asks_for_one() {
    let text = format!("{UNIT}space s {{ input x: [3, 8, 8] output out = x -> unit -> unit }}");
    let space = nas_testing::space(Source::new("s.nas", text));
    let made = |choices: &[(&'static str, &'static str)]| {
        nas_passes::from_choices(&space, choices.iter().copied())
    };
    let whole = [("unit.0/op", "k5"), ("unit.0/op=k3/kernel", "1"), ("unit.1/op", "k5")];
    let assignment = made(&whole).unwrap();
    assert_eq!(specialise(&space, &assignment).choices.len(), 2);
    let open = Unfit::Undecided { path: "unit.1/op".to_owned() };
    let within = Unfit::Undecided { path: "unit.1/op=k3/kernel".to_owned() };
    assert_eq!(made(&whole[..2]), Err(vec![open, within]));
    let (first, _) = space.decision_ids().next().unwrap();
    let unknown = Unfit::Candidate { decision: first, candidate: "k4" };
    let lost = Unfit::Decision { path: "old", candidate: "k3" };
    assert_eq!(made(&[("unit.0/op", "k4"), ("old", "k3")]), Err(vec![unknown, lost]));
}
