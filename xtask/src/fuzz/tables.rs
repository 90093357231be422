//! Latency tables, figures, plans, journals, and what a runner answers: mutants of all of them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rand::Rng;
use rand::seq::IndexedRandom;

use super::asked::damaged;
use super::case::{Case, Kind, Random, Step};
use super::grammar;
use super::made;
use super::mutate;
use super::spaces::{DEVICE, RUNNER};
use super::tree::{Entry, Tree};

const TABLE: &str = "t.json";
const JOURNAL: &str = "t.json.partial";
const MANIFEST: &str = "plan/manifest.json";
const FIGURES: [&str; 2] = ["figures.csv", "figures.json"];
/// The space that all of them are of.
const FILE: &str = "seeds.nas";
/// The same for a target with the table.
const BOARD: &str = "board.nas";
/// What a board may print.
const ANSWERS: [&str; 5] = [
    "Median: 4.97 ms\nAverage: 5.02 ms\nMin: 4.71 ms\n",
    "5.25\n",
    "warming up\ntook 3 ms (2 GHz)\n",
    "1e-3 ms\n",
    "{\"latency\": \"12.5 ms\"}\n",
];
const PATTERNS: [&str; 4] = [r"Min: (\S+) ms", r"(\S+) ms", r"(?s)(.*)", r"(\d+(?:\.\d+)?)\s*ms"];

pub(crate) struct Tables {
    files: Tree,
    texts: Vec<Vec<u8>>,
}

impl Tables {
    /// Plans and measures what the cases are made of.
    pub(crate) fn new(nasc: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        let tiny = "space tiny(classes = 7, size = 32)";
        let target = format!("target board {{ latency table \"{TABLE}\" }}\n\n{tiny} for board");
        fs::write(at(FILE), made::SEEDS)?;
        fs::write(at(BOARD), made::SEEDS.replace(tiny, &target))?;
        fs::write(at("run.sh"), RUNNER)?;
        // It ends the measurement that it belongs to.
        fs::write(
            at("stop.sh"),
            format!("echo >> calls\n[ $(wc -l < calls) -lt 7 ] || kill -INT $PPID\n{RUNNER}"),
        )?;
        made::nasc(nasc, folder.path(), &format!("latency plan {FILE} --space tiny --out plan"))?;
        let mut measured = measurement(nasc, folder.path(), "sh stop.sh {model}");
        let _ = measured.output()?;
        let journal =
            fs::read(at(JOURNAL)).context("a measurement that was stopped left no journal")?;
        made::done(&mut measurement(nasc, folder.path(), "sh run.sh {model}"))?;
        let manifest: serde_json::Value = serde_json::from_slice(&fs::read(at(MANIFEST))?)?;
        let parts = manifest.get("parts").and_then(|parts| parts.as_array());
        let keys: Vec<&str> =
            parts.into_iter().flatten().filter_map(|part| part.get("key")?.as_str()).collect();
        let rows: Vec<String> = keys.iter().map(|key| format!("{key},a \"part\",1.5\n")).collect();
        let members: Vec<String> = keys.iter().map(|key| format!("\"{key}\": 0.25")).collect();
        let [csv, json] = FIGURES;
        let files = Tree::read(folder.path())?
            .with(JOURNAL, journal)
            .with(csv, format!("key,about,ms\n{}", rows.concat()))
            .with(json, format!("{{{}}}", members.join(",\n")));
        let texts = [TABLE, JOURNAL, MANIFEST, csv, json].map(|name| files.bytes(name).to_vec());
        Ok(Self { files, texts: texts.to_vec() })
    }

    /// The files with a mutant of one of them.
    fn damaged(&self, random: &mut Random, name: &str) -> Tree {
        let text = mutate::text(random, self.files.bytes(name), &self.texts);
        self.files.clone().with(name, text)
    }

    fn table(&self, random: &mut Random) -> Case {
        let board = |args: &str| Step::quick(args).arg(BOARD).arg("--space=tiny");
        let steps = match random.random_range(0..6) {
            0 => vec![Step::quick("check").arg(BOARD).may_fail(), board("analyze")],
            1 => {
                vec![board("sample -n 3").arg(format!("--where={}", grammar::limit(random, true)))]
            }
            2 => vec![
                board("cost --arch least:latency --layers"),
                board("analyze --json --front latency,macs"),
            ],
            3 => vec![measure("").arg("--runner").arg("sh run.sh {model}")],
            4 => {
                let check = format!(
                    "latency check {FILE} --space tiny --table {TABLE} --measure -k 3 --repeats 1 --write --json --svg p.svg"
                );
                let check = Step::slow(&check).writes(TABLE).writes("p.svg");
                vec![check.arg("--runner").arg("sh run.sh {model}")]
            }
            _ => vec![Step::quick(&format!("latency check {FILE} --space tiny --table {TABLE}"))],
        };
        Case { files: self.damaged(random, TABLE), steps, ..Case::default() }
    }

