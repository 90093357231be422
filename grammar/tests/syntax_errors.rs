//! What a syntax error says, and what of the file is left after it.
#![allow(clippy::indexing_slicing, reason = "a failed test panics")]

mod common;

use nas_grammar::{Problem, Source, parse};

/// A message with its labels and its help, as one line.
fn said(problem: &Problem) -> String {
    let labels = problem.labels().into_iter().flatten();
    let labels = labels.filter_map(|label| label.label().map(str::to_owned));
    let mut text = problem.to_string();
    for part in labels.chain(problem.help().map(|help| help.to_string())) {
        text += &format!("; {part}");
    }
    text
}

fn all_said(text: &str) -> Vec<String> {
    parse(&Source::new("test.nas", text)).problems.iter().map(said).collect()
}

/// Each text has one error, which says what is expected; the edit that it asks for cures it.
#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(all_said(text), [*expected], "{text}");
        let problems = parse(&Source::new("test.nas", *text)).problems;
        if let Some(fix) = problems[0].fix() {
            let left = all_said(&fix.applied());
            assert!(!left.contains(&(*expected).to_owned()), "not cured: {}", fix.applied());
        }
    }
}

const ITEM: &str = "expected an item (`use`, `const`, `block`, `cell`, `space`, `arch`, `target`, `search` or `expect`)";

#[test]
fn a_division_that_is_a_comment() {
    let help = "`//` begins a comment; whole numbers are divided by `/`, rounded down";
    let unclosed = "expected `,` or `)`; found `}`; this `(` is not closed";
    check(&[
        ("block f(x) {\n    x -> g(x.c // 2, 3)\n}", &format!("{unclosed}; {help}")),
        (
            "block f(x) {\n    x -> g(x.c // two (or so)\n}",
            &format!("{unclosed}; close it with `)`"),
        ),
    ]);
}

#[test]
fn heads_of_items() {
    check(&[
        ("foo", &format!("{ITEM}; found `foo`")),
        ("block f() {} }", &format!("{ITEM}; found `}}`; remove it: nothing opens it")),
        ("use a b", "expected `.`; found `b`"),
        ("use a.{b.c}", "expected `,` or `}`; found `.`"),
        ("use a.{}", "expected a name; found `}`; name what is imported: `{a, b}`"),
        (
            "const a = \0",
            "expected an expression; found the character U+0000; remove it: it does not show, and means nothing",
        ),
        ("const a = x -> -> y", "expected an expression; found `->`; remove `->`"),
        ("const = 3", "expected a name; found `=`"),
        ("const a == 3", "expected `=`; found `==`; write `=`; `==` compares"),
        ("block 3", "expected a name; found `3`"),
        ("block f x", "expected `(` with the parameters; found `x`"),
        ("block f(x) -> y { x }", "expected `{` after the parameters; found `->`"),
        ("block f(x, 3) {}", "expected a name or `)`; found `3`"),
        ("block f(x 3) {}", "expected `,`, `=` or `)`; found `3`"),
        ("block f(x = ) {}", "expected an expression; found `)`; write a value after the `=`"),
        (
            "space s { require macs <= }",
            "expected an expression; found `}`; write a value after the `<=`",
        ),
        (
            "space s { require macs <= 3 and }",
            "expected an expression; found `}`; write a value after the `and`",
        ),
        ("const a = (3 + )", "expected an expression; found `)`; write a value after the `+`"),
        (
            "space s(a = 1) input",
            "expected `for` with a target or `{` after the space's name and parameters; found `input`",
        ),
        ("arch a { }", "expected `of` and the name of the space; found `{`"),
        ("arch a of { }", "expected a name; found `{`"),
        ("arch a of s op", "expected `{` after the space's name; found `op`"),
        (
            "search p of s t",
            "expected `for` with a target or `{` after the space's name; found `t`",
        ),
        ("search p of s for {}", "expected a name; found `{`"),
        ("space s for t x", "expected `{` after the space's name and parameters; found `x`"),
        ("target t(a) {}", "expected `{` after the target's name; found `(`"),
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
        ("space s { train output = y }", "expected a name; found `=`"),
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
            "block f(x) {\n  x;\n  y\n}",
            "expected a statement or `}`; found `;`; remove it: a new line is enough",
        ),
        ("block f(x) { x; y }", "expected a statement or `}`; found `;`; write a new line instead"),
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
        ("block f(x) { x -> }", "expected an expression; found `}`; write a step after the `->`"),
        (
            "block f(x) { x -> g( }",
            "expected an argument or `)`; found `}`; this `(` is not closed; close it with `)`",
        ),
        ("block f(x) { x -> g(1 2) }", "expected `,` or `)`; found `2`"),
        ("const a = [1 2]", "expected `,` or `]`; found `2`"),
        ("const a = [,]", "expected an expression or `]`; found `,`"),
        ("const a = (1 2)", "expected `,` or `)`; found `2`"),
        ("const a = x[1, 2]", "expected `]`; found `,`"),
        ("const a = if x 3", "expected `{`; found `3`"),
        (
            "const a = if { 3 }",
            "expected an expression; found `{`; write a condition after the `if`",
        ),
        ("const a = if x { 3 } else 4", "expected `{` or `if`; found `4`"),
        ("const a = x.3", "expected a name; found `3`"),
        (
            "const a = choose op a",
            "expected a list of values, such as `[3, 5]`, or `{` with the candidates; found `a`",
        ),
        (
            "const a = choose -1 {}",
            "expected a list of values, such as `[3, 5]`, a name, a number, or `{` with the candidates; found `-`",
        ),
        ("const a = elastic f 3", "expected a list of values, such as `[3, 5]`; found `3`"),
        ("const a = repeat 3 f", "expected `as` with a name or `{`; found `f`"),
        ("const a = repeat 3 as i f", "expected `{`; found `f`"),
        ("const a = repeat 3 as {}", "expected a name; found `{`"),
        ("const a = [for i in x i]", "expected `,` or `{`; found `i`"),
        ("const a = x[..+]", "expected an expression or `]`; found `+`"),
        ("const a = f(1..)", "expected an expression; found `)`; write a value after the `..`"),
        (
            "const a = choose { a }",
            "expected `:`; found `}`; each candidate has a name: `name: step`",
        ),
        ("const a = choose { a: }", "expected an expression; found `}`"),
        (
            "const a = choose { 3: a }",
            "expected a candidate, such as `name: step`, or `}`; found `3`",
        ),
        (
            "const a = choose { for k in [3] a: 1 }",
            "expected `,` or `{` with the candidates that the `for` makes; found `a`",
        ),
        (
            "const a = é",
            "expected an expression; found `é`; a name is made of the letters a to z, digits and `_`, and begins with no digit",
        ),
        ("const a = \"{a b}\"", "expected `}`; found `b`"),
    ]);
}

