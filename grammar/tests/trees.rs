//! Whole trees of every construct, written out as nested lists, and the places of things.

mod common;

use common::tree;
use nas_grammar::ast::{
    Alternatives, ArchEntry, Arg, Arm, BlockKind, Body, Element, Expr, ExprKind, File, ForClause,
    Ident, Item, ItemKind, Param, Pattern, Setting, Sharing, SpaceRef, Span, Statement,
    StatementKind, SupportRow, TargetEntry, TextPart,
};
use nas_grammar::{Source, parse};

fn list(head: &str, parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<String> = parts.into_iter().collect();
    let head = std::iter::once(head.to_owned()).filter(|head| !head.is_empty());
    format!("({})", head.chain(parts).collect::<Vec<_>>().join(" "))
}

fn expr(e: &Expr) -> String {
    match &e.kind {
        ExprKind::Number(text) | ExprKind::Name(text) => text.clone(),
        ExprKind::Text(parts) => text(parts),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::List(elements) => list("list", elements.iter().map(element)),
        ExprKind::Tuple(elements) => list("tuple", elements.iter().map(expr)),
        ExprKind::Paren(inner) => list("paren", [expr(inner)]),
        ExprKind::Call(callee, arguments) => {
            list("call", [callee.name.clone()].into_iter().chain(args(arguments)))
        }
        ExprKind::Field(value, name) => list("field", [expr(value), name.name.clone()]),
        ExprKind::Index(value, index) => list("index", [expr(value), expr(index)]),
        ExprKind::Slice(value, from, to) => {
            let bound = |e: &Option<Box<Expr>>| e.as_ref().map_or("_".to_owned(), |e| expr(e));
            list("slice", [expr(value), bound(from), bound(to)])
        }
        ExprKind::Unary(op, value) => list(&format!("{op:?}"), [expr(value)]),
        ExprKind::Binary(op, left, right) => list(op.symbol(), [expr(left), expr(right)]),
        ExprKind::Pipeline(source, steps) => {
            list("->", [expr(source)].into_iter().chain(steps.iter().map(expr)))
        }
        ExprKind::If(branches, otherwise) => {
            let branches = branches.iter().flat_map(|(c, b)| [expr(c), body(b)]);
            list("if", branches.chain(otherwise.as_ref().map(body)))
        }
        ExprKind::Choose(choose) => {
            let word = match choose.sharing {
                Sharing::Separate => "choose",
                Sharing::Shared => "elastic",
            };
            let head = choose.count.as_ref().map(expr).into_iter().chain([optional(&choose.label)]);
            match &choose.alternatives {
                Alternatives::Arms(arms) => list(word, head.chain(arms.iter().map(arm))),
                Alternatives::Values(values) => {
                    list(word, head.chain([list("values", [expr(values)])]))
                }
            }
        }
        ExprKind::Repeat(repeat) => {
            list("repeat", [expr(&repeat.depth), optional(&repeat.index), body(&repeat.body)])
        }
    }
}

fn optional(name: &Option<Ident>) -> String {
    name.as_ref().map_or("_".to_owned(), |name| name.name.clone())
}

fn element(element: &Element) -> String {
    match element {
        Element::Value(value) => expr(value),
        Element::For(clauses, b, _) => list("for", for_clauses(clauses).chain([body(b)])),
    }
}

fn text(parts: &[TextPart]) -> String {
    let part = |part: &TextPart| match part {
        TextPart::Literal(literal) => format!("{literal:?}"),
        TextPart::Interpolation(value) => expr(value),
    };
    list("text", parts.iter().map(part))
}

fn arm(arm: &Arm) -> String {
    match arm {
        Arm::Candidate(candidate) => {
            let name = match candidate.name.as_slice() {
                [TextPart::Literal(name)] if !candidate.quoted => name.clone(),
                parts => text(parts),
            };
            list(
                "arm",
                [name, expr(&candidate.value)]
                    .into_iter()
                    .chain(candidate.guard.as_ref().map(expr)),
            )
        }
        Arm::For(clauses, arms) => {
            list("for", for_clauses(clauses).chain(arms.iter().map(self::arm)))
        }
    }
}

fn for_clauses(clauses: &[ForClause]) -> impl Iterator<Item = String> {
    clauses.iter().map(|c| list("in", [pattern(&c.pattern), expr(&c.list)]))
}

