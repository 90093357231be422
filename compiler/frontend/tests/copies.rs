//! Instances of a block with the same arguments are copies of the first one, and nobody can tell.
//! The oracle: a parameter that means nothing, `_n`, with another value in each instance, for then
//! each is elaborated.

use nas_grammar::Source;
use nas_grammar::ast::Span;
use nas_ir::Node;
use nas_ir::text::print;

/// Blocks, and the body of a loop that makes a map of 8 channels, `x`, from the one before. `NEXT`
/// is a value of `_n`.
const PROGRAMS: &[(&str, &str)] = &[
    // Blocks in blocks, tuples, lists, defaults.
    (
        "block inner(x, c, _n) { x -> conv(c, kernel = 1) -> relu }
         block pair(x, cs, _n, groups = cs[0] / 4) {
             var y = x
             for c in cs { y = y -> inner(c, NEXT) }
             (y -> conv(8, kernel = 3, groups = groups), x -> inner(8, NEXT))
         }",
        "let (a, b) = x -> pair([8, 16, 8], NEXT)
         x = a + b",
    ),
    // Decisions of each instance.
    (
        "block unit(x, _n) { x -> choose op { a: relu  b: conv(8, kernel = 3) } }
         block two(x, _n) { x -> unit(NEXT) -> unit(NEXT) }",
        "x = x -> two(NEXT)",
    ),
    // Decisions of all instances, each place in the cell its own.
    (
        "block unit(x, _n) { x -> choose op { a: relu  b: conv(8, kernel = 3) } }
         cell two(x, _n) { x -> unit(NEXT) -> unit(NEXT) -> conv(choose [4, 8], kernel = 1) }
         block stage(x, _n) { x -> two(NEXT) -> conv(8, kernel = 1) }",
        "x = x -> stage(NEXT) -> two(NEXT) -> conv(8, kernel = 1)",
    ),
    // A cell whose own decision says in which networks other instances of it exist.
    (
        "cell wide(x, _n) {
             let y = x -> conv(choose [4, 8], kernel = 1)
             y -> conv(y.channels, kernel = 3)
         }",
        "let y = x -> wide(NEXT)
         let z = if y.channels == 8 { x -> wide(NEXT) } else { x -> wide(NEXT) -> relu }
         x = y + z -> conv(8, kernel = 1)",
    ),
    // A shape that a decision makes, where all of it exists and where some of it does.
    (
        "block narrow(x, _n) { x -> conv(x.channels, kernel = 3) -> relu }",
        "let y = x -> conv(elastic width [4, 8], kernel = 1)
         let a = y -> narrow(NEXT) -> narrow(NEXT)
         let b = if y.channels == 8 { y -> narrow(NEXT) } else { y -> narrow(NEXT) -> relu }
         x = a + b -> conv(8, kernel = 1)",
    ),
    // Loose ends of states made inside, and of states given.
    (
        "cell states(x, _n) {
             var all = [x, x -> relu]
             for _i in 0..2 { all = all + [(choose from (all)) -> relu] }
             concat(loose_ends(all[1..]) + [x]) -> conv(8, kernel = 1)
         }
         block ends(a, b, _n) { sum(loose_ends([a, b])) }",
        "let y = x -> states(NEXT)
         let (a, b) = (x -> relu, y -> relu)
         x = ((a, b) -> ends(NEXT)) + ((x, a) -> ends(NEXT)) + ((x, y) -> ends(NEXT))",
    ),
    // A list that depends on decisions as a whole.
    (
        "cell picks(x, _n) {
             let (a, b) = (x -> relu, x -> tanh)
             loose_ends([a, b, (choose one ([a, b])) -> relu])
         }",
        "x = concat(x -> picks(NEXT)) -> conv(8, kernel = 1)",
    ),
    // The same tensor twice, or two of one shape.
    (
        "block twice(a, b, _n) { if a == b { a -> relu } else { a + b } }",
        "let y = x -> relu
         x = ((x, x) -> twice(NEXT)) + ((x, y) -> twice(NEXT)) + ((y, y) -> twice(NEXT))",
    ),
    // A tensor that nobody reads, in the block or outside of it.
    (
        "block first(a, b, _n) { a -> relu }
         block drop(x, _n) {
             let y = x -> relu
             x -> tanh
         }",
        "let y = x -> sigmoid
         x = (x, y) -> first(NEXT) -> drop(NEXT)",
    ),
];

/// The values of `_n`.
#[derive(Clone, Copy)]
enum Next {
    Same,
    Other,
}

/// What is to be seen of a space: its text, and for each node the way to where it was written.
type Seen = (String, Vec<Vec<Span>>);

/// The space of a program, and the titles of the problems.
fn seen(blocks: &str, body: &str, next: Next) -> (Option<Seen>, Vec<String>) {
    let text = format!(
        "{blocks}
         space s {{
             input image: [8, 16, 16]
             var x = image
             for _n in 0..4 {{
                 {body}
             }}
             output y = x
         }}"
    );
    let parts = text.split("NEXT").enumerate().map(|(place, part)| match (place, next) {
        (0, _) => part.to_owned(),
        (_, Next::Same) => format!("00 * _n + 00{part}"),
        (place, Next::Other) => format!("20 * _n + {place:02}{part}"),
    });
    nas_testing::compile(Source::new("copies.nas", parts.collect::<String>()), |_, compiler| {
        let space = compiler.space("s", &[])?;
        let way =
            |node: &Node| space.origins.chain(node.origin).iter().map(|(_, at)| *at).collect();
        let ways = space.graph.nodes().map(|(_, node)| way(node)).collect();
        Some((print(&space), ways))
    })
}

#[test]
fn copies_are_like_any_other_instance() {
    for (blocks, body) in PROGRAMS {
        let (copied, other) = (seen(blocks, body, Next::Same), seen(blocks, body, Next::Other));
        assert!(copied.0.is_some(), "{:?} in {blocks}\n{body}", copied.1);
        assert_eq!(copied, other, "{blocks}\n{body}");
    }
}

#[test]
fn a_copy_does_not_hide_recursion() {
    let blocks = "block a(x, deep) { if deep { x -> b } else { x -> relu } }
                  block b(x) { x -> a(false) }";
    let (_, problems) = seen(blocks, "x = x -> b -> a(true)", Next::Same);
    assert!(problems.iter().any(|title| title == "block `a` instantiates itself"), "{problems:?}");
}
