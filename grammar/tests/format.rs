//! The canonical layout, example by example.

mod common;

use common::{SQUEEZENAS, checked_layout, formatted};
use nas_grammar::Source;
use nas_grammar::format::format;

/// The layout of a text; checked like every layout.
#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(checked_layout(text), expected);
}

/// A text that is in canonical layout.
#[track_caller]
fn stays(text: &str) {
    check(text, text);
}

/// Statements in a block, the block's own lines left out.
#[track_caller]
fn check_in_block(statements: &str, expected: &str) {
    let text = checked_layout(&format!("block f(x) {{\n{statements}\n}}"));
    let body = text.strip_prefix("block f(x) {\n").and_then(|rest| rest.strip_suffix("}\n"));
    assert_eq!(body, Some(expected), "{text}");
}

#[track_caller]
fn stays_in_block(statements: &str) {
    check_in_block(statements, statements);
}

#[test]
fn the_example_of_the_language_loses_only_its_alignment() {
    let expected = SQUEEZENAS
        .replace("if stride == 2            {", "if stride == 2 {")
        .replace("else                      {", "else {")
        .replace(",   k5", ", k5")
        .replace(",    k5", ", k5")
        .replace(
            "(48, 4, 1), (96, 4, 1)] {",
            "(48, 4, 1),\n                                        (96, 4, 1)] {",
        );
    check(SQUEEZENAS, &expected);
    check(&SQUEEZENAS.replace('\n', "\r\n"), &expected);
}

#[test]
fn train_outputs() {
    check(
        "space s { train output a=x train ( weight=0.3 ) output b = y -> f\ntrain( // why\n) output c = z }",
        "space s {
    train output a = x
    train(weight = 0.3) output b = y -> f
    // why
    train output c = z
}
",
    );
}

#[test]
fn a_recipe_of_the_language() {
    stays(
        r#"search paper of squeezenas_small {
    strategy gumbel { temperature = 5.0 -> 1.0, prune_below = 0.005 }
    minimize cross_entropy + 0.02 * latency / 1ms
    data cityscapes { path = "data/cityscapes", crop = (768, 768), flip = true, scale = 0.5..2.0 }
    weights sgd { rate = 0.05 -> 0 cosine, momentum = 0.9, decay = 1e-4 }
    derive {}
    retrain {
        epochs = 400
        rate = 0.1
    }
}
"#,
    );
}

#[test]
fn the_other_examples_of_the_language() {
    stays(include_str!("darts.nas"));
    stays(include_str!("ofa.nas"));
    stays(include_str!("target.nas"));
}

#[test]
fn choices_of_several_and_of_values() {
    stays_in_block(
        "    let y = x -> conv(3, kernel = choose [3, 5, 7], stride = elastic s [1, 2])\n",
    );
    check_in_block(
        "sum(choose  2 from\n{ a: b,c: d })\nchoose 2(states)",
        "    sum(choose 2 from { a: b, c: d })\n    choose 2 (states)\n",
    );
    check_in_block(
        "choose // a\n 2 // b\n from // c\n [ // d\n d ]",
        "    // a\n    // b\n    // c\n    choose 2 from [\n        // d\n        d,\n    ]\n",
    );
}

#[test]
fn repeats() {
    stays_in_block("    x = x -> repeat elastic depth [2, 3, 4] as i { mbconv(i) } -> f\n");
    check_in_block(
        "x -> repeat n-1 as i{f\n} -> g",
        "    x -> repeat n - 1 as i {\n        f\n    } -> g\n",
    );
    check_in_block(
        "repeat // a\n 3 // b\n as // c\n i // d\n { f }",
        "    // a\n    // b\n    // c\n    // d\n    repeat 3 as i { f }\n",
    );
}

#[test]
fn slices_and_comprehensions() {
    check_in_block("concat(states[ 2 .. ])", "    concat(states[2..])\n");
    check_in_block("x[a+1 .. b][ ..n ][..]", "    x[a + 1..b][..n][..]\n");
    stays_in_block("    let y = [for i in 0..4 { 2 * i }]\n");
    check_in_block(
        "let y = [a, for i in 0..4, j in b {\nlet k = i k * j }]",
        "    let y = [a, for i in 0..4, j in b {\n        let k = i\n        k * j\n    }]\n",
    );
    stays_in_block(
        "    let y = [\n        a,\n        // b\n        for c in d { e }, // f\n    ]\n",
    );
}