fn pattern(p: &Pattern) -> String {
    match p {
        Pattern::Name(name) => name.name.clone(),
        Pattern::Tuple(parts, _) => list("", parts.iter().map(pattern)),
    }
}

fn args(args: &[Arg]) -> impl Iterator<Item = String> {
    args.iter().map(|arg| match &arg.name {
        Some(name) => list("=", [name.name.clone(), expr(&arg.value)]),
        None => expr(&arg.value),
    })
}

fn body(body: &Body) -> String {
    list("do", body.statements.iter().map(statement))
}

fn statement(s: &Statement) -> String {
    match &s.kind {
        StatementKind::Let(p, e) => list("let", [pattern(p), expr(e)]),
        StatementKind::Var(p, e) => list("var", [pattern(p), expr(e)]),
        StatementKind::Assign(name, e) => list("assign", [name.name.clone(), expr(e)]),
        StatementKind::For(clauses, b) => list("for", for_clauses(clauses).chain([body(b)])),
        StatementKind::Expr(e) => expr(e),
        StatementKind::Input(name, e) => list("input", [name.name.clone(), expr(e)]),
        StatementKind::Task(name, arguments) => {
            list("task", [name.name.clone()].into_iter().chain(args(arguments)))
        }
        StatementKind::Output(name, e) => list("output", [name.name.clone(), expr(e)]),
        StatementKind::TrainOutput(arguments, name, e) => {
            list("train", args(arguments).chain([name.name.clone(), expr(e)]))
        }
        StatementKind::Require(e) => list("require", [expr(e)]),
    }
}

fn params(params: &[Param]) -> String {
    let param = |p: &Param| match &p.default {
        Some(default) => list("=", [p.name.name.clone(), expr(default)]),
        None => p.name.name.clone(),
    };
    list("params", params.iter().map(param))
}

fn space_ref(space: &SpaceRef) -> String {
    let arguments = space.args.as_ref().map(|arguments| list("args", args(arguments)));
    list("of", [space.name.name.clone()].into_iter().chain(arguments))
}

fn names(names: &[Ident]) -> String {
    list("", names.iter().map(|name| name.name.clone()))
}

fn entry(entry: &ArchEntry) -> String {
    match entry {
        ArchEntry::Choice(c) => {
            let word = if c.quoted { "path" } else { "label" };
            list(word, [c.key.name.clone(), expr(&c.value)])
        }
        ArchEntry::Expect(expect) => list("expect", [expr(&expect.claim)]),
    }
}

fn setting(setting: &Setting) -> String {
    match setting {
        Setting::Objective(goals, _) => {
            goals.iter().map(|goal| list(goal.sense.word(), [expr(&goal.formula)])).collect()
        }
        Setting::Section(section) => {
            let kind = optional(&section.kind);
            let fields = section.fields.iter().map(|f| {
                let law = f.law.as_ref().map(|law| match &law.argument {
                    Some(argument) => list(&law.name.name, [expr(argument)]),
                    None => law.name.name.clone(),
                });
                list("=", [f.name.name.clone(), expr(&f.value)].into_iter().chain(law))
            });
            list(&section.name.name, [kind].into_iter().chain(fields))
        }
    }
}

fn target_entry(entry: &TargetEntry) -> String {
    match entry {
        TargetEntry::Setting(name, value) => list(&name.name, [expr(value)]),
        TargetEntry::Supports(rows, _) => list("supports", rows.iter().map(support_row)),
        TargetEntry::Latency(table, _) => list("latency", [expr(table)]),
    }
}

fn support_row(row: &SupportRow) -> String {
    list(&row.op.name, row.conditions.iter().map(expr))
}

fn for_target(target: &Option<Ident>) -> Option<String> {
    target.as_ref().map(|target| list("for", [target.name.clone()]))
}

