//! Run directories, finished and unfinished, that are damaged and then gone on with. What ends well
//! must have come to the end of the run that nothing happened to.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use rand::Rng;
use rand::seq::IndexedRandom;

use super::case::{Case, Kind, Random, Step};
use super::made;
use super::models::with_header;
use super::mutate;
use super::tree::{Entry, Tree};

const SEARCH: &str = "search seeds.nas --out run --threads 1";
/// What is the run, to those who use it.
const RESULTS: [&str; 3] = ["run/assignment.json", "run/result.json", "run/weights.safetensors"];
/// Splits of the data set, and how many of its pictures are enough.
const SPLITS: [(&str, usize); 3] = [("train", 8), ("val", 4), ("test", 4)];
/// Runs are stopped when they tell such a line.
const STOPS: [&str; 3] = ["warm-up 1/", "search 5/", "retrain 2/"];

pub(crate) struct Runs {
    /// The space and the data.
    around: Tree,
    /// The finished run, and those that were stopped.
    runs: Vec<Tree>,
    /// One of another seed.
    other: Tree,
    expected: Tree,
}

impl Runs {
    /// Searches, and stops searches, for what the cases are made of.
    pub(crate) fn new(root: &Path, nasc: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let work = folder.path();
        fs::write(work.join("seeds.nas"), made::SEEDS)?;
        copy_data(&root.join("spaces/data/landcover"), &work.join("data"))?;
        let around = Tree::read(work)?;
        let run = || -> Result<Tree> {
            let run = Tree::read(work)?.part("run");
            fs::remove_dir_all(work.join("run"))?;
            Ok(run)
        };
        made::nasc(nasc, work, SEARCH)?;
        let whole = run()?;
        made::nasc(nasc, work, &format!("{SEARCH} --seed 7"))?;
        let other = run()?;
        let mut expected = Tree::default();
        for name in RESULTS {
            ensure!(whole.get(name).is_some(), "a finished run has no {name}");
            expected = expected.with(name, whole.bytes(name));
        }
        let mut runs = vec![whole];
        for stop in STOPS {
            stopped(nasc, work, stop)?;
            runs.push(run()?);
        }
        Ok(Self { around, runs, other, expected })
    }

    fn damage(&self, random: &mut Random, run: &mut Tree) {
        let names: Vec<String> = run.files().into_iter().map(str::to_owned).collect();
        let Some(name) = names.choose(random) else { return };
        let bytes = run.bytes(name).to_vec();
        let links =
            ["../../outside.txt", "nowhere", "run.sqlite", "../run", "../data/dataset.json"];
        let link = links.choose(random).copied().unwrap_or("nowhere");
        let is_weights = name.ends_with(".safetensors");
        let entry = match random.random_range(0..12) {
            0 => return run.remove(name),
            1 => Entry::File(Vec::new()),
            2 => Entry::Folder,
            3 => Entry::Link(link.into()),
            4 => Entry::File(self.other.bytes(name).to_vec()),
            5 | 6 => Entry::File(flipped(random, bytes)),
            7 => Entry::File(
                bytes.get(..random.random_range(0..=bytes.len())).unwrap_or_default().to_vec(),
            ),
            8 if is_weights => Entry::File(with_header(random, &bytes)),
            8 | 9 => Entry::File(mutate::bytes(random, &bytes, &[])),
            _ => Entry::File(mutate::text(random, &bytes, &[self.other.bytes(name).to_vec()])),
        };
        run.put(name, entry);
    }
}

impl Kind for Runs {
    fn case(&self, random: &mut Random) -> Case {
        let mut run = self.runs.choose(random).cloned().unwrap_or_default();
        for _ in 0..*[1, 1, 1, 2, 3].choose(random).unwrap_or(&1) {
            self.damage(random, &mut run);
        }
        let resume = Step::torch(SEARCH).arg("--resume").writes("run").compared();
        let export = "export seeds.nas --space tiny --arch run/assignment.json --weights run/weights.safetensors -o net.onnx";
        let export = ["net.onnx", "net.check.safetensors", "net.verify.json"]
            .into_iter()
            .fold(Step::torch(export), Step::writes);
        let steps = if random.random_bool(0.2) {
            vec![export]
        } else {
            vec![resume, export.must_end_well()]
        };
        Case { files: self.around.clone().and(run), steps, expected: self.expected.clone() }
    }
}

fn flipped(random: &mut Random, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..*[1, 1, 8].choose(random).unwrap_or(&1) {
        let at = random.random_range(0..bytes.len().max(1));
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << random.random_range(0..8);
        }
    }
    bytes
}

/// Some of the pictures of a data set of labelled pictures.
fn copy_data(from: &Path, to: &Path) -> Result<()> {
    for (split, count) in SPLITS {
        let images = fs::read_dir(from.join(split).join("images"))?;
        let mut names = images.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>>>()?;
        names.sort();
        for name in names.iter().take(count) {
            let label = Path::new(name).with_extension("png");
            for (folder, name) in [("images", Path::new(name)), ("labels", &label)] {
                let inside = Path::new(split).join(folder);
                fs::create_dir_all(to.join(&inside))?;
                fs::copy(from.join(&inside).join(name), to.join(&inside).join(name))?;
            }
        }
    }
    fs::copy(from.join("dataset.json"), to.join("dataset.json"))?;
    Ok(())
}

/// Begins the search and stops it as Ctrl-C does, when it tells this.
fn stopped(nasc: &Path, folder: &Path, when: &str) -> Result<()> {
    let mut command = made::command(nasc, folder, SEARCH);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut told = BufReader::new(child.stderr.take().context("it has no standard error")?);
    let mut said = String::new();
    while !said.contains(when) && told.read_line(&mut said)? > 0 {}
    let kill = format!("kill -INT {}", child.id());
    Command::new("sh").args(["-c", &kill]).status()?;
    told.read_to_string(&mut said)?;
    let code = child.wait()?.code();
    ensure!(code == Some(130), "a search stopped at `{when}` ended with {code:?}:\n{said}");
    Ok(())
}
