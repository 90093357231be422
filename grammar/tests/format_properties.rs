//! The formatter on generated files: the tree and the comments stay, formatting twice is
//! formatting once.

mod common;

use proptest::collection::vec;
use proptest::prelude::*;

use common::checked_layout;

/// A token and whether it must touch the one before it.
type Token = (String, bool);
type Tokens = Vec<Token>;

fn words(text: &str) -> Tokens {
    text.split_whitespace().map(|word| (word.to_owned(), false)).collect()
}

fn glued(text: &str) -> Tokens {
    vec![(text.to_owned(), true)]
}

fn join(parts: impl IntoIterator<Item = Tokens>) -> Tokens {
    parts.into_iter().flatten().collect()
}

fn separated(parts: Vec<Tokens>, separator: &str) -> Tokens {
    let separator = words(separator);
    let mut all = Tokens::new();
    for (i, part) in parts.into_iter().enumerate() {
        if i > 0 {
            all.extend(separator.clone());
        }
        all.extend(part);
    }
    all
}

fn one_of(names: &'static [&'static str]) -> impl Strategy<Value = Tokens> + Clone {
    proptest::sample::select(names).prop_map(words)
}

fn name() -> impl Strategy<Value = Tokens> + Clone {
    one_of(&[
        "x",
        "kernel_size",
        "a_name_that_takes_up_a_good_part_of_the_line",
        "k3_e6",
        "channels",
    ])
}

fn leaf() -> impl Strategy<Value = Tokens> {
    let texts = &["3", "0.25", "512KiB", "true", "\"text\"", "\"a\\\"b\\\\\\{\"", "\"k{k}_e{e}\""];
    prop_oneof![name(), one_of(texts)]
}

fn expr() -> impl Strategy<Value = Tokens> + Clone {
    leaf().prop_recursive(6, 100, 6, |inner| {
        let inner = inner.boxed();
        let list = vec(element(inner.clone()), 0..5)
            .prop_map(|parts| join([words("["), separated(parts, ","), words("]")]));
        let tuple = vec(inner.clone(), 0..4).prop_map(|parts| {
            let comma = if parts.len() == 1 { words(",") } else { Tokens::new() };
            join([words("("), separated(parts, ","), comma, words(")")])
        });
        let paren = inner.clone().prop_map(|e| join([words("("), e, words(")")]));
        let index = (name(), inner.clone())
            .prop_map(|(x, i)| join([x, glued("["), i, words("]"), glued("."), glued("shape")]));
        let bound = || proptest::option::of(inner.clone()).prop_map(Option::unwrap_or_default);
        let slice = (name(), bound(), bound())
            .prop_map(|(x, a, b)| join([x, glued("["), a, words(".."), b, words("]")]));
        let unary = (one_of(&["-", "not"]), inner.clone()).prop_map(|(op, e)| join([op, e]));
        let operators = &["+", "*", "->", "->", "and", "==", "..", "^"];
        let chain = (inner.clone(), vec((one_of(operators), inner.clone()), 1..4))
            .prop_map(|(e, rest)| join([e, join(rest.into_iter().map(|(op, e)| join([op, e])))]));
        prop_oneof![
            list,
            tuple,
            paren,
            index,
            slice,
            unary,
            chain,
            call(inner.clone()),
            if_expr(inner.clone()),
            choose(inner.clone()),
            choose_values(inner.clone()),
            repeat(inner)
        ]
    })
}

fn element(inner: BoxedStrategy<Tokens>) -> BoxedStrategy<Tokens> {
    let looped = (inner.clone(), body(inner.clone()))
        .prop_map(|(list, body)| join([words("for ( i , j ) in x , k in"), list, body]));
    prop_oneof![4 => inner, 1 => looped].boxed()
}

fn call(inner: BoxedStrategy<Tokens>) -> impl Strategy<Value = Tokens> {
    let named = (name(), inner.clone()).prop_map(|(n, e)| join([n, words("="), e]));
    let args = vec(prop_oneof![inner, named], 0..5);
    (name(), args).prop_map(|(f, args)| join([f, glued("("), separated(args, ","), words(")")]))
}

fn statement(inner: BoxedStrategy<Tokens>) -> BoxedStrategy<Tokens> {
    let bind = one_of(&["let x =", "var (a, (b, c)) =", "x ="]);
    let bound = (bind, inner.clone()).prop_map(|(head, e)| join([head, e]));
    let loops = (inner.clone(), inner.clone())
        .prop_map(|(list, e)| join([words("for ( i , j ) in"), list, words("{"), e, words("}")]));
    prop_oneof![inner, bound, loops].boxed()
}

fn body(inner: BoxedStrategy<Tokens>) -> impl Strategy<Value = Tokens> {
    vec(statement(inner), 0..3).prop_map(|body| join([words("{"), join(body), words("}")]))
}

fn if_expr(inner: BoxedStrategy<Tokens>) -> impl Strategy<Value = Tokens> {
    let branch = (inner.clone(), body(inner.clone())).prop_map(|(c, b)| join([words("if"), c, b]));
    (vec(branch, 1..4), proptest::option::of(body(inner))).prop_map(|(branches, otherwise)| {
        let otherwise = otherwise.map(|body| join([words("else"), body]));
        join([separated(branches, "else"), otherwise.unwrap_or_default()])
    })
}