fn item(item: &Item) -> String {
    let docs = item.docs.iter().map(|line| format!("/{line}/ ")).collect::<String>();
    docs + &match &item.kind {
        ItemKind::Use(u) => {
            let word = if u.braced { "use-braced" } else { "use" };
            list(word, [names(&u.module), names(&u.names)])
        }
        ItemKind::Const(c) => list("const", [c.name.name.clone(), expr(&c.value)]),
        ItemKind::Block(b) => {
            let word = match b.kind {
                BlockKind::Block => "block",
                BlockKind::Cell => "cell",
            };
            list(word, [b.name.name.clone(), params(&b.params), body(&b.body)])
        }
        ItemKind::Space(s) => {
            let parameters = if s.has_params { params(&s.params) } else { "_".to_owned() };
            let head = [s.name.name.clone(), parameters].into_iter();
            list("space", head.chain(for_target(&s.target)).chain([body(&s.body)]))
        }
        ItemKind::Arch(a) => {
            let head = [a.name.name.clone(), space_ref(&a.space)];
            list("arch", head.into_iter().chain(a.entries.iter().map(entry)))
        }
        ItemKind::Target(t) => {
            let head = [t.name.name.clone()].into_iter();
            list("target", head.chain(t.entries.iter().map(target_entry)))
        }
        ItemKind::Search(s) => {
            let head = [s.name.name.clone(), space_ref(&s.space)].into_iter();
            let head = head.chain(for_target(&s.target));
            list("search", head.chain(s.settings.iter().map(setting)))
        }
        ItemKind::Expect(expect) => list("expect", [expr(&expect.claim)]),
    }
}

fn file(file: &File) -> String {
    file.items.iter().map(item).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(file(&tree(text)), expected, "{text}");
}

#[track_caller]
fn check_expr(text: &str, expected: &str) {
    check(&format!("expect {text}"), &format!("(expect {expected})"));
}

#[test]
fn literals_and_names() {
    check_expr("3_007", "3_007");
    check_expr("35ms", "35ms");
    check_expr("3.2G", "3.2G");
    check_expr("512KiB", "512KiB");
    check_expr("1e-4", "1e-4");
    check_expr("2.5E+3ms", "2.5E+3ms");
    check_expr("true", "true");
    check_expr("false", "false");
    check_expr("trueish", "trueish");
    check_expr("_x9", "_x9");
}

