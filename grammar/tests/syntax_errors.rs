//! What a syntax error says, and what of the file is left after it.

mod common;

use nas_grammar::{Problem, Source, parse};

/// A message with what was found and the help, as one line.
fn said(problem: &Problem) -> String {
    let mut labels = problem.labels().into_iter().flatten();
    let found = labels.next().and_then(|label| label.label().map(str::to_owned));
    let mut text = problem.to_string();
    for part in [found, problem.help().map(|help| help.to_string())].into_iter().flatten() {
        text += &format!("; {part}");
    }
    text
}

fn all_said(text: &str) -> Vec<String> {
    parse(&Source::new("test.nas", text)).problems.iter().map(said).collect()
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(all_said(text), [*expected], "{text}");
    }
}

const ITEM: &str =
    "expected an item (`use`, `const`, `block`, `space`, `arch`, `search` or `expect`)";

#[test]
fn heads_of_items() {
    check(&[
        ("foo", &format!("{ITEM}; found `foo`")),
        ("block f() {} }", &format!("{ITEM}; found `}}`")),
        ("use a b", "expected `.`; found `b`"),
        ("use a.{b.c}", "expected `,` or `}`; found `.`"),
        ("use a.{}", "expected a name; found `}`"),
        ("const = 3", "expected a name; found `=`"),
        ("const a == 3", "expected `=`; found `==`"),
        ("block 3", "expected a name; found `3`"),
        ("block f x", "expected `(` with the parameters; found `x`"),
        ("block f(x) -> y { x }", "expected `{` after the block's parameters; found `->`"),
        ("block f(x, 3) {}", "expected a name or `)`; found `3`"),
        ("block f(x 3) {}", "expected `,`, `=` or `)`; found `3`"),
        ("block f(x = ) {}", "expected an expression; found `)`"),
        (
            "space s(a = 1) input",
            "expected `{` after the space's name and parameters; found `input`",
        ),
        ("arch a { }", "expected `of` and the name of the space; found `{`"),
        ("arch a of { }", "expected a name; found `{`"),
        ("arch a of s op", "expected `{` after the space's name; found `op`"),
        ("search p of s t", "expected `{` after the space's name; found `t`"),
    ]);
}

#[test]
fn entries_of_items() {
    check(&[
        (
            "arch a of s { 3 }",
            "expected the candidates of a decision, such as `op = [a, b]`, or `}`; found `3`",
        ),
        ("arch a of s { op [a] }", "expected `=`; found `[`"),
        ("arch a of s { op = [a b] }", "expected `,` or `]`; found `b`"),
        (
            "search p of s { 3 }",
            "expected a setting, such as `schedule { epochs = 10 }`, or `}`; found `3`",
        ),
        (
            "search p of s { weights }",
            "expected a name or `{` with the fields of the setting; found `}`",
        ),
        ("search p of s { weights sgd { rate 3 } }", "expected `=`; found `3`"),
        ("space s { input x [3] }", "expected `:`; found `[`"),
        ("space s { output x }", "expected `=`; found `}`"),
        ("space s { task a b }", "expected arguments in `( )`; found `b`"),
    ]);
}

#[test]
fn statements() {
    check(&[
        ("block f(x) { let y 3 }", "expected `=`; found `3`"),
        ("block f(x) { let 3 = y }", "expected a name or a tuple such as `(a, b)`; found `3`"),
        ("block f(x) { for a in x y }", "expected `,` or `{`; found `y`"),
        ("block f(x) { for a x { } }", "expected `in`; found `x`"),
        (
            "block f(x) { x; y }",
            "expected a statement or `}`; found `;`; statements stand one on a line, without `;`",
        ),
        (
            "block f(x) { input x: 3 }",
            "expected a statement or `}`; found `input`; `input` stands directly in a space",
        ),
    ]);
}