#[test]
fn habits_of_other_languages() {
    let comment = "a comment begins with `//`";
    let condition = "a value by condition is written `if condition { a } else { b }`";
    let body = "a body stands in braces: `{ … }`";
    let block = "a block is written `block name(x) { … }`";
    check(&[
        ("const a = x && y", "expected an operator or the next item; found `&&`; write `and`"),
        (
            "block f(x) { x -> chose op { a: g } }",
            "expected a statement or `}`; found `{`; did you mean `choose`?",
        ),
        (
            "block f(x) { x -> repat 3 { g } }",
            "expected a statement or `}`; found `{`; did you mean `repeat`?",
        ),
        ("const a = (x || y)", "expected `,` or `)`; found `||`; write `or`"),
        ("const a = !x", "expected an expression; found `!`; write `not`"),
        ("const a = (2 ** 3)", "expected an expression; found `*`; a power is written `a ^ b`"),
        (
            "const a = 'x'",
            "expected an expression; found `'`; strings stand in double quotes: `\"x\"`",
        ),
        ("const a = .5", "expected an expression; found `.`; write `0.5`"),
        (
            "const a = 0..=3",
            "expected an expression; found `=`; a range leaves its end out: `0..4` is 0, 1, 2, 3",
        ),
        (
            "const a = 3 if x else 4",
            &format!("expected an operator or the next item; found `if`; {condition}"),
        ),
        ("# x", &format!("{ITEM}; found `#`; {comment}")),
        ("/* x */", &format!("{ITEM}; found `/*`; {comment}")),
        ("def f(x):", &format!("{ITEM}; found `def`; {block}")),
        (
            "import std",
            &format!("{ITEM}; found `import`; an import is written `use std.blocks.{{name}}`"),
        ),
        ("Space s {}", &format!("{ITEM}; found `Space`; write `space`")),
        ("use a::b", "expected `.`; found `::`; write `.`"),
        (
            "expect a = 3",
            "expected an operator or the next item; found `=`; `==` compares two values",
        ),
        (
            "const a = f(k: 3)",
            "expected `,`, `=` or `)`; found `:`; an argument by name is written `name = value`",
        ),
        (
            "block f(x: int) { x }",
            "expected `,`, `=` or `)`; found `:`; \
             parameters have no types; a default is written `name = value`",
        ),
        ("block f(x) { if x: y }", &format!("expected `{{`; found `:`; {body}")),
        ("block f(x) { let y: x }", "expected `=`; found `:`; write `=`"),
        (
            "block f(x) { let y: int = 3 }",
            "expected `=`; found `:`; leave the type out: `name = value`",
        ),
        ("block f(x) { let y == x }", "expected `=`; found `==`; write `=`; `==` compares"),
        ("block f(x) { y += x }", "expected an expression; found `=`; write it out: `y = y + …`"),
        ("block f(x) { y *= x }", "expected an expression; found `=`; write it out: `x = x + y`"),
        (
            "block f(x) { let mut y = x }",
            "expected `=`; found `y`; a value that changes is declared with `var`",
        ),
        ("/* x */ y", &format!("{ITEM}; found `/*`; {comment}")),
        (
            "let y = 3",
            &format!("{ITEM}; found `let`; a value of the file is written `const NAME = …`"),
        ),
        (
            "pub block f(x) { x }",
            &format!("{ITEM}; found `pub`; leave `pub` out; other files can import every item"),
        ),
        ("search p for s {}", "expected `of` and the name of the space; found `for`; write `of`"),
        (
            "block f(x) { if x { x } elif x { x } else { x } }",
            "expected a statement or `}`; found `{`; write `else if`",
        ),
        (
            "const a = choose { b => c }",
            "expected `:`; found `=>`; each candidate has a name: `name: step`",
        ),
        (
            "block f(x) { x.conv(8, kernel = 3) }",
            "expected `,` or `)`; found `=`; a step is written `x -> conv(8, kernel = 3)`",
        ),
        (
            "block f(x) { x |> g }",
            "expected a statement or `}`; found `|>`; a pipeline is written `x -> f`",
        ),
        (
            "block f(x) { g(x)) }",
            "expected a statement or `}`; found `)`; remove it: nothing opens it",
        ),
        ("search p of s { schedule { epochs: 3 } }", "expected `=`; found `:`; write `=`"),
        (
            "search p of s { epochs = 3 }",
            "expected a name or `{` with the fields of the setting; found `=`; \
             a setting stands in its section: `schedule { epochs = 10 }`",
        ),
    ]);
}

