//! `nasc runs`: runs listed, compared and exported; and the picture of a run.

use std::fs;

use serde_json::{Value, json};

use crate::bench::{Bench, TINY};

/// Four networks with known scores, and two searches of them.
fn bench() -> Bench {
    let bench = Bench::new();
    let (space, _) = TINY.split_once("search quick").unwrap();
    let recipe = |name: &str, strategy: &str, sample: u32| {
        format!(
            "search {name} of tiny {{\n    strategy {strategy} {{}}\n    score {{ by = table, table = \"known.jsonl\" }}\n    derive {{ sample = {sample}, keep = 2 }}\n}}\n"
        )
    };
    let recipes = [recipe("few", "random", 3), recipe("more", "local_search", 4)].concat();
    bench.write("known.nas", format!("{space}{recipes}"));
    let line = |n: usize, a: &str, b: &str| {
        format!(
            "{{\"choices\": {{\"unit.0/op\": \"{a}\", \"unit.1/op\": \"{b}\"}}, \"score\": {{\"accuracy\": 0.{n}, \"loss\": {n}}}}}\n"
        )
    };
    let lines = [
        line(1, "small", "small"),
        line(2, "small", "large"),
        line(3, "large", "small"),
        line(4, "large", "large"),
    ];
    bench.write("known.jsonl", lines.concat());
    for name in ["few", "more"] {
        bench.nasc(&format!("search known.nas --recipe {name} --out runs/all/{name}")).done();
    }
    bench
}

#[test]
fn runs_are_listed_compared_and_exported() {
    let bench = bench();
    let listed = bench.nasc("runs").done();
    let rows: Vec<Vec<&str>> =
        listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 3, "{listed}");
    assert_eq!(rows[1][..5], ["runs/all/few", "done", "random", "tiny", "3"]);
    assert_eq!(
        rows[2][..7],
        ["runs/all/more", "done", "local_search", "tiny", "4", "accuracy", "0.400"]
    );
    let json = bench.nasc("runs runs/all/more --json").json();
    assert_eq!(json[0]["best"]["trial"]["accuracy"], json!(0.4));
    assert_eq!(json[0]["state"], json!({"phase": "done", "done": 0, "of": 0, "at_work": false}));

    let compared = bench.nasc("runs compare runs/all/few runs/all/more").done();
    for words in ["derive.sample", "strategy.name", "trial accuracy", "networks: they agree in"] {
        assert!(compared.contains(words), "lacks {words}:\n{compared}");
    }
    assert!(!compared.contains("derive.keep"), "{compared}");
    let json = bench.nasc("runs compare runs/all/few runs/all/more --json").json();
    let setting = json["settings"].as_array().unwrap().iter();
    let sample = setting.clone().find(|row| row["name"] == "derive.sample").unwrap();
    assert_eq!(sample["values"], json!([3, 4]));
    assert_eq!(
        bench.nasc("runs compare runs/all/few runs/all/few --json").json()["settings"],
        json!([])
    );

    let csv = bench.nasc("runs export runs/all/more --format csv").done();
    let mut csv = csv.lines();
    let header = "trial,drawn,uniform,epochs,best_epoch,forward,backward,seconds,score_accuracy,score_loss,failed,macs,params,weight_bytes,peak_memory,latency,depth,choice:unit.0/op,choice:unit.1/op";
    assert_eq!(csv.next(), Some(header));
    assert_eq!(csv.count(), 4);
    bench.nasc("runs export runs/all/more -o all.json").done();
    let all: Value = serde_json::from_slice(&bench.read("all.json")).unwrap();
    let trials = all["trials"].as_array().unwrap();
    assert_eq!((trials.len(), all["timings"].as_array().unwrap().len()), (4, 4));
    assert_eq!(
        trials[3]["score"]["accuracy"].as_f64(),
        Some(f64::from(trials[3]["score"]["loss"].as_f64().unwrap() as u32) / 10.0)
    );
    // The scores of one run are a table for others, and its truth.
    let rank = bench.nasc("rank runs/all/few --truth runs/all/more --json").json();
    assert_eq!(rank["scores"]["kendall_tau"], json!(1.0));
}

#[test]
fn what_is_no_run_is_said() {
    let bench = bench();
    bench.nasc("runs nowhere").fails(1, &["nowhere"]);
    bench.write("empty.txt", "");
    fs::create_dir(bench.path("empty")).unwrap();
    bench.nasc("runs empty").fails(1, &["there is no run in `empty`"]);
    bench.nasc("runs compare runs/all/few").fails(2, &["2 values required"]);
    bench
        .nasc("runs compare runs/all/few empty")
        .fails(1, &["nas::run::none", "`empty` holds no run"]);
    bench.nasc("runs export empty").fails(1, &["nas::run::none"]);
    bench
        .nasc("runs export runs/all/few --format csv --table epochs")
        .fails(1, &["the run in `runs/all/few` has no epoch yet"]);
    bench.nasc("runs export runs/all/few --table epochs").fails(1, &["--format csv"]);
    bench.write("runs/all/few/run.sqlite", "no database");
    bench.nasc("runs export runs/all/few").fails(1, &["nas::run::damaged", "`run.sqlite`"]);
    // The others are listed.
    let said = bench.nasc("runs");
    assert!(said.err.contains("not listed: runs/all/few: "), "{}", said.err);
    assert!(said.done().contains("runs/all/more"));
    let run = String::from_utf8(bench.read("runs/all/more/run.json")).unwrap();
    bench.write("runs/all/more/run.json", run.replace("\"format\": 6", "\"format\": 5"));
    bench.nasc("runs export runs/all/more").fails(1, &["nas::run::layout"]);
}

#[test]
fn a_run_is_drawn() {
    let bench = bench();
    let svg =
        |run: &str| String::from_utf8(bench.read(&format!("runs/all/{run}/report.svg"))).unwrap();
    let texts = |svg: &str| -> Vec<String> {
        let document = roxmltree::Document::parse(svg).unwrap();
        let texts = document.descendants().filter(|node| node.has_tag_name("text"));
        texts.filter_map(|node| node.text().map(str::to_owned)).collect()
    };
    let drawn = texts(&svg("few"));
    for words in ["few: random in tiny", "Networks that were tried", "drawn at random", "result"] {
        assert!(drawn.iter().any(|text| text == words), "lacks {words}: {drawn:?}");
    }
    let walked = texts(&svg("more"));
    assert!(
        walked.iter().any(|text| text == "4 networks tried; result: accuracy 0.400, 1.02M MACs"
            || text.starts_with("4 networks tried; result: accuracy 0.400")),
        "{walked:?}"
    );
    // A mark for each network and one in the legend, and a ring around the result.
    assert_eq!(
        svg("more").matches("<circle class=\"tried\"").count()
            + svg("more").matches("<circle class=\"uniform\"").count(),
        4 + 1
    );
    assert_eq!(svg("more").matches("r=\"8\"").count(), 1);
}
