//! Networks whose scores are known: searched, and held against a result.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bench::{Bench, TINY};
use crate::training::bench;

#[test]
fn a_result_is_held_against_other_networks() {
    let bench = bench();
    bench.nasc("search tiny.nas --out run --baseline none.jsonl").fails(1, &["none.jsonl: "]);
    assert!(!bench.path("run").exists(), "that is known before anything is trained");
    bench.nasc("search tiny.nas --out run").done();
    bench.nasc("runs export run --format jsonl -o tried.jsonl").done();
    let tried = bench.read("tried.jsonl");
    let count = tried.iter().filter(|&&byte| byte == b'\n').count();
    let drawn = || String::from_utf8(bench.read("run/report.svg")).unwrap();
    let legend = "none was drawn at random: there is no baseline";
    assert!(drawn().contains(legend));
    let table = bench.nasc("search tiny.nas --out run --resume --baseline tried.jsonl").done();
    let row = table.lines().find(|line| line.starts_with("beside tried.jsonl "));
    assert!(row.is_some_and(|row| row.contains(&format!(" {count} networks, mIoU "))), "{table}");
    assert!(!drawn().contains(legend));
    let other = String::from_utf8(tried).unwrap().replace("\"miou\":", "\"accuracy_of_another\":");
    bench.write("other.jsonl", other);
    bench
        .nasc("search tiny.nas --out run --resume --baseline other.jsonl")
        .fails(1, &["other.jsonl"]);
}

/// The table of truth holds every network of its space, with what it costs.
#[test]
fn the_truth_about_garments_is_searched() {
    let bench = Bench::new();
    let truth = Path::new(env!("CARGO_MANIFEST_DIR")).join("truth");
    for file in ["garments.nas", "garments.jsonl"] {
        fs::copy(truth.join(file), bench.path(file)).unwrap();
    }
    let few = "search garments.nas --recipe known --set derive.sample=5 --out few --baseline garments.jsonl";
    let table = bench.nasc(few).done();
    let row = "243 networks, accuracy 0.644 to 0.873, mean 0.854; ";
    assert!(
        table.lines().any(|line| line.starts_with("beside garments.jsonl ") && line.contains(row))
    );
    let source = String::from_utf8(bench.read("garments.nas")).unwrap();
    bench.write("garments.nas", source.replace("strategy bayesian {}", "strategy grid {}"));
    let source = String::from_utf8(bench.read("garments.nas")).unwrap();
    bench.write("garments.nas", source.replace("    derive { sample = 40 }\n", ""));
    bench.nasc("search garments.nas --recipe known --out all").done();
    let lines = |file: &str| -> Vec<Value> {
        let text = String::from_utf8(bench.read(file)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    bench.nasc("runs export all --format jsonl -o all.jsonl").done();
    let (known, found) = (lines("garments.jsonl"), lines("all.jsonl"));
    assert_eq!((known.len(), found.len()), (243, 243));
    for (known, found) in known.iter().zip(&found) {
        assert_eq!(known["choices"], found["choices"]);
        assert_eq!(known["cost"], found["cost"]);
        assert_eq!(known["score"]["accuracy"], found["score"]["accuracy"]);
    }
}

#[test]
fn known_scores_are_searched_without_data_and_without_training() {
    let bench = Bench::new();
    let (space, _) = TINY.split_once("search quick").unwrap();
    let recipe = "search known of tiny {\n    strategy local_search {}\n    \
                  score { by = table, table = \"known.jsonl\" }\n    derive { sample = 3, keep = 2 }\n}\n";
    // Nothing is trained, so that it need be for no task.
    let space = space.replace("    task segmentation(classes, ignore = 255)\n", "");
    bench.write("known.nas", format!("{space}{recipe}"));
    bench.nasc("check known.nas").done();
    let search = |rest: &str| bench.nasc(&format!("search known.nas --out run {rest}"));
    search("").fails(1, &["known.jsonl"]);
    let mut lines = String::new();
    for (n, (a, b)) in
        [("small", "small"), ("small", "large"), ("large", "small")].iter().enumerate()
    {
        lines += &format!(
            "{{\"choices\": {{\"unit.0/op\": \"{a}\", \"unit.1/op\": \"{b}\"}}, \"score\": {{\"accuracy\": 0.{n}}}}}\n"
        );
    }
    bench.write("known.jsonl", format!("{lines}half"));
    search("").fails(1, &["nas::search::table", "line 4 of `known.jsonl`"]);
    assert!(!bench.path("run").exists());
    // It holds three of the four networks.
    bench.write("known.jsonl", &lines);
    search("").fails(1, &["nas::run::unscored", "`unit.0/op` = large, `unit.1/op` = large"]);
    fs::remove_dir_all(bench.path("run")).unwrap();
    let fourth = lines.lines().next().unwrap().replace("small", "large").replace("0.0", "0.9");
    bench.write("known.jsonl", format!("{lines}{fourth}\n"));
    let table = search("").done();
    assert!(table.contains("val accuracy, known"), "{table}");
    assert_eq!(search("--resume").done(), table);
    assert!(!bench.path("run/weights.safetensors").exists());
    // What a run tried is a table too.
    bench.nasc("runs export run --format jsonl -o known.jsonl").done();
    search("--resume").fails(1, &["nas::run::differs", "`known.jsonl` has changed"]);
    bench.write("known.nas", format!("{space}{}", recipe.replace("known.jsonl", "run")));
    let again = bench.nasc("search known.nas --out again").done();
    assert_eq!(again.replace("again/", "run/"), table);
    assert_eq!(bench.read("again/sources/run"), bench.read("known.jsonl"));
    bench.write("known.nas", format!("{space}{}", recipe.replace("known.jsonl", "data")));
    fs::create_dir(bench.path("data")).unwrap();
    bench.nasc("search known.nas --out more").fails(1, &["nas::run::none", "`data` holds no run"]);
}