#[test]
fn targets() {
    check(
        "target t{opset 17 supports{conv(kernel<=7,)add,\nconcat\nrelu,\n\nzero resize(a) mul()} memory 1KiB}",
        "target t {
    opset 17
    supports {
        conv(kernel <= 7)
        add, concat, relu

        zero
        resize(a)
        mul
    }
    memory 1KiB
}
",
    );
    stays("target t {\n    supports { conv(kernel <= 7), add, mul }\n}\n");
    let op = "an_operator_with_a_rather_long_name";
    let other = "a_condition_with_a_rather_long_name";
    check(
        &format!(
            "target t {{ supports {{ {op}, {op}, {op}, {op}, c({other}, {other}, {other}) }} }}"
        ),
        &format!(
            "target t {{
    supports {{
        {op}, {op},
        {op}, {op}
        c({other}, {other},
          {other})
    }}
}}
"
        ),
    );
    check(
        "target /// a\nt // b\n{ opset // c\n 17 // d\n supports // e\n { // f\n add // g\n , mul // h\n( // i\na // j\n)\n// k\n} // l\n latency // m\n table // n\n \"o\" }",
        "// b
target t {
    /// a
    // c
    opset 17 // d
    // e
    supports {
        // f
        add // g
        // h
        mul(
            // i
            a, // j
        )
        // k
    } // l
    // m
    // n
    latency table \"o\"
}
",
    );
}

#[test]
fn spaces_and_recipes_for_a_target() {
    stays("space s(n = 3) for t {\n    require macs <= 300M\n    output y = x\n}\n");
    stays("search p of s(n = 3) for t {\n    minimize macs\n}\n");
    stays("search p of s {\n    maximize a * b ^ -0.07, minimize max(0, c - 12ms)\n}\n");
    check(
        "space s // a\n for /// b\n t // c\n { output y = x }",
        "// a\n// c\nspace s for t {\n    /// b\n    output y = x\n}\n",
    );
    check(
        "search p of s for // a\n t /// b\n { minimize c }",
        "// a\nsearch p of s for t {\n    /// b\n    minimize c\n}\n",
    );
}

#[test]
fn nothing_stays_nothing() {
    for text in ["", "\n\n", "\u{feff}", " \t\r\n"] {
        assert_eq!(formatted(text), "");
    }
    check("// a\n\n\n\n//! b  \n///c", "// a\n\n//! b\n///c\n");
}

#[test]
fn a_broken_file_is_left_alone() {
    let source = Source::new("test.nas", "const a =\nconst b = \n");
    assert_eq!(format(&source).unwrap_err().len(), 2);
}

#[test]
fn blank_lines() {
    check(
        "//! File\nuse a.b\nuse a.c\n\n\nuse a.d\nconst e = 1\nconst f = 2\n\n\n\n/// G\nblock g(x) {\n\n\n  x\n\n\n\n  x\n\n}\nexpect h\n// i",
        "//! File\nuse a.b\nuse a.c\n\nuse a.d\n\nconst e = 1\nconst f = 2\n\n/// G\nblock g(x) {\n    x\n\n    x\n}\n\nexpect h\n// i\n",
    );
    check("\n\n//! a\n\n\n//! b\n\nconst c = 1\n", "//! a\n\n//! b\n\nconst c = 1\n");
    check(
        "const a = 1 const b = 2\nblock c() {} const d = 3",
        "const a = 1\nconst b = 2\n\nblock c() {}\n\nconst d = 3\n",
    );
}

#[test]
fn bodies_on_one_line() {
    stays("block f(x) { x -> g }\n");
    stays("space s { output x = y }\n");
    stays("arch a of s { op = [b] }\n");
    check("block f(x) {x\n}", "block f(x) {\n    x\n}\n");
    check("block f(x) { let y = x y }", "block f(x) {\n    let y = x\n    y\n}\n");
    check("block f(x) { for i in x { y = i } }", "block f(x) {\n    for i in x { y = i }\n}\n");
    check("block f(x) {\n}", "block f(x) {}\n");
    check("block f(x) {\n// a\n}", "block f(x) {\n    // a\n}\n");
}

