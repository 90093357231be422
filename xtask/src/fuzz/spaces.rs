//! Spaces: mutants of the files that the repository ships, and random ones, in all that reads them; and
//! hostile questions about those that are right.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rand::Rng;
use rand::seq::IndexedRandom;

use super::asked;
use super::case::{Case, Kind, Random, Step};
use super::grammar;
use super::mutate;
use super::tree::Tree;

const FILE: &str = "input.nas";
const TABLE: &str = "table.json";
/// A runner of latency measurements: the time of a model is its size.
pub(crate) const RUNNER: &str = "echo \"$(($(wc -c < \"$1\") % 997 + 1)) ms\"\n";
/// How a measurement is described.
pub(crate) const DEVICE: &str = "--hardware h --engine e --engine-version 1";

/// A file of the repository.
struct Seed {
    bytes: Vec<u8>,
    /// What it may import, and tables that it may name.
    beside: Tree,
}

pub(crate) struct Spaces {
    seeds: Vec<Seed>,
    texts: Vec<Vec<u8>>,
}

impl Spaces {
    /// Cases of the files of a checkout.
    pub(crate) fn new(root: &Path) -> Result<Self> {
        let mut paths = Vec::new();
        for folder in ["tests/ui", "spaces"] {
            gather(&root.join(folder), &mut paths)?;
        }
        let seeds = paths.iter().map(|path| seed(path)).collect::<Result<Vec<Seed>>>()?;
        let texts = seeds.iter().map(|seed| seed.bytes.clone()).collect();
        Ok(Self { seeds, texts })
    }

    fn mutant(&self, random: &mut Random) -> Tree {
        let Some(seed) = self.seeds.choose(random) else { return Tree::default() };
        let text = mutate::text(random, &seed.bytes, &self.texts);
        seed.beside.clone().with(FILE, text)
    }
}

impl Kind for Spaces {
    fn case(&self, random: &mut Random) -> Case {
        if random.random_bool(0.15) {
            return asked::case(random);
        }
        if random.random_bool(0.5) {
            let files = self.mutant(random);
            let spaces = spaces(files.bytes(FILE));
            let steps = steps(random, &spaces, false);
            return Case { files, steps, ..Case::default() };
        }
        let is_measured = random.random_bool(0.25);
        let text = grammar::space(random, is_measured.then_some(TABLE)).into_bytes();
        let is_damaged = random.random_bool(0.2);
        let text = if is_damaged { mutate::text(random, &text, &self.texts) } else { text };
        let files = Tree::default().with(FILE, text).with("run.sh", RUNNER);
        let mut all = steps(random, &["s".to_owned()], is_measured);
        let space = "--space s";
        if is_measured {
            let measure =
                format!("latency measure {FILE} --out {TABLE} --repeats 1 {DEVICE} {space}");
            let partial = format!("{TABLE}.partial");
            let runner = ["--runner", "sh run.sh {model}"];
            let step = Step::slow(&measure).arg(runner[0]).arg(runner[1]);
            all.insert(0, step.writes(TABLE).writes(&partial));
        }
        if random.random_bool(0.15) {
            let arch = format!("random:{}", random.random::<u16>());
            let export =
                format!("export {FILE} {space} --arch {arch} -o net.onnx --seed 1 --constant");
            let names = ["net.onnx", "net.check.safetensors", "net.verify.json"];
            all.push(names.into_iter().fold(Step::torch(&export), Step::writes));
            all.push(Step::slow("verify net.onnx").must_end_well());
        }
        Case { files, steps: all, ..Case::default() }
    }
}

/// The `.nas` files in a folder and its folders, in order. Those of `limits` take as long as the limits
/// allow, and so do their mutants.
fn gather(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut entries = entries.collect::<Result<Vec<PathBuf>>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("data") && !path.ends_with("limits") {
            gather(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "nas") {
            found.push(path);
        }
    }
    Ok(())
}

fn seed(path: &Path) -> Result<Seed> {
    let bytes = fs::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let folder = path.parent().unwrap_or(path);
    let imported = text.lines().filter_map(|line| line.strip_prefix("use "));
    let imported = imported.filter_map(|rest| rest.split('.').next());
    let tables = text.split("latency table \"").skip(1);
    let tables = tables.filter_map(|rest| rest.split('"').next()).map(str::to_owned);
    let mut beside = Tree::default();
    for name in imported.map(|name| format!("{name}.nas")).chain(tables) {
        if !name.contains('/') && folder.join(&name).is_file() {
            beside = beside.with(&name, fs::read(folder.join(&name))?);
        }
    }
    Ok(Seed { beside, bytes })
}

/// The names of the spaces of a text.
fn spaces(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let named = words.windows(2).filter(|pair| pair.first() == Some(&"space"));
    named.filter_map(|pair| pair.last()).map(|name| (*name).to_owned()).collect()
}

/// Formatting, checking, and some of what can be asked of a space that is right.
fn steps(random: &mut Random, spaces: &[String], has_table: bool) -> Vec<Step> {
    let check = Step::quick("check").arg(FILE);
    let check = if random.random_bool(0.1) { check.arg("--format=json") } else { check };
    let mut steps = match random.random_range(0..10) {
        0 => vec![Step::quick("fmt -").reads(FILE).raw()],
        1 => vec![
            Step::quick("check").arg(FILE),
            Step::quick("fmt").arg(FILE).writes(FILE),
            Step::quick("fmt --check").arg(FILE).must_end_well(),
            Step::quick("check").arg(FILE).must_end_well(),
        ],
        2 => vec![Step::quick("show --stage ast").arg(FILE).long()],
        _ => vec![check],
    };
    // What is wrong is seldom asked more.
    if let ([only], true) = (steps.as_mut_slice(), random.random_bool(0.1)) {
        only.may_fail = true;
    }
    for _ in 0..3 {
        let mut step = question(random, has_table);
        if let Some(space) = spaces.choose(random) {
            step = step.arg(format!("--space={space}"));
        }
        if random.random_bool(0.05) {
            step = step.arg("--drop-unsupported");
        }
        steps.push(step.may_fail());
    }
    steps
}

/// A question about a space.
fn question(random: &mut Random, has_table: bool) -> Step {
    let step = |args: &str| Step::quick(args).arg(FILE);
    let (first, second) =
        (grammar::measure(random, has_table), grammar::measure(random, has_table));
    let arch = match random.random_range(0..4) {
        0 => format!("--arch=least:{first}"),
        1 => format!("--arch=greatest:{first}"),
        _ => format!("--arch=random:{}", random.random::<u16>()),
    };
    match random.random_range(0..14) {
        0 => step("analyze"),
        1 => step("analyze --json --bins 7"),
        2 => step("analyze").arg(format!("--front={first},{second}")),
        3 => step("analyze --svg drawn").writes("drawn"),
        4 => step("sample -n 5"),
        5 | 6 => step("sample -n 5").arg(format!("--where={}", grammar::limit(random, has_table))),
        7 => step("sample -n 20 --constant"),
        8 => step("cost --layers").arg(arch),
        9 => step("cost --json").arg(arch),
        10 => {
            let formats = ["show", "show --format dot", "show --format svg"];
            step(formats.choose(random).copied().unwrap_or("show")).long()
        }
        11 => step("show --format svg").arg(arch).long(),
        12 => step("show --stage supernet --format json").long(),
        _ => step("latency plan --out planned").writes("planned"),
    }
}
