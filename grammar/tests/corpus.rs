//! The formatter on every file of the repository.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::path::{Path, PathBuf};

use nas_grammar::Source;
use nas_grammar::format::format;

/// The `.nas` files in a folder and its folders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "nas")).collect()
}

fn of(folder: &str) -> Vec<PathBuf> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder))
}

/// What stands in comments, in alphabetical order: the formatter may move one.
fn comments(text: &str) -> Vec<&str> {
    let comments = text.lines().filter_map(|line| line.split_once("//"));
    let mut comments: Vec<&str> = comments.map(|(_, comment)| comment.trim()).collect();
    comments.sort_unstable();
    comments
}

fn formatted(text: &str) -> Option<String> {
    format(&Source::new("corpus.nas", text)).ok()
}

#[test]
fn formatting_twice_is_formatting_once_and_keeps_comments() {
    let mut formattable = 0;
    for path in of("tests/ui").into_iter().chain(of("spaces")) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Some(once) = formatted(&text) else { continue };
        let path = path.display();
        assert_eq!(formatted(&once).as_deref(), Some(once.as_str()), "{path}");
        assert_eq!(comments(&once), comments(&text), "{path}");
        formattable += 1;
    }
    assert!(formattable > 200, "only {formattable} files can be formatted");
}

#[test]
fn the_shipped_files_are_in_canonical_layout() {
    for path in of("spaces") {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(formatted(&text).as_deref(), Some(text.as_str()), "{}", path.display());
    }
}
