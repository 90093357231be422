//! `cargo xtask vendors`: every shipped network in the engines of vendors, in each precision.
//!
//! Each network is exported by `nasc` with its record; an engine runs the file on the recorded inputs, in the environment and
//! by a runner as `cargo xtask engines` has them. What comes of it is a table of `docs/vendors.md`: how far outputs are from
//! those of libtorch and how long the engine takes, or that it refuses the file. Networks of integers need data, and are those of the spaces that
//! have some.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::cargo::cargo;
use crate::engines::{ENGINES, Engine, FOLDER, MORE_ENGINES, call, text, write_table};

/// The precisions, each with how far outputs may be apart.
const PRECISIONS: [(&str, f64); 3] = [("fp32", 3e-4), ("fp16", 5e-2), ("int8", 5e-2)];
/// The page of the table.
const PAGE: &str = "docs/vendors.md";
/// The network of a space that is tried.
const ARCH: &str = "random:1";

/// A space of which a network is tried, and its file.
struct Network {
    file: PathBuf,
    space: String,
}

/// What an engine says of each network and precision.
type Told = BTreeMap<(String, &'static str), String>;

/// Tries the engines of these names, or all; `--bless` among them writes the table of the page.
pub(crate) fn run(root: &Path, args: &[OsString]) -> Result<()> {
    let bless = args.iter().any(|arg| arg == "--bless");
    let asked: Vec<String> = args
        .iter()
        .filter(|arg| *arg != "--bless")
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    let engines = || MORE_ENGINES.iter().chain(&ENGINES);
    for name in &asked {
        ensure!(engines().any(|engine| engine.name == name), "there is no engine `{name}`");
    }
    call(cargo(root).args(["build", "--workspace"]).current_dir(root))?;
    let nasc = std::env::current_exe()?.with_file_name("nasc");
    let folder = root.join(FOLDER).join("vendors");
    let networks = networks(root)?;
    let mut lacking = Told::new();
    for (precision, bound) in PRECISIONS {
        let folder = folder.join(precision);
        fs::create_dir_all(&folder)?;
        let mut cases = Vec::new();
        for network in &networks {
            eprintln!("writing {} in {precision}", network.space);
            match network.export(&nasc, &folder, precision) {
                Ok(()) => cases.push(case(&folder, &network.space, bound)?),
                Err(why) => {
                    lacking
                        .insert((network.space.clone(), precision), format!("not written: {why}"));
                }
            }
        }
        fs::write(folder.join("cases.json"), serde_json::to_string(&cases)?)?;
    }
    let mut columns = Vec::new();
    for engine in engines().filter(|it| asked.is_empty() || asked.contains(&it.name.to_owned())) {
        eprintln!("trying {}", engine.name);
        columns.push(tried(engine, root, &folder)?);
    }
    let table = table(&networks, &lacking, &columns);
    println!("{table}");
    if bless {
        write_table(&root.join(PAGE), &table)?;
    }
    Ok(())
}

/// All spaces of the shipped files.
fn networks(root: &Path) -> Result<Vec<Network>> {
    let mut files: Vec<PathBuf> = fs::read_dir(root.join("spaces"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "nas"))
        .collect();
    files.sort();
    let mut networks = Vec::new();
    for file in files {
        for line in fs::read_to_string(&file)?.lines() {
            let Some(rest) = line.strip_prefix("space ") else { continue };
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            networks.push(Network { file: file.clone(), space: name });
        }
    }
    Ok(networks)
}

impl Network {
    /// Writes the ONNX file and its record, unless this `nasc` has done so.
    fn export(&self, nasc: &Path, folder: &Path, precision: &str) -> Result<(), String> {
        let output = folder.join(format!("{}.onnx", self.space));
        let changed = |path: &Path| fs::metadata(path).and_then(|it| it.modified()).ok();
        if changed(&output).is_some_and(|written| changed(nasc) < Some(written)) {
            return Ok(());
        }
        let common = |command: &mut Command| {
            command.arg(&self.file).args(["--space", &self.space, "--arch", ARCH]);
        };
        if precision != "int8" {
            let mut command = Command::new(nasc);
            command.arg("export");
            common(&mut command);
            command.args(["--precision", precision, "--constant", "-o"]).arg(&output);
            return said(&mut command);
        }
        // Fresh weights in the names that `nasc int8` reads, which tell nothing but how engines compute.
        let module = folder.join(format!("{}.module", self.space));
        let mut command = Command::new(nasc);
        command.arg("export");
        common(&mut command);
        command.args(["--format", "pytorch", "--constant", "-o"]).arg(&module);
        said(&mut command)?;
        let mut command = Command::new(nasc);
        command.arg("int8");
        common(&mut command);
        command.args(["--images", "32", "--weights"]);
        command.arg(module.join("weights.safetensors")).arg("-o").arg(&output);
        said(&mut command)
    }
}

/// Runs a command; on failure its first line of an error.
fn said(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let code = text.lines().find(|line| line.starts_with("nas::") || line.starts_with("error: "));
    let code = code.unwrap_or("it failed").trim_start_matches("error: ");
    Err(code.chars().take(80).collect())
}

/// What a runner is told of a network: where inputs and outputs of the first case stand in the record.
fn case(folder: &Path, name: &str, bound: f64) -> Result<Value> {
    let file = format!("{name}.check.safetensors");
    let bytes = fs::read(folder.join(&file))?;
    let length = bytes.first_chunk::<8>().context("a record without a header")?;
    let length = usize::try_from(u64::from_le_bytes(*length))?;
    let header: Value =
        serde_json::from_slice(bytes.get(8..8 + length).context("a record cut short")?)?;
    let note: Value = serde_json::from_str(text(
        header.get("__metadata__").context("a record without a note")?,
        "nasc",
    ))?;
    let first =
        note.get("cases").and_then(|cases| cases.get(0)).context("a record without cases")?;
    let ports = |side: &str| -> Result<Vec<Value>> {
        let names = first.get(side).and_then(Value::as_array).into_iter().flatten();
        names
            .filter_map(Value::as_str)
            .map(|port| {
                let key = format!("{}/{side}/{port}", text(first, "name"));
                let tensor = header.get(&key).with_context(|| format!("no `{key}`"))?;
                let offset = tensor.get("data_offsets").and_then(|all| all.get(0)).and_then(Value::as_u64);
                let offset = offset.context("a tensor without its place")? + 8 + length as u64;
                Ok(json!({"name": port, "file": file, "offset": offset, "dims": tensor.get("shape")}))
            })
            .collect()
    };
    Ok(
        json!({"name": name, "inputs": ports("inputs")?, "outputs": ports("outputs")?, "tolerance": bound}),
    )
}

/// What an engine makes of all networks: its version, and what it says of each.
fn tried(engine: &Engine, root: &Path, folder: &Path) -> Result<(String, Told)> {
    let mut told = Told::new();
    let mut version = String::new();
    for (precision, _) in PRECISIONS {
        let answer = engine.run(root, &folder.join(precision))?;
        version = text(&answer, "version").to_owned();
        let verdicts: BTreeMap<String, String> =
            serde_json::from_value(answer.get("verdicts").cloned().unwrap_or_default())?;
        for (name, verdict) in verdicts {
            told.insert((name, precision), verdict);
        }
    }
    Ok((format!("{} {version}", engine.name), told))
}

/// For each network and precision what each engine says.
fn table(networks: &[Network], lacking: &Told, columns: &[(String, Told)]) -> String {
    let heads: Vec<&str> = columns.iter().map(|(head, _)| head.as_str()).collect();
    let rule = "|---".repeat(columns.len() + 2);
    let mut table = format!("| network | precision | {} |\n{rule}|\n", heads.join(" | "));
    for network in networks {
        for (precision, _) in PRECISIONS {
            let key = (network.space.clone(), precision);
            let cells = columns.iter().map(|(_, told)| match (lacking.get(&key), told.get(&key)) {
                (Some(why), _) | (None, Some(why)) => short(why),
                (None, None) => "no verdict".to_owned(),
            });
            let cells: Vec<String> = cells.collect();
            table += &format!("| `{}` | {precision} | {} |\n", network.space, cells.join(" | "));
        }
    }
    table
}

/// A verdict as it fits into a table.
fn short(verdict: &str) -> String {
    let verdict = verdict.replace('|', "/");
    match verdict.strip_prefix("runs: ") {
        Some(apart) => apart.to_owned(),
        None => verdict.chars().take(60).collect(),
    }
}
