//! A search that is killed again and again, at moments drawn at random, and gone on with each time.
//!
//! It is killed a few times; `NASC_KILLS=50` asks for more. Which moments they are depends on the machine, that the
//! end is the same does not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nas_testing::pictures;
use serde_json::Value;

use crate::bench::{Bench, TINY};

/// A search that trains a supernet, one that trains each network, and the retraining of both.
const RECIPES: [&str; 2] = ["quick", "evolved"];

const EVOLVED: &str = r#"
search evolved of tiny {
    strategy aging_evolution { population = 2, tournament = 2 }
    score { by = train, epochs = 1 }
    data edges { path = "data", batch = 4 }
    derive { sample = 4, keep = 2 }
    retrain { epochs = 2, batch = 4 }
}
"#;

/// How often runs are killed if nothing else is asked for.
const FEW: usize = 4;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("tiny.nas", format!("{TINY}{EVOLVED}"));
    pictures::edges(&bench.path("data"), [("train", 8), ("val", 4), ("test", 4)]);
    bench
}

/// Pseudorandom shares of one, by the generator of Park and Miller.
struct Shares(u64);

impl Shares {
    fn next(&mut self) -> f64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        self.0 as f64 / 2_147_483_647.0
    }
}

/// The files of a run, but for the lock, and the records with their times, which are compared as data.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    gather(dir, dir, &mut files);
    files.remove("nasc.lock").unwrap();
    files.remove("run.sqlite").unwrap();
    files
}

fn gather(root: &Path, dir: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// The phase that a run stands in, as others see it; before it has one, that it is begun.
fn phase(bench: &Bench, run: &str) -> String {
    if !bench.path(run).join("run.json").exists() {
        return "before it began".to_owned();
    }
    let records = bench.records(run);
    records["status"]["phase"].as_str().unwrap_or("begun").to_owned()
}

#[test]
fn runs_that_are_killed_at_any_moment_come_to_the_same_end() {
    let kills = std::env::var("NASC_KILLS").map_or(FEW, |kills| kills.parse().unwrap());
    let bench = bench();
    let search = |recipe: &str, run: &str| {
        bench
            .command(&format!("search tiny.nas --recipe {recipe} --out {run} --threads 1 --resume"))
    };
    let ends = RECIPES.map(|recipe| {
        let since = Instant::now();
        let ended = search(recipe, recipe).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let records: Value = bench.records(recipe);
        (recipe, since.elapsed(), files(&bench.path(recipe)), records)
    });
    let mut shares = Shares(7);
    let (mut killed, mut finished) = (0, 0);
    let mut fell: BTreeMap<String, usize> = BTreeMap::new();
    while killed < kills {
        let (recipe, whole, expected, records) = &ends[finished % ends.len()];
        let run = format!("killed-{finished}");
        loop {
            let mut command = search(recipe, &run);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let moment = Duration::from_secs_f64(whole.as_secs_f64() * shares.next());
            if killed < kills {
                std::thread::sleep(moment);
            }
            let is_over = if killed < kills { child.try_wait().unwrap() } else { None };
            if is_over.is_none() && killed < kills {
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
                *fell.entry(phase(&bench, &run)).or_default() += 1;
                continue;
            }
            assert!(child.wait().unwrap().success(), "{run}");
            break;
        }
        let found = files(&bench.path(&run));
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{run}");
        for (name, bytes) in expected {
            assert!(found[name] == *bytes, "{run}, {recipe}: {name} differs");
        }
        assert_eq!(bench.records(&run), *records, "{run}");
        finished += 1;
    }
    println!("{killed} kills, {finished} runs came to the same end; killed in {fell:?}");
    assert!(killed == kills && finished > 0);
}
