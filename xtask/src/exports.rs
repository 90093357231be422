//! `cargo xtask exports`: published networks with weights of PyTorch, exported by nasc and by both exporters of PyTorch.
//!
//! A Python with torchvision and timm makes the networks and exports them (`tests/exports`); nasc reads their weights through
//! the shipped name maps. The files are held against each other in one run, each round running each file once on one thread:
//! what they answer, how long that takes, and how large they are. What comes of it is a table of `docs/exports.md`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::cargo::cargo;
use crate::engines::{FOLDER, TORCH, call, write_table};

/// A published network: its map, which is the name that `tests/exports` knows it by, the file of its space, and its `arch`.
struct Network {
    name: &'static str,
    file: &'static str,
    arch: &'static str,
}

const NETWORKS: [Network; 6] = [
    Network { name: "mobilenet_v2", file: "mobilenet_v2", arch: "x100" },
    Network { name: "mobilenet_v3_large", file: "mobilenet_v3", arch: "large" },
    Network { name: "mobilenet_v3_small", file: "mobilenet_v3", arch: "small" },
    Network { name: "resnet50", file: "resnet", arch: "resnet50" },
    Network { name: "efficientnet_b0", file: "efficientnet", arch: "b0" },
    Network { name: "fbnet_c", file: "fbnet", arch: "fbnet_c" },
];
/// How often each file runs.
const ROUNDS: usize = 100;
/// The sizes of what they all take.
const SIZES: &str = "1x3x224x224";
/// How far answers may be from those of PyTorch, in units of the largest logit.
const APART: f64 = 1e-4;
/// The files of a network: those of the exporters of PyTorch, ours, and ours with `--lean`, which is not timed.
const OTHERS: [&str; 2] = ["torchscript.onnx", "dynamo.onnx"];
const OURS: &str = "nasc.onnx";
const LEAN: &str = "nasc.lean";
const SCRIPTS: &str = "tests/exports";
/// The page of the table.
const PAGE: &str = "docs/exports.md";
/// The example of `nas-tract` that times files.
const TIMINGS: &str = "timings";

/// What came of a file in an engine.
#[derive(Debug, Deserialize)]
struct Told {
    /// How far its answer is from that of PyTorch, where that is asked.
    apart: Option<f64>,
    /// How long each round took; nothing where the engine refuses the file.
    #[serde(default)]
    seconds: Vec<f64>,
}

/// What came of the files of networks in an engine: by network, then by file.
#[derive(Debug, Deserialize)]
struct Tried {
    version: String,
    networks: BTreeMap<String, BTreeMap<String, Told>>,
}

/// Tries these networks, or all; `--bless` among the names writes the table of the page.
pub(crate) fn run(root: &Path, args: &[OsString]) -> Result<()> {
    let bless = args.iter().any(|arg| arg == "--bless");
    let names = args.iter().filter(|arg| *arg != "--bless").map(|arg| arg.to_string_lossy());
    let asked: Vec<String> = names.map(std::borrow::Cow::into_owned).collect();
    for name in &asked {
        ensure!(NETWORKS.iter().any(|it| it.name == name), "there is no network `{name}`");
    }
    ensure!(!bless || asked.is_empty(), "the table needs all networks");
    let networks: Vec<&Network> = NETWORKS
        .iter()
        .filter(|it| asked.is_empty() || asked.contains(&it.name.to_owned()))
        .collect();
    let python = TORCH.environment(&root.join(FOLDER))?;
    let folder = root.join(FOLDER).join("exports");
    call(cargo(root).args(["build", "--workspace", "--bins", "--examples"]).current_dir(root))?;
    let here = std::env::current_exe()?;
    let nasc = here.with_file_name("nasc");
    for network in &networks {
        eprintln!("exporting {}", network.name);
        network.write(root, &python, &folder)?;
        network.export(root, &nasc, &folder)?;
    }
    eprintln!("timing {ROUNDS} rounds");
    let timings = here.with_file_name("examples").join(TIMINGS);
    let mut tried = in_python(root, &python, &folder, &networks)?;
    tried.insert("tract".to_owned(), in_tract(&timings, &folder, &networks)?);
    let table = table(&folder, &networks, &tried)?;
    println!("{table}");
    if bless {
        write_table(&root.join(PAGE), &table)?;
    }
    judge(&tried)
}

impl Network {
    /// Its weights, an answer and the files of PyTorch, unless they are there.
    fn write(&self, root: &Path, python: &Path, folder: &Path) -> Result<()> {
        if folder.join(self.name).join("written.json").exists() {
            return Ok(());
        }
        call(
            Command::new(python)
                .arg(root.join(SCRIPTS).join("write.py"))
                .arg(folder)
                .arg(self.name),
        )
    }