#[test]
fn expressions() {
    check(&[
        ("const a = 1 2", "expected an operator or the next item; found `2`"),
        ("const a = 1 + + 2", "expected an expression; found `+`"),
        ("block f(x) { x -> }", "expected an expression; found `}`"),
        ("block f(x) { x -> g( }", "expected an argument or `)`; found `}`"),
        ("block f(x) { x -> g(1 2) }", "expected `,` or `)`; found `2`"),
        ("const a = [1 2]", "expected `,` or `]`; found `2`"),
        ("const a = [,]", "expected an expression or `]`; found `,`"),
        ("const a = (1 2)", "expected `,` or `)`; found `2`"),
        ("const a = x[1, 2]", "expected `]`; found `,`"),
        ("const a = if x 3", "expected `{`; found `3`"),
        ("const a = if { 3 }", "expected an expression; found `{`"),
        ("const a = if x { 3 } else 4", "expected `{` or `if`; found `4`"),
        ("const a = x.3", "expected a name; found `3`"),
        ("const a = choose op [a]", "expected `{` with the candidates; found `[`"),
        ("const a = choose { a }", "expected `:`; found `}`"),
        ("const a = choose { a: }", "expected an expression; found `}`"),
        (
            "const a = choose { 3: a }",
            "expected a candidate, such as `name: step`, or `}`; found `3`",
        ),
        (
            "const a = choose { for k in [3] a: 1 }",
            "expected `,` or `{` with the candidates that the `for` makes; found `a`",
        ),
        ("const a = é", "expected an expression; found `é`"),
        ("const a = \"{a b}\"", "expected `}`; found `b`"),
    ]);
}

#[test]
fn habits_of_other_languages() {
    check(&[
        ("const a = x && y", "expected an operator or the next item; found `&&`; write `and`"),
        ("const a = (x || y)", "expected `,` or `)`; found `||`; write `or`"),
        ("const a = !x", "expected an expression; found `!`; write `not`"),
        ("const a = (2 ** 3)", "expected an expression; found `*`"),
        ("const a = 'x'", "expected an expression; found `'`; strings stand in double quotes"),
        ("# x", &format!("{ITEM}; found `#`; a comment begins with `//`")),
        (
            "expect a = 3",
            "expected an operator or the next item; found `=`; `==` compares two values",
        ),
        (
            "const a = f(k: 3)",
            "expected `,`, `=` or `)`; found `:`; an argument by name is written `name = value`",
        ),
    ]);
}

#[test]
fn words_of_the_language_as_names() {
    let help = |word: &str| {
        format!("found `{word}`; `{word}` is a word of the language; use another name")
    };
    let pattern = "a name or a tuple such as `(a, b)`";
    check(&[
        ("const block = 3", &format!("expected a name; {}", help("block"))),
        ("block f(let) { x }", &format!("expected a name or `)`; {}", help("let"))),
        ("block f(x) { let if = 3 }", &format!("expected {pattern}; {}", help("if"))),
        (
            "block f(x) { for (a, in) in x {} }",
            &format!("expected {pattern}, or `)`; {}", help("in")),
        ),
        ("const a = f(block = 3)", &format!("expected an argument or `)`; {}", help("block"))),
        ("const a = x.if", &format!("expected a name; {}", help("if"))),
        ("const a = b + of", &format!("expected an expression; {}", help("of"))),
        (
            "const a = choose { let: 3 }",
            &format!("expected a candidate, such as `name: step`, or `}}`; {}", help("let")),
        ),
    ]);
}

#[test]
fn strings() {
    let end = "expected the rest of the string or `\"` at the end of the string";
    let help = "a string ends on the line where it begins; a brace in it is written `\\{`";
    check(&[
        ("block f(x) {\n\"abc\n}", &format!("{end}; found the end of the line; {help}")),
        ("block f(x) {\r\n\"abc\r\n}", &format!("{end}; found the end of the line; {help}")),
        (
            "const a = \"\\q\"",
            &format!("{end}; found `\\`; after a backslash stands `\\\\`, `\"`, `{{` or `n`"),
        ),
        (
            "const a = \"abc",
            &format!(
                "{end}; found the end of the file; the item that begins in line 1 is not finished"
            ),
        ),
    ]);
}