#[test]
fn ifs() {
    stays_in_block("    let a = if b { c } else { d }\n");
    stays_in_block("    if b { c } else if d { e } else { f }\n");
    stays_in_block("    if b { c }\n    else { d }\n");
    check_in_block(
        "if b { c } else {\n d }",
        "    if b {\n        c\n    } else {\n        d\n    }\n",
    );
    let (long, rung) = ("a_condition_with_a_long_name", "{ a_step_with_a_long_name_as_well }");
    check_in_block(
        &format!("if {long} {rung} else if {long} {rung}"),
        &format!("    if {long} {rung}\n    else if {long} {rung}\n"),
    );
    check_in_block(
        &format!("let a = if {long} {{ b }} else if {long} {{ c }} else if {long} {{ d }}"),
        &format!(
            "    let a = if {long} {{\n        b\n    }} else if {long} {{\n        c\n    }} else if {long} {{\n        d\n    }}\n"
        ),
    );
}

#[test]
fn chooses() {
    stays_in_block("    x -> choose op { a: b, \"c\": d if e }\n");
    check_in_block("choose {a:b c:d}", "    choose { a: b, c: d }\n");
    check_in_block(
        "let y = x -> f -> choose { a: b,\nfor k in l { \"c{ k+1 }\": d, } }",
        "    let y = x -> f -> choose {\n        a: b\n        for k in l { \"c{k + 1}\": d }\n    }\n",
    );
    check_in_block(
        "sum(choose {a: b,\n c: d})",
        "    sum(choose {\n        a: b\n        c: d\n    })\n",
    );
}

#[test]
fn pipelines() {
    stays_in_block(
        "    var x = image -> conv_bn(16, kernel = 3, stride = 2, act = \"hswish\")
        -> mbconv(16, kernel = 3, expand = 1, act = \"relu\")
",
    );
    stays_in_block("    let y = x\n        -> f\n        -> g(3)\n");
    check_in_block("let y = x -> f\n -> g(3)", "    let y = x -> f -> g(3)\n");
    check_in_block("let y = [x\n -> f\n -> g]", "    let y = [x -> f -> g]\n");
}

#[test]
fn long_arguments_and_lists() {
    stays_in_block(
        "    mbconv(c, stride = if i == 0 { s } else { 1 }, kernel = a_kernel_chosen_above, width = 3 * w,
           expand = an_expansion_chosen_above, act, se)
",
    );
    let long = "a_value_of_forty_columns_that_is_too_long";
    check_in_block(
        &format!("let y = [{long}, {long},]"),
        &format!("    let y = [{long}, {long}]\n"),
    );
    check_in_block(
        &format!("let y = [{long}, {long}, {long}]"),
        &format!("    let y = [\n        {long},\n        {long},\n        {long},\n    ]\n"),
    );
    let name = "n".repeat(60);
    check_in_block(
        &format!("{name}(aaaaaaaaaaaa, bbbbbbbbbbbbbbb, cccccccccccccc)"),
        &format!("    {name}(\n        aaaaaaaaaaaa, bbbbbbbbbbbbbbb, cccccccccccccc\n    )\n"),
    );
}

#[test]
fn operators() {
    check_in_block("let y=-a+(b*c)..not d==e^2", "    let y = -a + (b * c)..not d == e ^ 2\n");
    let long = "a_value_with_a_rather_long_name";
    check_in_block(
        &format!("let y = {long} + {long} * 2 + {long}"),
        &format!("    let y = {long} + {long} * 2\n        + {long}\n"),
    );
}

#[test]
fn strings() {
    stays_in_block(
        "    \"a\\\"b\\\\c\\{d\\n{e}{ \"f{g}\" }\"\n"
            .replace("{ \"", "{\"")
            .replace("\" }", "\"}")
            .as_str(),
    );
    stays_in_block("    \"größer\"\n");
    // A string's `//` is no comment.
    let text = "const a = \"http://x\" // y\n";
    assert_eq!(formatted(text), text);
    let text = "const a = \"{\"//\"}//\" // y\n";
    assert_eq!(formatted(text), text);
    check(
        "const a = \"{if b { // c\nd\n} else {\nlet e = f e }}\"",
        "// c\nconst a = \"{if b { d } else { let e = f e }}\"\n",
    );
}

