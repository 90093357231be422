//! The programs of the language's design compile as written, with their counts.

use std::path::Path;

use nas_grammar::Source;

/// A program that stands among the grammar's tests: what its `expect` says holds.
fn accepted(name: &str, warnings: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grammar/tests").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text.contains("\nexpect "), "{} claims nothing", path.display());
    let ((), problems) =
        nas_testing::compile(Source::new(name, text), |_, compiler| drop(compiler.check_all()));
    assert_eq!(problems, warnings, "{name}");
}

#[test]
fn darts() {
    accepted("darts.nas", &["loop variable `n` is never used"]);
}

#[test]
fn once_for_all() {
    accepted("ofa.nas", &[]);
}