#[test]
fn items_that_are_not_finished() {
    let end = |line: usize| {
        format!("found the end of the file; the item that begins in line {line} is not finished")
    };
    check(&[
        ("\nconst a =", &format!("expected an expression; {}", end(2))),
        ("const a = (1", &format!("expected `,` or `)`; {}", end(1))),
        ("const a = [1, ", &format!("expected an expression or `]`; {}", end(1))),
        ("const a = f(1", &format!("expected `,` or `)`; {}", end(1))),
        ("block f(x) { y = x ", &format!("expected a statement or `}}`; {}", end(1))),
        ("use a", &format!("expected `.`; {}", end(1))),
        ("use a.{b", &format!("expected `,` or `}}`; {}", end(1))),
        ("use ", &format!("expected a name; {}", end(1))),
        ("block", &format!("expected a name; {}", end(1))),
        (
            "block f(x) {\n  x -> g(\n\nconst a = 3\n",
            "expected an argument or `)`; found `const`; the item that begins in line 1 is not finished",
        ),
    ]);
}

/// The names of the constants that were read, and the messages.
fn left(text: &str) -> (Vec<String>, Vec<String>) {
    let file = parse(&Source::new("test.nas", text)).file;
    let names = file.items.iter().map(|item| {
        let text = &text[item.span.range()];
        text.split_whitespace().nth(1).unwrap_or_default().to_owned()
    });
    (names.collect(), all_said(text))
}

#[test]
fn good_items_between_broken_ones_are_read() {
    let text = "const a = 1\nblock f(x) {\n  let y = \n}\n\n/// Doc.\nconst b = 2\nspace s(\n\nconst c = 3\n";
    let (items, said) = left(text);
    assert_eq!(items, ["a", "b", "c"]);
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(parse(&Source::new("test.nas", text)).file.items[1].docs, ["Doc."]);
}

#[test]
fn an_item_that_lacks_its_brace_does_not_take_the_next() {
    let (items, said) = left("block f(x) {\n  x\n/// Doc.\nconst a = 1\nblock g(x) {\nconst b = 2");
    assert_eq!(items, ["a", "b"]);
    assert_eq!(said.len(), 2, "{said:?}");
}

#[test]
fn what_is_no_item_does_not_take_the_one_before() {
    let (items, said) = left("const a = 1\n\nfunction f(x) { x }\n\nconst b = 2");
    assert_eq!(items, ["a", "b"]);
    assert_eq!(said.len(), 1, "{said:?}");
}

#[test]
fn a_part_of_a_broken_item_is_no_item() {
    let (items, said) = left("const a = f(1 2)\nconst b = x.y 3\nconst c = [3 4]");
    assert_eq!(items, ["b"]);
    assert_eq!(said.len(), 3, "{said:?}");
}

#[test]
fn expectations_of_a_broken_arch_are_no_items() {
    let (items, said) = left("arch a of s {\nop = [\nexpect macs == 3\n}\nconst b = 2");
    assert_eq!(items.last().unwrap(), "b");
    assert!(!said.is_empty());
}

#[test]
fn text_that_is_not_utf8() {
    let problem =
        nas_grammar::parse::decode("x.nas", b"const a = 1\n// \xff".to_vec()).unwrap_err();
    assert_eq!(
        said(&problem),
        "x.nas is not UTF-8 text; save it as UTF-8; the first invalid byte is at offset 15, in line 2"
    );
}

#[test]
fn bytes_over_the_limit() {
    let bytes = vec![b' '; nas_grammar::parse::MAX_BYTES + 1];
    let problem = nas_grammar::parse::decode("x.nas", bytes).unwrap_err();
    assert_eq!(
        said(&problem),
        "x.nas is 8388609 bytes; a source file may have 8388608; split it into files and `use` them"
    );
    assert!(nas_grammar::parse::decode("x.nas", b"const a = 1".to_vec()).is_ok());
}

#[test]
fn a_message_points_at_its_place() {
    let source = Source::new("test.nas", "\u{feff}const a = 1\r\nconst b = é");
    let problems = parse(&source).problems;
    let label = problems[0].labels().unwrap().next().unwrap();
    assert_eq!(&source.text()[label.offset()..label.offset() + label.len()], "é");
    assert_eq!(source.line_column(label.offset()), (2, 11));
}
