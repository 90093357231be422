//! The line counts that shipped spaces state beside those of public Python.
//!
//! A line of code is not empty, no comment and, in Python, no docstring. Of ours count the file and
//! the files beside it that it uses, of a Python file the classes, functions and tables that are
//! named, whole. The standard library does not count, nor what the Python imports.
#![allow(clippy::unwrap_used, reason = "functions that only tests use")]

use std::fs;
use std::path::Path;

/// What nobody has published as Python or only with its benchmark, and a part of other spaces.
const WITHOUT: [&str; 7] = [
    "autonac",
    "fbnetv2",
    "garments_demo",
    "landcover_demo",
    "nasbench_macro",
    "scenes_demo",
    "squeezenas_units",
];

#[test]
fn spaces_have_the_lines_that_they_state() {
    let mut without = Vec::new();
    for entry in fs::read_dir(nas_spaces::shipped()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "nas") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let header = text.lines().find_map(|line| line.split_once(" lines of code"));
        let Some((ours, python)) = header else {
            let name = path.file_stem().unwrap().to_str().unwrap();
            // A recipe is no space.
            without.extend((!name.ends_with("_search")).then(|| name.to_owned()));
            continue;
        };
        let ours: usize = ours.trim_start_matches("//! ").parse().unwrap();
        let (_, python) = python.split_once("; ").unwrap();
        let python: usize = python.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(lines_of_code(&path), ours, "{}", path.display());
        assert!(ours < python, "{}", path.display());
    }
    without.sort_unstable();
    assert_eq!(without, WITHOUT);
}

/// The lines of a file and of the files beside it that it uses.
fn lines_of_code(path: &Path) -> usize {
    let text = fs::read_to_string(path).unwrap();
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    let used = text.lines().filter_map(|line| line.strip_prefix("use ")?.split_once('.'));
    let beside = used.filter(|&(module, _)| module != "std");
    let beside =
        beside.map(|(module, _)| lines_of_code(&path.with_file_name(module).with_extension("nas")));
    text.lines().filter(is_code).count() + beside.sum::<usize>()
}
