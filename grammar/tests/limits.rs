//! Large, deep and hostile files: an answer in linear time, and never a stack overflow.

mod common;

use common::{checked_layout, formatted, on_small_stack, tree};
use nas_grammar::ast::{ExprKind, ItemKind};
use nas_grammar::format::format;
use nas_grammar::{Source, parse};

/// The messages for a file, with the offset of each.
fn problems(text: &str) -> Vec<(String, usize)> {
    let parsed = parse(&Source::new("test.nas", text));
    let problem = |p: &nas_grammar::Problem| {
        let at = p.labels().and_then(|mut labels| labels.next()).map_or(0, |label| label.offset());
        (p.to_string(), at)
    };
    parsed.problems.iter().map(problem).collect()
}

/// The only message for a file.
fn problem(text: &str) -> String {
    let mut problems = problems(text);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0).0
}

const TOO_DEEP: &str = "brackets nest more than 64 deep";
const TOO_LONG: &str = "operators of one expression nest more than 128 deep";

#[test]
fn ten_thousand_brackets() {
    on_small_stack(|| {
        let opens = [
            "(",
            "[",
            "f(",
            "x[",
            "x[..",
            "choose { a: ",
            "choose 2 (",
            "elastic a [",
            "if a { ",
            "repeat 2 { ",
            "[for a in b { ",
            "\"{",
            "(a, ",
            "f(k = ",
        ];
        for open in opens {
            let text = format!("const a = {}", open.repeat(10_000));
            assert_eq!(problem(&text), TOO_DEEP, "{open}");
        }
        let block = format!("block f(x) {{ {}", "for a in b { ".repeat(10_000));
        assert_eq!(problem(&block), TOO_DEEP);
        let pattern = format!("block f(x) {{ let {}", "(a, ".repeat(10_000));
        assert_eq!(problem(&pattern), TOO_DEEP);
    });
}

#[test]
fn ten_thousand_words_before_their_braces() {
    on_small_stack(|| {
        let words = [
            "if ",
            "if not ",
            "if a + if ",
            "if choose {} + ",
            "if choose 2 a [b] + ",
            "if if a {} else {} + ",
            "repeat ",
            "repeat elastic a (b) + repeat ",
        ];
        for word in words {
            let text = format!("const a = {}", word.repeat(10_000));
            assert_eq!(problem(&text), TOO_DEEP, "{word}");
        }
    });
}

/// No word waits for a `{` here.
#[test]
fn ten_thousand_choices_beside_each_other() {
    on_small_stack(|| {
        for (choice, between) in [
            ("choose [3, 5]", ", "),
            ("elastic k // a {\n (b)", ", "),
            ("choose 2 op { a: if b { c } else { d } if e f: g }", ", "),
            ("repeat choose { a: 2 } as i { b }", " -> "),
            ("[for a in choose b [c] { d }]", ", "),
        ] {
            tree(&format!("const a = [{choice}{}]", format!("{between}{choice}").repeat(10_000)));
        }
    });
}

#[test]
fn brackets_in_comments_and_strings_do_not_nest() {
    let brackets = "([".repeat(100);
    tree(&format!("// {brackets}\nconst a = \"{brackets}\" // {brackets}\nexpect a"));
}

#[test]
fn sixty_four_levels_are_legal() {
    on_small_stack(|| {
        let shapes = [
            ("(", ")"),
            ("[", "]"),
            ("(a, ", ")"),
            ("f(k = ", ")"),
            ("f(a, ", ",)"),
            ("xs[", "]"),
            ("xs[..", "]"),
            ("choose { a: ", "}"),
            ("choose 2 b (", ")"),
            ("elastic [", "]"),
            ("repeat 2 {", "}"),
            ("repeat ", " as i {}"),
            ("choose { \"a{", "}\": b}"),
            ("choose { for k in ", " {}}"),
            ("if a {", "}"),
            ("if ", " {}"),
            ("if a { let y = b } else {", "}"),
            ("\"{", "}\""),
            ("-(", ")"),
        ];
        for (open, close) in shapes {
            let levels = if open.contains("\"a{") || open.contains("for k") { 32 } else { 64 };
            let text = format!("const a = {}1{}\n", open.repeat(levels), close.repeat(levels));
            tree(&text);
            tree(&formatted(&text));
        }
        let loops = format!("block f(x) {{ {} x {} }}", "for a in b { ".repeat(63), "}".repeat(63));
        tree(&formatted(&loops));
    });
}

/// An unclosed bracket deep inside must not make the parser try every reading of those around.
#[test]
fn errors_in_deep_brackets_take_no_exponential_time() {
    let opens = [
        "(",
        "[",
        "(a, ",
        "f(k = ",
        "f(a, ",
        "xs[",
        "xs[..",
        "choose { a: ",
        "choose 2 (",
        "elastic a [",
        "if a {",
        "repeat 2 {",
        "repeat choose (",
        "\"{",
    ];
    for open in opens {
        let text = format!("const a = {}$", open.repeat(60));
        assert_eq!(problems(&text).len(), 1, "{open}");
    }
}

#[test]
fn ten_thousand_operators() {
    on_small_stack(|| {
        for link in [" + a", " ^ a", " and a", " - - a", ".a", "[0]", " == not a"] {
            assert_eq!(problem(&format!("const a = a{}", link.repeat(10_000))), TOO_LONG, "{link}");
        }
        for prefix in ["-", "not "] {
            let text = format!("const a = {}a", prefix.repeat(10_000));
            assert_eq!(problem(&text), TOO_LONG, "{prefix}");
        }
        assert!(problems(&format!("const a = a{}", " + a".repeat(128))).is_empty());
    });
}