    /// Our files of the same weights.
    fn export(&self, root: &Path, nasc: &Path, folder: &Path) -> Result<()> {
        call(self.command(root, nasc, folder, LEAN).arg("--lean"))?;
        call(&mut self.command(root, nasc, folder, OURS))
    }

    /// What exports it to a file.
    fn command(&self, root: &Path, nasc: &Path, folder: &Path, file: &str) -> Command {
        let (spaces, folder) = (root.join("spaces"), folder.join(self.name));
        let mut command = Command::new(nasc);
        command.arg("export").arg(spaces.join(self.file).with_extension("nas"));
        command.args(["--arch", self.arch, "--weights"]).arg(folder.join("weights.safetensors"));
        command.arg("--names").arg(spaces.join(self.name).with_extension("names"));
        command.arg("-o").arg(folder.join(file));
        command
    }
}

/// What a program prints.
fn said(command: &mut Command) -> Result<Vec<u8>> {
    let name = format!("{command:?}");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let Output { status, stdout, .. } =
        output.with_context(|| format!("{name} could not be started"))?;
    ensure!(status.success(), "{name}: {status}");
    Ok(stdout)
}

/// ONNX Runtime and OpenVINO.
fn in_python(
    root: &Path,
    python: &Path,
    folder: &Path,
    networks: &[&Network],
) -> Result<BTreeMap<String, Tried>> {
    let mut command = Command::new(python);
    command.arg(root.join(SCRIPTS).join("measure.py")).arg(folder).arg(ROUNDS.to_string());
    command.args(networks.iter().map(|network| network.name));
    Ok(serde_json::from_slice(&said(&mut command)?)?)
}

fn in_tract(timings: &Path, folder: &Path, networks: &[&Network]) -> Result<Tried> {
    let mut tried = Tried { version: "in this build".to_owned(), networks: BTreeMap::new() };
    for network in networks {
        let folder = folder.join(network.name);
        let files = OTHERS.into_iter().chain([OURS]).map(|file| folder.join(file));
        let mut command = Command::new(timings);
        command.args([&ROUNDS.to_string(), SIZES]).args(files);
        let told: BTreeMap<PathBuf, Told> = serde_json::from_slice(&said(&mut command)?)?;
        let name =
            |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let told = told.into_iter().map(|(path, told)| (name(&path), told)).collect();
        tried.networks.insert(network.name.to_owned(), told);
    }
    Ok(tried)
}

/// A row for each network and engine.
fn table(folder: &Path, networks: &[&Network], tried: &BTreeMap<String, Tried>) -> Result<String> {
    let mut table =
        "| network | engine | nasc, ms | ÷ TorchScript | ÷ dynamo | apart |\n".to_owned();
    table += &format!("{}|\n", "|---".repeat(6));
    for network in networks {
        for (engine, Tried { version, networks }) in tried {
            let told = networks.get(network.name).context("an engine that was not asked")?;
            let ours = told.get(OURS).context("a network without our file")?;
            let ratios = OTHERS.map(|other| match told.get(other).and_then(|it| ratio(ours, it)) {
                Some(ratio) => format!("{ratio:.3}"),
                None => "refused".to_owned(),
            });
            let milliseconds = median(ours.seconds.iter().copied()).context("no rounds")? * 1e3;
            let apart = ours.apart.map_or_else(String::new, |apart| format!("{apart:.1e}"));
            table += &format!(
                "| {} | {engine} {version} | {milliseconds:.2} | {} | {apart} |\n",
                network.name,
                ratios.join(" | ")
            );
        }
    }
    table += "\n| network | nasc, bytes | `--lean` | TorchScript | dynamo |\n";
    table += &format!("{}|\n", "|---".repeat(5));
    for network in networks {
        let folder = folder.join(network.name);
        let bytes = [OURS, LEAN]
            .into_iter()
            .chain(OTHERS)
            .map(|file| Ok::<_, anyhow::Error>(fs::metadata(folder.join(file))?.len().to_string()));
        let bytes: Vec<String> = bytes.collect::<Result<_>>()?;
        table += &format!("| {} | {} |\n", network.name, bytes.join(" | "));
    }
    Ok(table)
}

/// How long one file takes in units of another: the median of all rounds, in each of which both ran.
fn ratio(one: &Told, other: &Told) -> Option<f64> {
    median(one.seconds.iter().zip(&other.seconds).map(|(one, other)| one / other))
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Fails where an answer of ours is not that of PyTorch. Times are for people to judge.
fn judge(tried: &BTreeMap<String, Tried>) -> Result<()> {
    let mut problems = Vec::new();
    for (engine, tried) in tried {
        for (network, told) in &tried.networks {
            let apart = told.get(OURS).and_then(|told| told.apart);
            problems.extend(apart.filter(|&apart| apart.is_nan() || apart > APART).map(|apart| {
                format!("{network} in {engine}: {apart:.1e} of the largest logit apart")
            }));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    bail!("answers are not those of PyTorch:\n{}", problems.join("\n"))
}