#[test]
fn targets() {
    let entry = "an entry, such as `opset 17`";
    let row = "an operator, such as `conv(kernel <= 7)`";
    check(&[
        ("target t { 3 }", &format!("expected {entry}, or `}}`; found `3`")),
        ("target t { opset }", "expected an expression; found `}`"),
        (
            "target t { supports conv }",
            "expected `{` with the operators that the target supports; found `conv`",
        ),
        ("target t { supports { 3 } }", &format!("expected {row}, or `}}`; found `3`")),
        ("target t { supports { conv(a b) } }", "expected `,` or `)`; found `b`"),
        (
            "target t { supports { conv(kernel = 3) } }",
            "expected `,` or `)`; found `=`; `==` compares two values",
        ),
        ("target t { latency \"a\" }", "expected `table` with the path of a file; found `\"`"),
        ("target t { latency table a }", "expected a string; found `a`"),
    ]);
}

#[test]
fn habits_around_choices_lists_and_targets() {
    let slice = "a slice is written `list[1..3]`";
    let elastic = "`elastic` decides a value, as in `elastic [3, 5]`; steps stand behind `choose`";
    check(&[
        ("target t { opset = 17 }", "expected an expression; found `=`; leave the `=` out"),
        (
            "block f(x) { require macs <= 3 }",
            "expected a statement or `}`; found `require`; `require` stands directly in a space",
        ),
        (
            "const a = repeat { f }",
            "expected an expression; found `{`; say how often: `repeat 3 { … }`",
        ),
        (
            "const a = elastic { a: b }",
            &format!(
                "expected a list of values, such as `[3, 5]`, or a name; found `{{`; {elastic}"
            ),
        ),
        (
            "const a = elastic k { a: b }",
            &format!("expected a list of values, such as `[3, 5]`; found `{{`; {elastic}"),
        ),
        (
            "const a = [i for i in x]",
            "expected `,` or `]`; found `for`; \
             a list made by a loop is written `[for i in 0..n { 2 * i }]`",
        ),
        ("const a = x[1:3]", &format!("expected `]`; found `:`; {slice}")),
        ("const a = x[:3]", &format!("expected an expression; found `:`; {slice}")),
    ]);
}

#[test]
fn words_of_the_language_as_names() {
    let said = |word: &str, expected: &str| {
        format!(
            "`{word}` is a word of the language and cannot be a name; expected {expected}; \
             use another name, such as `{word}_`"
        )
    };
    let pattern = "a name or a tuple such as `(a, b)`";
    check(&[
        ("const block = 3", &said("block", "a name")),
        ("block f(let) { x }", &said("let", "a name or `)`")),
        ("block f(x) { let if = 3 }", &said("if", pattern)),
        ("block f(x) { for (a, in) in x {} }", &said("in", &format!("{pattern}, or `)`"))),
        ("const a = f(block = 3)", &said("block", "an argument or `)`")),
        ("const a = x.if", &said("if", "a name")),
        ("const a = b + of", &said("of", "an expression")),
        ("const a = choose { let: 3 }", &said("let", "a candidate, such as `name: step`, or `}`")),
    ]);
}

