//! What the tests of the grammar share.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "only tests use it"
)]

use nas_grammar::ast::File;
use nas_grammar::format::format;
use nas_grammar::{Source, parse};

/// The first example of the language's description: the SqueezeNAS-Small space.
pub(crate) const SQUEEZENAS: &str = include_str!("squeezenas.nas");

/// The tree of a text that must parse.
pub(crate) fn tree(text: &str) -> File {
    let parsed = parse(&Source::new("test.nas", text));
    let problems: Vec<String> = parsed.problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{problems:?} in\n{text}");
    parsed.file
}

/// A tree as text, without the places of things.
pub(crate) fn without_spans(file: &File) -> String {
    let debug = format!("{file:?}");
    let mut parts = debug.split("Span { start: ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text += part.split_once('}').map_or("", |(_, rest)| rest);
    }
    text
}

/// The text in its canonical layout; it must parse.
pub(crate) fn formatted(text: &str) -> String {
    format(&Source::new("test.nas", text)).unwrap_or_else(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{problems:?} in\n{text}")
    })
}

/// The comments of a text whose strings hold no `//`, sorted.
pub(crate) fn comments(text: &str) -> Vec<&str> {
    let mut comments: Vec<&str> =
        text.lines().filter_map(|line| Some(line[line.find("//")?..].trim_end())).collect();
    comments.sort_unstable();
    comments
}

/// The canonical layout, after checking what must hold of every layout.
pub(crate) fn checked_layout(text: &str) -> String {
    let once = formatted(text);
    assert_eq!(comments(&once), comments(text), "comments of\n{text}\nbecame\n{once}");
    assert_eq!(
        without_spans(&tree(&once)),
        without_spans(&tree(text)),
        "the tree of\n{text}\nbecame that of\n{once}"
    );
    let twice = formatted(&once);
    assert_eq!(twice, once, "formatted once:\n{once}\nand twice:\n{twice}\nfrom\n{text}");
    once
}

/// Runs a test with the stack of a thread, which is smaller than that of `main`.
pub(crate) fn on_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap();
    assert!(thread.join().is_ok(), "the test on the small stack failed");
}