    fn figures(&self, random: &mut Random) -> Case {
        let name = FIGURES.choose(random).copied().unwrap_or("figures.csv");
        let mut files = self.damaged(random, name);
        if random.random_bool(0.7) {
            files.remove(TABLE);
        }
        let import = format!("latency import {name} --plan plan --out {TABLE} {DEVICE}");
        Case { files, steps: vec![Step::quick(&import).writes(TABLE)], ..Case::default() }
    }

    fn plan(&self, random: &mut Random) -> Case {
        let mut files = if random.random_bool(0.7) {
            self.damaged(random, MANIFEST)
        } else {
            self.with_damaged_model(random)
        };
        files.remove(TABLE);
        files.remove(JOURNAL);
        let step = match random.random_range(0..4) {
            0 => {
                Step::quick(&format!("latency plan {FILE} --space tiny --out plan")).writes("plan")
            }
            1 => Step::quick(&format!(
                "latency import figures.csv --plan plan --out {TABLE} {DEVICE}"
            ))
            .writes(TABLE),
            2 => Step::slow(&format!("latency measure plan --out {TABLE} --repeats 1"))
                .writes(TABLE)
                .writes(JOURNAL),
            _ => measure("--repeats 1").arg("--runner").arg("sh run.sh {model}"),
        };
        Case { files, steps: vec![step], ..Case::default() }
    }

    fn with_damaged_model(&self, random: &mut Random) -> Tree {
        let names = self.files.files();
        let models: Vec<&&str> = names.iter().filter(|name| name.ends_with(".onnx")).collect();
        let Some(name) = models.choose(random) else { return self.files.clone() };
        let bytes = mutate::bytes(random, self.files.bytes(name), &[]);
        let entry = [Entry::File(bytes), Entry::Folder, Entry::Link("../../outside.txt".into())];
        let mut files = self.files.clone();
        if let Some(entry) = entry.choose(random) {
            files.put(name, entry.clone());
        }
        files
    }

    fn journal(&self, random: &mut Random) -> Case {
        let mut files = self.damaged(random, JOURNAL);
        files.remove(TABLE);
        let steps = vec![measure("--repeats 3").arg("--runner").arg("sh run.sh {model}")];
        Case { files, steps, ..Case::default() }
    }

    /// A runner that prints what a file holds.
    fn answer(&self, random: &mut Random) -> Case {
        let answers = ANSWERS.map(|answer| answer.as_bytes().to_vec());
        let answer = answers.choose(random).map(Vec::as_slice).unwrap_or_default();
        let answer = mutate::text(random, answer, &answers);
        let mut files = self.files.clone().with("answer", answer);
        files.remove(TABLE);
        files.remove(JOURNAL);
        let mut step =
            measure("--repeats 1 --retries 0").arg("--runner").arg("sh -c 'cat answer' {model}");
        if random.random_bool(0.5) {
            let pattern = damaged(random, &PATTERNS);
            step = step.arg(format!("--pattern={pattern}"));
        }
        Case { files, steps: vec![step], ..Case::default() }
    }
}

impl Kind for Tables {
    fn case(&self, random: &mut Random) -> Case {
        match random.random_range(0..10) {
            0..3 => self.table(random),
            3..5 => self.figures(random),
            5..7 => self.plan(random),
            7 => self.journal(random),
            _ => self.answer(random),
        }
    }
}

/// A measurement of the plan.
fn measure(more: &str) -> Step {
    let args = format!("latency measure plan --out {TABLE} {DEVICE} {more}");
    Step::slow(&args).writes(TABLE).writes(JOURNAL)
}

fn measurement(nasc: &Path, folder: &Path, runner: &str) -> std::process::Command {
    let args = format!("latency measure plan --out {TABLE} {DEVICE} --repeats 3");
    let mut command = made::command(nasc, folder, &args);
    command.args(["--runner", runner]);
    command
}