#[test]
fn strings() {
    check_expr(r#""""#, "(text)");
    check_expr(r#""a // b""#, r#"(text "a // b")"#);
    check_expr(r#""k{k}_e{e + 1}""#, r#"(text "k" k "_e" (+ e 1))"#);
    check_expr(r#""a\"b\\c\{d\n}""#, r#"(text "a\"b\\c{d\n}")"#);
    check_expr(r#""{"{f("a")}"}""#, r#"(text (text (call f (text "a"))))"#);
}

#[test]
fn lists_and_tuples() {
    check_expr("[]", "(list)");
    check_expr("[1, [a],]", "(list 1 (list a))");
    check_expr("()", "(tuple)");
    check_expr("(a)", "(paren a)");
    check_expr("(a,)", "(tuple a)");
    check_expr("(a, b,)", "(tuple a b)");
}

#[test]
fn calls_fields_and_indices() {
    check_expr("f()", "(call f)");
    check_expr("f(a, k = 3, b,)", "(call f a (= k 3) b)");
    check_expr("f(a == b)", "(call f (== a b))");
    check_expr("x.shape[0].y", "(field (index (field x shape) 0) y)");
    check_expr("xs[1][2]", "(index (index xs 1) 2)");
    check_expr("f(x).y", "(field (call f x) y)");
    check_expr("[a][0]", "(index (list a) 0)");
    check_expr("if a { b } else { c }.d", "(field (if a (do b) (do c)) d)");
}

#[test]
fn slices() {
    check_expr("xs[1..n][2]", "(index (slice xs 1 n) 2)");
    check_expr("xs[2..]", "(slice xs 2 _)");
    check_expr("xs[..n - 1]", "(slice xs _ (- n 1))");
    check_expr("xs[..]", "(slice xs _ _)");
    check_expr("xs[a + 1..len(xs)]", "(slice xs (+ a 1) (call len xs))");
    check_expr("xs[n..].y[i]", "(index (field (slice xs n _) y) i)");
    check_expr("xs[(0..2)]", "(index xs (paren (.. 0 2)))");
}

#[test]
fn lists_by_comprehension() {
    check_expr("[for i in 0..4 { 2 * i }]", "(list (for (in i (.. 0 4)) (do (* 2 i))))");
    check_expr(
        "[a, for x in b, (y, z) in c { let w = x w + y }, d,]",
        "(list a (for (in x b) (in (y z) c) (do (let w x) (+ w y))) d)",
    );
    check_expr(
        "[for a in [for b in c { b }] { a }]",
        "(list (for (in a (list (for (in b c) (do b)))) (do a)))",
    );
}

#[test]
fn operators_by_precedence() {
    check_expr("a -> b or c", "(-> a (or b c))");
    check_expr("a or b and not c == d", "(or a (and b (Not (== c d))))");
    check_expr("not a and b", "(and (Not a) b)");
    check_expr("a != 0..n + 1", "(!= a (.. 0 (+ n 1)))");
    check_expr("a + b * c - d / e % f", "(- (+ a (* b c)) (% (/ d e) f))");
    check_expr("a ^ b ^ c", "(^ a (^ b c))");
    check_expr("-a ^ b", "(Neg (^ a b))");
    check_expr("a - -b", "(- a (Neg b))");
    check_expr("a * -b + c", "(+ (* a (Neg b)) c)");
    check_expr("a < b", "(< a b)");
    check_expr("a <= b", "(<= a b)");
    check_expr("a > b", "(> a b)");
    check_expr("a >= b", "(>= a b)");
    check_expr("0..3", "(.. 0 3)");
}

#[test]
fn pipelines() {
    check_expr("x -> f -> g(3)", "(-> x f (call g 3))");
    check_expr("(a, b) -> f()", "(-> (tuple a b) (call f))");
    check_expr("x\n  // then\n  -> f", "(-> x f)");
    check_expr("a->b", "(-> a b)");
}

#[test]
fn ifs() {
    check_expr("if a {}", "(if a (do))");
    check_expr(
        "if a == 1 { b } else if c { d } else { let e = f e }",
        "(if (== a 1) (do b) c (do d) (do (let e f) e))",
    );
    check_expr("if if a { b } else { c } { d }", "(if (if a (do b) (do c)) (do d))");
}

#[test]
fn chooses() {
    check_expr(
        "x -> choose op { a: f, b: g(3) }",
        "(-> x (choose op (arm a f) (arm b (call g 3))))",
    );
    check_expr("choose { }", "(choose _)");
    check_expr("choose { a: 1 b: 2 if c d: 3, }", "(choose _ (arm a 1) (arm b 2 c) (arm d 3))");
    check_expr(
        r#"choose { for k in [3, 5], (e, g) in xs { "k{k}": f(e) if g } skip: zero }"#,
        r#"(choose _ (for (in k (list 3 5)) (in (e g) xs) (arm (text "k" k) (call f e) g)) (arm skip zero))"#,
    );
    check_expr(
        r#"choose { "b": if a { 1 } if c }"#,
        r#"(choose _ (arm (text "b") (if a (do 1)) c))"#,
    );
    check_expr(
        "choose { for a in b { for c in d { e: f }, } }",
        "(choose _ (for (in a b) (for (in c d) (arm e f))))",
    );
}

#[test]
fn choices_of_several_and_of_values() {
    check_expr("choose 2 { a: b }", "(choose 2 _ (arm a b))");
    check_expr("choose 2 from { a: b }", "(choose 2 from (arm a b))");
    check_expr("choose 2 (states)", "(choose 2 _ (values (paren states)))");
    check_expr("choose [3, 5]", "(choose _ (values (list 3 5)))");
    check_expr("choose 1_0 k ([3] + xs)", "(choose 1_0 k (values (paren (+ (list 3) xs))))");
    check_expr("elastic [3, 5]", "(elastic _ (values (list 3 5)))");
    check_expr("elastic k (KERNELS)", "(elastic k (values (paren KERNELS)))");
    check_expr("2 * choose k [3, 5] + 1", "(+ (* 2 (choose k (values (list 3 5)))) 1)");
    check_expr("(choose [a, b])[0]", "(index (paren (choose _ (values (list a b)))) 0)");
    check_expr(
        "if choose [a, b] { c } else { d }",
        "(if (choose _ (values (list a b))) (do c) (do d))",
    );
    check(
        "block f(x) { x -> choose op [f, g] [a] }",
        "(block f (params x) (do (-> x (choose op (values (list f g)))) (list a)))",
    );
}

#[test]
fn repeats() {
    check_expr("x -> repeat 3 { f -> g }", "(-> x (repeat 3 _ (do (-> f g))))");
    check_expr(
        "x -> repeat elastic depth [2, 3] as i { f(i) } -> g",
        "(-> x (repeat (elastic depth (values (list 2 3))) i (do (call f i))) g)",
    );
    check_expr("repeat choose { a: 2 } { f }", "(repeat (choose _ (arm a 2)) _ (do f))");
    check_expr("repeat n - 1 as i {}", "(repeat (- n 1) i (do))");
    check_expr("choose { a: repeat 2 { f } if b }", "(choose _ (arm a (repeat 2 _ (do f)) b))");
}

#[test]
fn statements() {
    check(
        "block f(x) { let (a, (b,)) = c var d = 1 d = 2 for i in 0..3, j in x { d = i } d }",
        "(block f (params x) (do (let (a (b)) c) (var d 1) (assign d 2) \
         (for (in i (.. 0 3)) (in j x) (do (assign d i))) d))",
    );
    check("block f(x) { x (a, b) [c] }", "(block f (params x) (do x (tuple a b) (list c)))");
    check("block f(x) { x == 1 y = 2 }", "(block f (params x) (do (== x 1) (assign y 2)))");
}

#[test]
fn uses() {
    check("use std.blocks.{conv, bn,}", "(use-braced (std blocks) (conv bn))");
    check("use std.heads.lr_aspp", "(use (std heads) (lr_aspp))");
    check("use mine.{a}", "(use-braced (mine) (a))");
    check("use mine.a", "(use (mine) (a))");
}

#[test]
fn items() {
    check("const WIDTH = 2 * 8", "(const WIDTH (* 2 8))");
    check("block f() {}", "(block f (params) (do))");
    check("block f(x, k = 3,) { x }", "(block f (params x (= k 3)) (do x))");
    check("cell f(x) { x }", "(cell f (params x) (do x))");
    check("space s {}", "(space s _ (do))");
    check("space s for t {}", "(space s _ (for t) (do))");
    check(
        "space s(n = 3) for t { require macs <= 300M output y = x require n > 2 }",
        "(space s (params (= n 3)) (for t) (do (require (<= macs 300M)) (output y x) (require (> n 2))))",
    );
    check(
        "space s(n = 3) { input x: [3, n] task t(n, a = 1) output y = x -> f }",
        "(space s (params (= n 3)) (do (input x (list 3 n)) (task t n (= a 1)) (output y (-> x f))))",
    );
    check(
        "space s { train output a = x -> f train(w = 0.3,) output b = y train() output c = z }",
        "(space s _ (do (train a (-> x f)) (train (= w 0.3) b y) (train c z)))",
    );
    // `train` is a name where no `output` follows.
    check(
        "space s { let train = f train(x) train -> g train = h }",
        "(space s _ (do (let train f) (call train x) (-> train g) (assign train h)))",
    );
    check(
        "arch a of s { op = [x, y], \"unit.7/op\" = z expect macs == 3 }",
        "(arch a (of s) (label op (list x y)) (path unit.7/op z) (expect (== macs 3)))",
    );
    check("arch a of s(n = 3) {}", "(arch a (of s (args (= n 3))))");
    check("arch a of s() {}", "(arch a (of s (args)))");
    check(
        "search p of s { minimize a + b, maximize -c weights sgd { rate = 0.05 -> 0 cosine, m = 1 } derive {} }",
        "(search p (of s) (minimize (+ a b))(maximize (Neg c)) \
         (weights sgd (= rate (-> 0.05 0) cosine) (= m 1)) (derive _))",
    );
    check("search p of s { a { b = c d = e } }", "(search p (of s) (a _ (= b c) (= d e)))");
    check("search p of s(n = 3) for t {}", "(search p (of s (args (= n 3))) (for t))");
    check("expect s.count == 13 ^ 20", "(expect (== (field s count) (^ 13 20)))");
}

#[test]
fn targets() {
    check("target t {}", "(target t)");
    check(
        r#"target t {
            opset 17 precision int8
            supports { conv(kernel <= 7, groups == 1 or groups == channels,) add, concat resize() }
            latency table "edge_npu.lut.json"
            memory 512KiB
        }"#,
        "(target t (opset 17) (precision int8) \
         (supports (conv (<= kernel 7) (or (== groups 1) (== groups channels))) (add) (concat) (resize)) \
         (latency (text \"edge_npu.lut.json\")) (memory 512KiB))",
    );
    check("target t { supports {} supportsome 3 }", "(target t (supports) (supportsome 3))");
}

/// The words of a `target` are names elsewhere.
#[test]
fn words_of_a_target_are_not_reserved() {
    check(
        "block supports(latency, table) { let opset = latency opset + table }",
        "(block supports (params latency table) (do (let opset latency) (+ opset table)))",
    );
}

#[test]
fn items_need_no_line_of_their_own() {
    check(
        "const a = b const c = d block e() {}",
        "(const a b)\n(const c d)\n(block e (params) (do))",
    );
}

#[test]
fn documentation_belongs_to_the_item_below() {
    let text =
        "//! File.\n//!\n//! More.\n/// A.\nconst a = 1 // no doc\n///B\n\n///  C\nconst b = 2\n";
    let file = tree(text);
    assert_eq!(file.docs, ["File.", "", "More."]);
    assert_eq!(file.items[0].docs, ["A."]);
    assert_eq!(file.items[1].docs, ["B", " C"]);
    check(
        "block f(x) { /// no doc\n x }\n/// Doc.\nexpect a",
        "(block f (params x) (do x))\n/Doc./ (expect a)",
    );
    check("expect if a { b }\n/// Doc.\nexpect c", "(expect (if a (do b)))\n/Doc./ (expect c)");
}

#[test]
fn files_without_items() {
    for text in ["", "\n", " \t\r\n", "// only a comment", "\u{feff}", "\u{feff}// x\n"] {
        check(text, "");
    }
    assert_eq!(tree("//! Only docs").docs, ["Only docs"]);
}

#[test]
fn a_byte_order_mark_is_skipped_and_counted() {
    let file = tree("\u{feff}const a = 1");
    assert_eq!(file.items[0].span, Span { start: 3, end: 14 });
    assert_eq!(tree("\u{feff}//! Doc\n").docs, ["Doc"]);
}

#[test]
fn carriage_returns_are_white_space() {
    let text = common::SQUEEZENAS;
    let windows = text.replace('\n', "\r\n");
    assert_eq!(common::without_spans(&tree(&windows)), common::without_spans(&tree(text)));
}

#[test]
fn the_example_of_the_language() {
    let tree = tree(common::SQUEEZENAS);
    assert_eq!(tree.docs.len(), 1);
    let kinds: Vec<_> = tree.items.iter().map(|item| item.docs.len()).collect();
    assert_eq!(kinds, [0, 0, 1, 1, 0, 1, 0]);
}

/// Every span ends with the last token of what it stands for.
#[test]
fn spans_hold_no_white_space_and_no_comments() {
    let text = "/// Doc.\nblock f(x) { // a\n  let y = if x { 1 } // b\n  y // c\n  f(k = 3 ) // d\n} // e\n\
                const c = 1 // f\narch a of s { op = [a] , // g\n expect 1 // h\n}\nsearch p of s { minimize a // i\n\
                b { c = 1 } // j\n}\nexpect if a { b } // k\n\
                cell g(x) { x[1.. ] // l\n repeat n // m\n as i // n\n { choose // o\n a // p\n [b ] // q\n } }\n\
                target t { a 1 // r\n supports { b , // s\n c( d ) // t\n } latency table \"e\" // u\n}\n\
                space s // v\n for t // w\n { require [for a in b { a } // x\n ] // y\n }";
    let file = parse(&Source::new("test.nas", text)).file;
    let debug = format!("{file:?}");
    let spans = debug.split("Span { start: ").skip(1).map(|rest| {
        let numbers: Vec<usize> = rest
            .split(|c: char| !c.is_ascii_digit())
            .filter(|number| !number.is_empty())
            .take(2)
            .map(|number| number.parse().unwrap())
            .collect();
        &text[numbers[0]..numbers[1]]
    });
    for spanned in spans {
        let last = spanned.lines().last().unwrap();
        assert!(!last.contains("//") && spanned.trim() == spanned, "{spanned:?}");
    }
    assert_eq!(&text[file.items[1].span.range()], "const c = 1");
}
