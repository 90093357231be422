//! Limits that hold for a file as a whole, and for values of which a rendering would be too long.
#![allow(clippy::unwrap_used, reason = "a test")]

use nas_diagnostics::Problems;
use nas_frontend::elaborate::MAX_STEPS;
use nas_grammar::parse::MAX_PROBLEMS;

/// This many loops over a million elements take more steps than are allowed.
const LOOPS: usize = MAX_STEPS as usize / 5_000_000 + 1;

/// The titles of the problems of a text.
fn problems(text: &str) -> Vec<String> {
    nas_testing::compile(nas_testing::beside_shipped(text), |_, compiler| {
        drop(compiler.check_all())
    })
    .1
}

/// A space with these statements.
fn space(name: &str, statements: &str) -> String {
    format!("space {name} {{\ninput x: [3, 8, 8]\n{statements}\noutput y = x -> relu\n}}\n")
}

#[test]
fn spaces_share_the_steps_of_a_file_and_one_report() {
    let one = space("a", "for _i in 0..1_000_000 {}");
    assert_eq!(problems(&one), Vec::<String>::new());
    let many: String =
        (0..LOOPS).map(|i| space(&format!("a{i}"), "for _i in 0..1_000_000 {}")).collect();
    let found = problems(&many);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("elaboration passed"), "{found:?}");
}

#[test]
fn a_larger_file_may_take_more_steps() {
    let text = space("a", &"for _i in 0..1_000_000 {}\n".repeat(LOOPS));
    assert_eq!(problems(&text).len(), 1);
    let comment = format!("// {}\n", "x".repeat(MAX_STEPS as usize / 100));
    assert_eq!(problems(&(comment + &text)), Vec::<String>::new());
}

#[test]
fn a_number_has_at_most_5000_digits() {
    let large = |digits| problems(&space("a", &format!("let _n = {}", "9".repeat(digits))));
    assert_eq!(large(4000), Vec::<String>::new());
    assert_eq!(large(5001), ["the result of `number` is too large"]);
}

#[test]
fn a_hundred_errors_are_kept() {
    let lines: String = (0..300).map(|i| format!("let _a{i} = 1 + true\n")).collect();
    assert_eq!(problems(&space("a", &lines)).len(), MAX_PROBLEMS);
    let broken = "block f(x) { x -> }\n".repeat(300);
    let mut found = Problems::default();
    found.extend(nas_grammar::parse(&nas_testing::beside_shipped(&broken)).problems);
    assert!(found.is_cut());
    assert_eq!(found.into_vec().len(), MAX_PROBLEMS);
}

#[test]
fn conditions_in_a_row_need_no_stack() {
    let chain = format!("let _u = if false {{ 1 }} {}", "else if false { 1 } ".repeat(20_000));
    assert_eq!(problems(&space("a", &format!("{chain} else {{ 2 }}"))), Vec::<String>::new());
}

#[test]
fn names_are_found_in_any_number() {
    let names: String =
        (0..20_000).map(|i| format!("let a{i} = {i}\nlet _b{i} = a0 + a{i}\n")).collect();
    assert_eq!(problems(&space("a", &names)), Vec::<String>::new());
}
