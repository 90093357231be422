//! Comments that allow warnings still do so when the formatter has laid out what they stand at.
#![allow(clippy::unwrap_used, reason = "a test")]

use nas_grammar::format::format;

/// What is wrong with a text.
fn problems(text: &str) -> Vec<String> {
    nas_testing::compile(nas_testing::beside_shipped(text), |_, compiler| {
        drop(compiler.check_all())
    })
    .1
}

/// Statements of a space in which comments silence all that there is to warn of are laid out as
/// expected, and are silent then too.
#[track_caller]
fn stays_silent(statements: &str, expected: &str) {
    let text = format!("space s {{\ninput x: [3, 8, 8]\n{statements}\n}}\n");
    assert_eq!(problems(&text), Vec::<String>::new(), "as written");
    let formatted = format(&nas_testing::beside_shipped(&text)).unwrap();
    assert_eq!(problems(&formatted), Vec::<String>::new(), "{formatted}");
    let inside = formatted.strip_prefix("space s {\n    input x: [3, 8, 8]\n");
    assert_eq!(inside.and_then(|text| text.strip_suffix("}\n")), Some(expected));
}

#[test]
fn above_a_line_and_behind_it() {
    stays_silent(
        "  // allow nas::names::unused for later\nlet a = 1\nlet b = 2   // allow nas::names::unused\n\
         output y = x -> relu",
        "    // allow nas::names::unused for later
    let a = 1
    let b = 2 // allow nas::names::unused
    output y = x -> relu
",
    );
}

#[test]
fn before_a_block_and_in_its_head() {
    let text = "// allow nas::names::unused\nblock f(x, a) { x -> relu }\n\
                block g(x, b) { // allow nas::names::unused\nx -> relu }\n\
                space s { input x: [3, 8, 8]\noutput y = x -> f(1) -> g(2) }\n";
    assert_eq!(problems(text), Vec::<String>::new());
    let formatted = format(&nas_testing::beside_shipped(text)).unwrap();
    assert_eq!(problems(&formatted), Vec::<String>::new(), "{formatted}");
    let head = "block g(x, b) {\n    // allow nas::names::unused\n    x -> relu\n}\n";
    assert!(formatted.contains(head), "{formatted}");
}

#[test]
fn in_a_choice() {
    stays_silent(
        "output y = x -> choose op { // allow nas::choice::single\na: relu }",
        "    output y = x -> choose op {
        // allow nas::choice::single
        a: relu
    }
",
    );
    stays_silent(
        "output y = x -> choose op {\n// allow nas::choice::single\na: choose k { b: relu }\nc: sigmoid }",
        "    output y = x -> choose op {
        // allow nas::choice::single
        a: choose k { b: relu }
        c: sigmoid
    }
",
    );
    stays_silent(
        "output y = x -> choose op { a: relu }    // allow nas::choice::single",
        "    output y = x -> choose op { a: relu } // allow nas::choice::single\n",
    );
}

#[test]
fn behind_a_line_that_is_parted() {
    let step = "conv(32, kernel = 3) -> batch_norm -> relu -> conv(32, kernel = 3) -> batch_norm";
    stays_silent(
        &format!("output y = x -> choose op {{ a: {step} }} // allow nas::choice::single"),
        &format!(
            "    output y = x -> choose op {{
        a: {step}
    }} // allow nas::choice::single
"
        ),
    );
}

#[test]
fn inside_a_chain() {
    stays_silent(
        "output y = x\n// allow nas::choice::single\n-> choose op { a: relu }",
        "    output y = x
        // allow nas::choice::single
        -> choose op { a: relu }
",
    );
}