#[test]
fn strings() {
    let end = "expected `\"` at the end of the string";
    let help = "this `\"` is not closed; close it with `\"`";
    check(&[
        ("block f(x) {\n\"abc\n}", &format!("{end}; found the end of the line; {help}")),
        ("block f(x) {\r\n\"abc\r\n}", &format!("{end}; found the end of the line; {help}")),
        (
            "const a = \"\\q\"",
            &format!("{end}; found `\\`; after a backslash stands `\\\\`, `\"`, `{{` or `n`"),
        ),
        ("const a = \"abc", &format!("{end}; the file ends here; {help}")),
        ("const a = \"a{b\"", "expected `}`; found `\"`; a brace in a string is written `\\{`"),
    ]);
}

#[test]
fn items_that_are_not_finished() {
    let end = |line: usize| {
        format!("the file ends here; the item that begins in line {line} is not finished")
    };
    let open = |bracket: &str, closing: &str| {
        format!("the file ends here; this `{bracket}` is not closed; close it with `{closing}`")
    };
    check(&[
        ("\nconst a =", &format!("expected an expression; {}", end(2))),
        ("const a = (1", &format!("expected `,` or `)`; {}", open("(", ")"))),
        ("const a = [1, ", &format!("expected an expression or `]`; {}", open("[", "]"))),
        ("const a = f(1", &format!("expected `,` or `)`; {}", open("(", ")"))),
        ("block f(x) { y = x ", &format!("expected a statement or `}}`; {}", open("{", "}"))),
        ("use a", &format!("expected `.`; {}", end(1))),
        ("use a.{b", &format!("expected `,` or `}}`; {}", open("{", "}"))),
        ("use ", &format!("expected a name; {}", end(1))),
        ("block", &format!("expected a name; {}", end(1))),
    ]);
}

#[test]
fn brackets_that_are_not_closed() {
    let open = |bracket: &str, closing: &str| {
        format!("this `{bracket}` is not closed; close it with `{closing}`")
    };
    check(&[
        (
            "block f(x) {\n  x -> g(\n\nconst a = 3\n",
            &format!("expected an argument or `)`; found `const`; {}", open("(", ")")),
        ),
        (
            "block f(x) {\n  let y = g(x, 8\n  let z = y\n}",
            &format!("expected `,` or `)`; found `let`; {}", open("(", ")")),
        ),
        ("const a = f(1, [2, 3)", &format!("expected `,` or `]`; found `)`; {}", open("[", "]"))),
        (
            "block f(x) {\n  x\n\nconst b = 2\n",
            &format!("expected a statement or `}}`; found `const`; {}", open("{", "}")),
        ),
        // Where a call goes on after a comma that is missing, nothing else is known to be.
        ("const a = f(\n  1\n  k = 2)", "expected `,` or `)`; found `k`; this `(` is not closed"),
    ]);
}

#[test]
fn the_layout_tells_which_brace_is_not_closed() {
    let text = "block f(x) {\n    x -> choose op {\n        a: relu\n}\n\nconst b = 2\n";
    let problems = parse(&Source::new("test.nas", text)).problems;
    let labels: Vec<usize> = problems[0].labels().unwrap().map(|label| label.offset()).collect();
    assert_eq!(labels, [text.find("const").unwrap(), text.find("{\n        a").unwrap()]);
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
    assert!(items.is_empty(), "{items:?}");
    assert_eq!(said.len(), 3, "{said:?}");
}

#[test]
fn what_a_broken_item_may_define_is_known() {
    let text = "block f(x) {\n  let y = \n}\nfn g(x) {}\nuse a.h;\nblock k(x) { x }\n";
    let file = parse(&Source::new("test.nas", text)).file;
    assert!(["f", "g", "h"].iter().all(|name| file.may_define(name)));
    assert!(!file.may_define("k"));
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
        "x.nas is not UTF-8 text; not UTF-8; save it as UTF-8; the first invalid byte is at offset 15, in line 2"
    );
}

#[test]
fn bytes_over_the_limit() {
    let bytes = vec![b' '; nas_grammar::parse::MAX_BYTES + 1];
    let problem = nas_grammar::parse::decode("x.nas", bytes).unwrap_err();
    assert_eq!(
        said(&problem),
        "x.nas has more than 8388608 bytes; split it into files and `use` them"
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
