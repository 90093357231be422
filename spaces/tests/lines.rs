//! The line counts that shipped spaces state beside those of public Python.
//!
//! A line of code is not empty, no comment and, in Python, no docstring; of a Python file count the
//! classes, functions and tables that are named, whole.
#![allow(clippy::unwrap_used, reason = "functions that only tests use")]

use std::fs;

#[test]
fn spaces_have_the_lines_that_they_state() {
    let mut stated = Vec::new();
    for entry in fs::read_dir(nas_spaces::shipped()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "nas") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let header = text.lines().find_map(|line| line.split_once(" lines of code; "));
        let Some((lines, python)) = header else { continue };
        let lines: usize = lines.trim_start_matches("//! ").parse().unwrap();
        let python: usize = python.split(' ').next().unwrap().parse().unwrap();
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        assert_eq!(text.lines().filter(is_code).count(), lines, "{}", path.display());
        assert!(lines < python, "{}", path.display());
        stated.push(path);
    }
    assert!(stated.len() > 10, "{stated:?}");
}