fn choose(inner: BoxedStrategy<Tokens>) -> impl Strategy<Value = Tokens> {
    let key = one_of(&["skip", "\"k{k}_{e + 1}\"", "b"]);
    let end = one_of(&["", "", ",", "if stride == 1", "if stride == 1 ,"]);
    let arm = (key, inner.clone(), end).prop_map(|(key, e, end)| join([key, words(":"), e, end]));
    let arms = vec(arm, 0..4).prop_map(join);
    let looped = (inner, arms.clone())
        .prop_map(|(list, arms)| join([words("for k in"), list, words("{"), arms, words("}")]));
    let head = one_of(&["choose {", "choose op {", "choose 2 {", "choose 2 from {"]);
    (head, arms, proptest::option::of(looped))
        .prop_map(|(head, arms, looped)| join([head, arms, looped.unwrap_or_default(), words("}")]))
}

fn choose_values(inner: BoxedStrategy<Tokens>) -> impl Strategy<Value = Tokens> {
    let head = one_of(&["choose", "choose k", "choose 2", "choose 2 k", "elastic", "elastic k"]);
    let list = vec(inner.clone(), 0..4)
        .prop_map(|values| join([words("["), separated(values, ","), words("]")]));
    let paren = inner.prop_map(|value| join([words("("), value, words(")")]));
    (head, prop_oneof![list, paren]).prop_map(|(head, values)| join([head, values]))
}

fn repeat(inner: BoxedStrategy<Tokens>) -> impl Strategy<Value = Tokens> {
    let index = one_of(&["", "as i"]);
    (inner.clone(), index, body(inner))
        .prop_map(|(depth, index, body)| join([words("repeat"), depth, index, body]))
}

fn target() -> impl Strategy<Value = Tokens> {
    let conditions =
        vec(expr(), 1..3).prop_map(|c| join([glued("("), separated(c, ","), words(")")]));
    let row = (name(), proptest::option::of(conditions), one_of(&["", ","]))
        .prop_map(|(op, conditions, end)| join([op, conditions.unwrap_or_default(), end]));
    let supports =
        vec(row, 0..8).prop_map(|rows| join([words("supports {"), join(rows), words("}")]));
    let setting = expr().prop_map(|value| join([words("memory"), value]));
    let latency = Just(words("latency table \"a.json\""));
    let entries = vec(prop_oneof![supports, setting, latency], 0..4);
    entries.prop_map(|entries| join([words("target t {"), join(entries), words("}")]))
}

fn item() -> impl Strategy<Value = Tokens> {
    let expr = || expr().boxed();
    let module = |names: &str| {
        join([words("use std"), glued("."), glued("blocks"), glued("."), glued(names)])
    };
    let braces = join([module("{"), words("conv , bn , }")]);
    let simple = (one_of(&["const WIDTH =", "expect"]), expr()).prop_map(|(w, e)| join([w, e]));
    let block =
        (one_of(&["block", "cell"]), expr(), body(expr())).prop_map(|(word, default, body)| {
            join([word, words("unit ( x , out , stride ="), default, words(")"), body])
        });
    let for_target = || one_of(&["", "for t"]);
    let space =
        (for_target(), vec(statement(expr()), 0..3), expr()).prop_map(|(target, body, claim)| {
            let input = words("{ input image : [ 3 , 8 ] task segmentation");
            let rest = join([words("require"), claim, words("output y = x }")]);
            let args = join([glued("("), words("classes )")]);
            join([words("space tiny"), target, input, args, join(body), rest])
        });
    let arch = (expr(), expr()).prop_map(|(value, claim)| {
        let head = join([words("arch a of tiny"), glued("("), words("width = 3 ) { op =")]);
        join([head, value, words("\"path/of/one\" = k3 expect"), claim, words("}")])
    });
    let search = (for_target(), expr(), expr()).prop_map(|(target, measure, value)| {
        let fields = words("weights sgd { rate = 0.05 -> 0 cosine , momentum =");
        let rest = words("decay = 1e-4 } derive { } }");
        let head = join([words("search s of tiny"), target, words("{ minimize")]);
        join([head, measure, fields, value, rest])
    });
    let uses = prop_oneof![Just(module("conv")), Just(braces)];
    prop_oneof![uses, simple, block, space, arch, target(), search]
}

/// The tokens as text; `gaps` says what stands between them.
fn text(tokens: &[Token], gaps: &[u8]) -> String {
    let mut text = String::new();
    for (i, ((token, is_glued), gap)) in tokens.iter().zip(gaps.iter().cycle()).enumerate() {
        if !is_glued {
            text += &match gap {
                0 => "\n".to_owned(),
                1 => "\n\n\n\t".to_owned(),
                2 => format!(" // c{i}\n"),
                3 => format!("\r\n  //c{i} \r\n\r\n"),
                4 => format!(" /// c{i}\n"),
                _ => " ".to_owned(),
            };
        }
        text += token;
    }
    text
}

fn file(gaps: std::ops::Range<u8>) -> impl Strategy<Value = String> {
    (vec(item(), 0..5), vec(gaps, 1..200)).prop_map(|(items, gaps)| text(&join(items), &gaps))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn layout_keeps_tree_and_comments(file in file(0..5)) {
        checked_layout(&file);
    }

    #[test]
    fn layout_of_sparsely_commented_files(file in file(0..40)) {
        checked_layout(&file);
    }

    #[test]
    fn layout_of_one_line(file in file(9..10)) {
        checked_layout(&file);
    }
}