#[test]
fn operators_count_together_with_those_around() {
    on_small_stack(|| {
        let sum = format!("({}", "a + ".repeat(100));
        let text = format!("const a = {}a{}", sum.repeat(60), ")".repeat(60));
        assert_eq!(problem(&text), TOO_LONG);
    });
}

#[test]
fn a_hundred_thousand_else_ifs() {
    on_small_stack(|| {
        let text = format!("const a = if a {{ 1 }}{}", " else if a { 1 }".repeat(100_000));
        let file = tree(&text);
        let ItemKind::Const(item) = &file.items[0].kind else { panic!() };
        assert!(matches!(&item.value.kind, ExprKind::If(rungs, None) if rungs.len() == 100_001));
    });
}

#[test]
fn a_pipeline_of_a_hundred_thousand_steps() {
    on_small_stack(|| {
        let text = format!("const a = a{}", " -> f(3)".repeat(100_000));
        let file = tree(&text);
        let ItemKind::Const(item) = &file.items[0].kind else { panic!() };
        assert!(matches!(&item.value.kind, ExprKind::Pipeline(_, steps) if steps.len() == 100_000));
    });
}

#[test]
fn the_layout_of_what_is_very_long() {
    on_small_stack(|| {
        let shapes = [
            ("[", "1, ", "]"),
            ("\"", "{a}", "\""),
            ("choose {", "a: b\n", "}"),
            ("if a { 1 }", " else if a { 1 }", ""),
            ("if a {\n1 }", " else if a { 1 }", ""),
            ("a", " -> f(3)", ""),
            ("a", " // b\n -> f(3)", ""),
            ("f(", "a, // b\n", ")"),
            ("[", "for a in b { a }, ", "]"),
            ("choose 2 [", "a, ", "]"),
        ];
        for (open, part, close) in shapes {
            checked_layout(&format!("const a = {open}{}{close}", part.repeat(10_000)));
        }
    });
}

#[test]
fn many_statements_and_items() {
    let statements: String = (0..10_000).map(|i| format!("    let x{i} = x -> f({i})\n")).collect();
    let block = format!("block f(x) {{\n{statements}    x\n}}\n");
    assert_eq!(formatted(&block), block);
    let rows: String = (0..5_000).map(|i| format!("        f{i}(a)\n        g, h\n")).collect();
    let target = format!("target t {{\n    supports {{\n{rows}    }}\n}}\n");
    assert_eq!(formatted(&target), target);
    let items: String =
        (0..10_000).map(|i| format!("/// Doc.\nblock f{i}(x) {{ x }}\n\n")).collect();
    assert_eq!(tree(&items).items.len(), 10_000);
    let broken = "block f(x) { x -> }\n".repeat(10_000);
    assert_eq!(problems(&broken).len(), nas_grammar::parse::MAX_PROBLEMS + 1);
}

#[test]
fn one_item_too_deep_leaves_the_others() {
    let deep = "(".repeat(70);
    let text =
        format!("const a = 1\nconst b = {deep}\n/// Doc.\nconst c = 3\nexpect {deep}\nexpect 1");
    let parsed = parse(&Source::new("test.nas", text.as_str()));
    assert_eq!(parsed.file.items.len(), 3);
    assert_eq!(parsed.file.items[1].docs, ["Doc."]);
    let at: Vec<usize> = problems(&text).iter().map(|(_, at)| *at).collect();
    let first = text.find("((").unwrap() + 64;
    assert_eq!(at, [first, text.rfind("((").unwrap() + 2 - 70 + 64]);
}

/// `expect` of an `arch` may stand at the start of a line; then it is no item of its own.
#[test]
fn nesting_is_counted_across_the_expectations_of_an_arch() {
    on_small_stack(|| {
        let text = format!("arch a of b {{\nexpect 1\nexpect {}", "(".repeat(10_000));
        assert_eq!(problem(&text), TOO_DEEP);
    });
}

#[test]
fn a_file_over_the_limit() {
    let text = format!("// {}", "x".repeat(nas_grammar::parse::MAX_BYTES));
    let source = Source::new("big.nas", text);
    let problems = format(&source).unwrap_err();
    assert_eq!(problems.len(), 1);
    let message = problems[0].to_string();
    assert_eq!(message, "big.nas has more than 8388608 bytes");
}

#[test]
fn what_is_read_of_a_source_is_whole_lines_around_a_place() {
    use miette::SourceCode;
    let source = Source::new("lines.nas", "a\r\nä let\rb\nc\nd\n");
    let read = |span: (usize, usize), lines| {
        let read = source.read_span(&span.into(), lines, lines).unwrap();
        let data = std::str::from_utf8(read.data()).unwrap().to_owned();
        (data, read.line(), read.column(), read.span().offset())
    };
    assert_eq!(read((6, 3), 0), ("let".to_owned(), 1, 2, 6));
    assert_eq!(read((6, 3), 1), ("a\r\nä let\rb\nc\n".to_owned(), 0, 0, 0));
    assert_eq!(read((14, 1), 1), ("c\nd\n".to_owned(), 2, 0, 12));
    assert_eq!(read((0, 0), 0), (String::new(), 0, 0, 0));
    assert!(source.read_span(&(14, 9).into(), 0, 0).is_err());
}
