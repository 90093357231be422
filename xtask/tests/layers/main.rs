//! The ground plan, held against the code: imports between crates point down, and no modules of a
//! crate import each other in a circle.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "only tests use it"
)]

mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use modules::Modules;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use serde_json::Value;

/// For each crate, the crates of ours that it may import, tests aside. Each stands below the crates
/// that import it.
const MAY_IMPORT: [(&str, &[&str]); 24] = [
    ("nas-files", &[]),
    ("nas-grammar", &[]),
    ("nas-spaces", &[]),
    ("nas-data", &["nas-files"]),
    ("nas-kernels", &[]),
    ("nas-autograd", &[]),
    ("nas-cuda", &[]),
    ("nas-diagnostics", &["nas-grammar"]),
    ("nas-ir", &["nas-grammar", "nas-diagnostics"]),
    ("nas-passes", &["nas-diagnostics", "nas-ir"]),
    ("nas-quantise", &["nas-ir"]),
    ("nas-definitions", &["nas-ir"]),
    ("nas-analysis", &["nas-diagnostics", "nas-ir", "nas-passes"]),
    ("nas-frontend", &["nas-grammar", "nas-diagnostics", "nas-ir", "nas-passes", "nas-analysis"]),
    ("nas-safetensors", &["nas-ir"]),
    (
        "nas-search",
        &[
            "nas-files",
            "nas-grammar",
            "nas-diagnostics",
            "nas-ir",
            "nas-passes",
            "nas-analysis",
            "nas-safetensors",
        ],
    ),
    ("nas-onnx", &["nas-ir", "nas-passes"]),
    ("nas-onnx-read", &["nas-ir"]),
    ("nas-pytorch", &["nas-ir"]),
    ("nas-tract", &["nas-ir", "nas-passes"]),
    (
        "nas-torch",
        &[
            "nas-grammar",
            "nas-ir",
            "nas-passes",
            "nas-analysis",
            "nas-data",
            "nas-search",
            "nas-kernels",
            "nas-autograd",
            "nas-cuda",
        ],
    ),
    ("nas-cases", &["nas-ir", "nas-definitions"]),
    (
        "nas-testing",
        &[
            "nas-grammar",
            "nas-spaces",
            "nas-diagnostics",
            "nas-ir",
            "nas-passes",
            "nas-analysis",
            "nas-frontend",
            "nas-search",
        ],
    ),
    ("xtask", &[]),
];

/// Crates that may import all of the above.
const ABOVE_ALL: [&str; 2] = ["nasc", "nas-tests"];

/// A crate of the workspace.
struct Package {
    name: String,
    /// The folders of `lib.rs` and of each executable.
    sources: BTreeSet<PathBuf>,
    /// Our crates that it depends on, tests aside.
    dependencies: BTreeSet<String>,
}

fn packages() -> Vec<Package> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<&str> = packages.iter().map(|p| p["name"].as_str().unwrap()).collect();
    packages.iter().map(|package| read(package, &names)).collect()
}

fn read(package: &Value, ours: &BTreeSet<&str>) -> Package {
    let targets = package["targets"].as_array().unwrap().iter();
    let is_shipped = |target: &&Value| {
        let mut kinds = target["kind"].as_array().unwrap().iter();
        kinds.any(|kind| kind == "lib" || kind == "bin")
    };
    let folder = |target: &Value| {
        Path::new(target["src_path"].as_str().unwrap()).parent().unwrap().to_path_buf()
    };
    let sources = targets.filter(is_shipped).map(folder).collect();
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    let dependencies = dependencies
        .filter(|dependency| dependency["kind"] != "dev")
        .map(|dependency| dependency["name"].as_str().unwrap())
        .filter(|name| ours.contains(name))
        .map(str::to_owned)
        .collect();
    Package { name: package["name"].as_str().unwrap().to_owned(), sources, dependencies }
}

#[test]
fn imports_between_crates_point_down() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.into_iter().collect();
    let mut wrong = Vec::new();
    for Package { name, sources, dependencies } in packages() {
        if ABOVE_ALL.contains(&name.as_str()) {
            continue;
        }
        let Some(may) = allowed.get(name.as_str()) else {
            wrong.push(format!("{name} is no crate of the ground plan: give it a place in it"));
            continue;
        };
        let is_up = |other: &String| !may.contains(&other.as_str());
        wrong.extend(
            dependencies.iter().filter(|other| is_up(other)).map(|d| format!("{name} needs {d}")),
        );
        let written = sources.iter().flat_map(|source| Modules::below(source).crates());
        let written: BTreeSet<String> = written.map(|name| name.replace('_', "-")).collect();
        wrong.extend(
            written
                .iter()
                .filter(|other| other.starts_with("nas-") && **other != name && is_up(other))
                .map(|other| format!("{name} imports {other}")),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The order of the plan itself has no circle.
#[test]
fn the_plan_points_down() {
    for (index, (name, may)) in MAY_IMPORT.iter().enumerate() {
        let below = &MAY_IMPORT[..index];
        for other in *may {
            assert!(below.iter().any(|(known, _)| known == other), "{name} stands below {other}");
        }
    }
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let mut circles = Vec::new();
    let folders = packages().into_iter().flat_map(|Package { name, sources, .. }| {
        sources.into_iter().map(move |source| (name.clone(), source))
    });
    for (name, source) in folders {
        let imports = Modules::below(&source).imports();
        let mut graph: DiGraphMap<&str, ()> = DiGraphMap::new();
        for (from, to) in imports.keys() {
            graph.add_edge(from, to, ());
        }
        for circle in tarjan_scc(&graph).into_iter().filter(|circle| circle.len() > 1) {
            let within = imports.iter().filter(|((from, to), _)| {
                circle.contains(&from.as_str()) && circle.contains(&to.as_str())
            });
            let lines = within.map(|((from, to), names)| {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                format!("\n    {from} -> {to}: {}", names.join(", "))
            });
            circles.push(format!("{name}: a circle{}", lines.collect::<String>()));
        }
    }
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}