#[test]
fn comments_of_lists_and_arguments() {
    stays("use a.b.{\n    // c\n    d, // e\n    f,\n    // g\n}\n");
    stays("block f(\n    x, // a\n    y = 3,\n) { x }\n");
    check(
        "arch a of s {\n op = [k1, k2, // row 1\n k3, k4 // row 2\n , k5]\n}",
        "arch a of s {\n    op = [\n        k1, k2, // row 1\n        k3, k4, // row 2\n        k5,\n    ]\n}\n",
    );
    stays_in_block("    let y = g(\n        // a\n        x, // b\n        // c\n    )\n");
    stays_in_block("    let y = [\n        // nothing\n    ]\n");
    stays_in_block("    let y = [\n        1,\n\n        // a\n    ]\n");
}

#[test]
fn comments_of_pipelines() {
    stays_in_block("    let y = x // a\n        // b\n        -> f // c\n        -> g // d\n");
    check_in_block("x // a\n -> // b\n f // c\n", "    x // a\n        // b\n        -> f // c\n");
}

#[test]
fn comments_of_statements_and_arms() {
    stays_in_block(
        "    // a
    let y = x // b

    // c

    // d
    choose {
        // e
        f: g // h

        // i
        for j in k {
            // l
            m: n // o
        } // p
        // q
    } // r

    // s
",
    );
}

#[test]
fn comments_in_the_middle_go_above_their_statement() {
    check_in_block(
        "// a\nlet y // b\n = // c\n 1 + // d\n 2 // e",
        "    // a\n    // b\n    // c\n    // d\n    let y = 1 + 2 // e\n",
    );
    check_in_block("if x { y } // a\nelse { z }", "    // a\n    if x { y }\n    else { z }\n");
    check_in_block(
        "x -> choose { a // b\n: // c\nd }",
        "    x -> choose {\n        // b\n        // c\n        a: d\n    }\n",
    );
    check_in_block(
        "for // for a\n i // b\n in j { // c\nk }",
        "    // for a\n    // b\n    for i in j {\n        // c\n        k\n    }\n",
    );
    check_in_block("x[ // a\n 0]", "    // a\n    x[0]\n");
    check_in_block(
        "choose // a\n { for // b\n k in // c\n l { m: n } }",
        "    // a\n    choose {\n        // b\n        // c\n        for k in l { m: n }\n    }\n",
    );
}

#[test]
fn comments_in_the_middle_of_items() {
    check("const // a\nb = // c\n 1 // d", "// a\n// c\nconst b = 1 // d\n");
    check("use // a\n b.c", "// a\nuse b.c\n");
    check("/// Doc.\nblock // a\nf(x) // b\n{ x }", "/// Doc.\n// a\n// b\nblock f(x) { x }\n");
    check(
        "search // a\np of s { // b\nminimize // c\nd w // e\n{ f = // g\n 1 } }",
        "// a\nsearch p of s {\n    // b\n    // c\n    minimize d\n    // e\n    w {\n        // g\n        f = 1\n    }\n}\n",
    );
}

/// Above the item, these would document it.
#[test]
fn documentation_marks_inside_items_stay_inside() {
    check("const a = 1 + /// b\n 2", "const a =\n    /// b\n    1 + 2\n");
    check("expect //! a\n b", "expect\n    //! a\n    b\n");
    check("use /// a\n b.c", "use\n    /// a\n    b.c\n");
    check("block f(x) /// a\n { x }", "block f(x) {\n    /// a\n    x\n}\n");
    check("space s /// a\n { output y = x }", "space s {\n    /// a\n    output y = x\n}\n");
    check(
        "arch /// a\n b of s(n = 1) { c = d }",
        "arch b of s(n = 1) {\n    /// a\n    c = d\n}\n",
    );
    check("const a = 1 /// b\nconst c = 2", "const a = 1 /// b\nconst c = 2\n");
}
