//! `cargo xtask vendors`: every shipped network in the engines of vendors, in each precision.
//!
//! Each network is exported by `nasc` with its record; an engine runs the file on the recorded inputs, in the environment and
//! by a runner as `cargo xtask engines` has them. What comes of it is a table of `docs/vendors.md`: how far outputs are from
//! those of libtorch and how long the engine takes, or that it refuses the file. Networks of integers are made of the files of
//! 32-bit floats by a few pictures. What an engine says of a file is kept, and what the page says of the same version of an engine
//! is not asked again, so that the table can be made bit by bit.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::cargo::cargo;
use crate::engines::{ENGINES, Engine, FOLDER, MORE_ENGINES, call, read_json, text, write_table};

/// The precisions, each with how far outputs may be apart.
const PRECISIONS: [(&str, f64); 3] = [("fp32", 3e-4), ("fp16", 5e-2), ("int8", 5e-2)];
/// Engines that take networks of 8 bits which TensorFlow makes of files of 32-bit floats, and no others.
const OF_FLOATS: [&str; 1] = ["ethos_u"];
/// What stands in their cells of other files.
const FROM_FLOATS: &str = "made of fp32";
/// The page of the table.
const PAGE: &str = "docs/vendors.md";
/// The network of a space that is tried.
const ARCH: &str = "random:1";
/// Of which the fresh weights are: the first with which the network is not so ill-conditioned that engines cannot agree.
const SEEDS: [&str; 3] = ["0", "1", "2"];
/// The pictures that integers are chosen by, and how many.
const PICTURES: &str = "spaces/data/scenes/val/images";
const IMAGES: &str = "8";
/// How long a file may take to be written.
const TIME: Duration = Duration::from_secs(600);
/// How the reason begins where it takes longer.
const SLOW: &str = "it takes longer than";
/// How often it is looked whether it is.
const EVERY: Duration = Duration::from_millis(50);

/// A space of which a network is tried, and its file.
struct Network {
    file: PathBuf,
    space: String,
}

/// What an engine says of each network and precision.
type Told = BTreeMap<(String, &'static str), String>;

/// A column of the table: an engine with its version, and what it says.
type Column = (String, Told);

/// Cells of the page that tell nothing of a network in an engine, by how they begin.
const UNKNOWN: [&str; 3] = ["not tried", "not written", "stopped after"];

/// What is asked for.
#[derive(Default)]
struct Asked {
    /// Whether the table goes into the page.
    bless: bool,
    /// Whether nothing is written or tried, so that the table has what was said last.
    last: bool,
    /// Whether what the page says is asked again.
    anew: bool,
    /// The networks and precisions that are tried; if none is named, all.
    networks: Vec<String>,
    precisions: Vec<String>,
    /// The executable that writes the files; if not given, that of the checkout.
    nasc: Option<PathBuf>,
    /// The engines that are tried anew; if none is named, all.
    engines: Vec<String>,
}

impl Asked {
    fn parse(args: &[OsString]) -> Result<Self> {
        let mut asked = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.to_string_lossy().as_ref() {
                "--bless" => asked.bless = true,
                "--last" => asked.last = true,
                "--anew" => asked.anew = true,
                "--network" => {
                    let name = args.next().context("`--network` needs the name of a space")?;
                    asked.networks.push(name.to_string_lossy().into_owned());
                }
                "--precision" => {
                    let name = args.next().context("`--precision` needs fp32, fp16 or int8")?;
                    asked.precisions.push(name.to_string_lossy().into_owned());
                }
                "--nasc" => {
                    let path = args.next().context("`--nasc` needs the path of an executable")?;
                    asked.nasc = Some(std::path::absolute(path)?);
                }
                name => {
                    ensure!(engines().any(|it| it.name == name), "there is no engine `{name}`");
                    asked.engines.push(name.to_owned());
                }
            }
        }
        Ok(asked)
    }

    /// The executable that writes the files, built if none was given.
    fn nasc(&self, root: &Path) -> Result<PathBuf> {
        if let Some(nasc) = &self.nasc {
            return Ok(nasc.clone());
        }
        call(cargo(root).args(["build", "--workspace"]).current_dir(root))?;
        Ok(std::env::current_exe()?.with_file_name("nasc"))
    }

    fn tries_network(&self, network: &Network, precision: &str) -> bool {
        let is_asked =
            |all: &[String], name: &str| all.is_empty() || all.iter().any(|it| it == name);
        is_asked(&self.networks, &network.space) && is_asked(&self.precisions, precision)
    }

    fn tries(&self, engine: &Engine) -> bool {
        !self.last
            && (self.engines.is_empty() || self.engines.iter().any(|name| name == engine.name))
    }
}

fn engines() -> impl Iterator<Item = &'static Engine> {
    MORE_ENGINES.iter().chain(&ENGINES)
}

/// Tries the engines of these names, or all, with what the page does not say of them yet; the table has what each of the others said
/// last. `--bless` among them writes it into the page.
pub(crate) fn run(root: &Path, args: &[OsString]) -> Result<()> {
    let asked = Asked::parse(args)?;
    let folder = root.join(FOLDER).join("vendors");
    let networks = networks(root)?;
    for name in &asked.networks {
        ensure!(networks.iter().any(|it| it.space == *name), "no space `{name}` is shipped");
    }
    for name in &asked.precisions {
        ensure!(PRECISIONS.iter().any(|(it, _)| it == name), "there is no precision `{name}`");
    }
    let page = fs::read_to_string(root.join(PAGE))?;
    if !asked.last {
        let nasc = asked.nasc(root)?;
        for engine in engines().filter(|engine| asked.tries(engine)) {
            let (_, known) = if asked.anew { Column::default() } else { on_page(engine, &page) };
            for (precision, bound) in PRECISIONS {
                if !takes(engine.name, precision) {
                    continue;
                }
                let is_open = |it: &&Network| {
                    let cell = known.get(&(it.space.clone(), precision));
                    asked.tries_network(it, precision) && cell.is_none_or(|cell| is_unknown(cell))
                };
                let open: Vec<&Network> = networks.iter().filter(is_open).collect();
                if open.is_empty() {
                    continue;
                }
                write(root, &nasc, &open, &folder, (precision, bound))?;
                eprintln!("trying {} in {precision}", engine.name);
                engine.run(root, &folder.join(precision))?;
            }
        }
    }
    let lacking = lacking(&networks, &folder);
    let columns: Result<Vec<Column>> = engines().map(|it| last_told(it, &folder, &page)).collect();
    let is_written = |(space, precision): &(String, &'static str)| {
        folder.join(precision).join(format!("{space}.onnx")).exists()
    };
    let table = table(&networks, &lacking, &columns?, is_written);
    println!("{table}");
    if asked.bless {
        write_table(&root.join(PAGE), &table)?;
    }
    Ok(())
}

/// Whether an engine, by its name or the head of its column, takes files of a precision.
fn takes(engine: &str, precision: &str) -> bool {
    let name = engine.split(' ').next().unwrap_or(engine);
    precision == "fp32" || !OF_FLOATS.contains(&name)
}

/// Why networks could not be written.
fn lacking(networks: &[Network], folder: &Path) -> Told {
    let reason = |network: &Network, precision: &'static str| {
        let why = network.onnx(&folder.join(precision)).with_extension("why");
        let why = fs::read_to_string(why).ok()?;
        Some(((network.space.clone(), precision), format!("not written: {why}")))
    };
    let all = PRECISIONS.iter().flat_map(|&(it, _)| networks.iter().map(move |of| (of, it)));
    all.filter_map(|(network, precision)| reason(network, precision)).collect()
}

/// Writes the networks in a precision, and the list of those that could be written.
fn write(
    root: &Path,
    nasc: &Path,
    networks: &[&Network],
    folder: &Path,
    (precision, bound): (&'static str, f64),
) -> Result<()> {
    let (own, floats) = (folder.join(precision), folder.join("fp32"));
    fs::create_dir_all(&own)?;
    let mut cases = Vec::new();
    for network in networks {
        eprintln!("writing {} in {precision}", network.space);
        let written = match precision {
            "int8" => network.round(nasc, &floats, &own, root),
            _ => network.export(nasc, &own, precision),
        };
        if written.is_ok() {
            cases.push(case(&own, &network.space, bound)?);
        }
    }
    Ok(fs::write(own.join("cases.json"), serde_json::to_string(&cases)?)?)
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
    fn onnx(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.onnx", self.space))
    }

    /// Writes the ONNX file of floats and its record, unless this `nasc` has done so.
    fn export(&self, nasc: &Path, folder: &Path, precision: &str) -> Result<(), String> {
        let attempt = |seed: &str| {
            let mut command = Command::new(nasc);
            command.arg("export").arg(&self.file).args(["--space", &self.space, "--arch", ARCH]);
            command.args(["--precision", precision, "--seed", seed, "--constant", "--full"]);
            command
        };
        written(SEEDS.map(attempt), nasc, &self.onnx(folder))
    }

    /// Writes the ONNX file of integers of that of 32-bit floats, unless this `nasc` has done so.
    fn round(&self, nasc: &Path, floats: &Path, folder: &Path, root: &Path) -> Result<(), String> {
        if self.export(nasc, floats, "fp32").is_err() {
            let why = self.onnx(folder).with_extension("why");
            let none = "there is none of 32-bit floats".to_owned();
            return fs::write(why, &none).map_err(|error| error.to_string()).and(Err(none));
        }
        let floats = self.onnx(floats);
        let mut command = Command::new(nasc);
        command.arg("int8").arg(floats).args(["--data", PICTURES]);
        // What it says of a picture goes into the page.
        command.current_dir(root);
        // Taking out of biases what rounding adds is slow, and tells nothing of engines.
        command.args(["--images", IMAGES, "--keep-biases"]);
        written([command], nasc, &self.onnx(folder))
    }
}

/// Lets the first of some commands of `nasc` that can write a file, unless there is one that is newer than `nasc`. If none can,
/// there is a text of the same name that says why, which is as good.
fn written<const N: usize>(
    attempts: [Command; N],
    nasc: &Path,
    output: &Path,
) -> Result<(), String> {
    let why = output.with_extension("why");
    let changed = |path: &Path| fs::metadata(path).and_then(|it| it.modified()).ok();
    let is_new = |path: &Path| changed(path).is_some_and(|at| changed(nasc) < Some(at));
    if is_new(&why) {
        return Err(fs::read_to_string(&why).map_err(|error| error.to_string())?);
    }
    if is_new(output) {
        return Ok(());
    }
    let _ = (fs::remove_file(output), fs::remove_file(&why));
    let log = output.with_extension("log");
    let mut reasons = Vec::new();
    for mut command in attempts {
        match said(command.arg("-o").arg(output), &log) {
            Ok(()) => return Ok(()),
            Err(reason) => reasons.push(reason),
        }
        // Weights of another seed take as long.
        if reasons.last().is_some_and(|reason| reason.starts_with(SLOW)) {
            break;
        }
    }
    let last = reasons.pop().unwrap_or_default();
    fs::write(&why, &last).map_err(|error| error.to_string())?;
    Err(last)
}

/// Runs a command that writes what it says into a file; on failure its first line of an error.
fn said(command: &mut Command, log: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let file = fs::File::create(log).map_err(failed)?;
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().map_err(failed)?;
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if begin.elapsed() > TIME {
            let _ = (child.kill(), child.wait());
            return Err(format!("{SLOW} {} s", TIME.as_secs()));
        }
        std::thread::sleep(EVERY);
    };
    if status.success() {
        return Ok(());
    }
    let text = fs::read_to_string(log).map_err(failed)?;
    Err(reason(&text))
}

/// Of what a command says on failure the code or first line; where outputs differ, also by how much.
fn reason(text: &str) -> String {
    let code = text.lines().find(|line| line.starts_with("nas::") || line.starts_with("error: "));
    let code = code.unwrap_or("it failed").trim_start_matches("error: ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut ends = words.windows(4);
    let apart = ends.find_map(|end| match end {
        [apart, "of", "its" | "the", "largest"] => Some(format!(", {apart}")),
        _ => None,
    });
    code.chars().take(80).chain(apart.unwrap_or_default().chars()).collect()
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

/// What an engine said last of all networks: its name and version, and a verdict for each that it was given, now or for the page.
fn last_told(engine: &Engine, folder: &Path, page: &str) -> Result<Column> {
    let (mut head, mut told) = on_page(engine, page);
    for (precision, _) in PRECISIONS {
        let answer = engine.answer(&folder.join(precision));
        if !answer.exists() {
            continue;
        }
        let answer = read_json(&answer)?;
        head = format!("{} {}", engine.name, text(&answer, "version"));
        let verdicts: BTreeMap<String, String> =
            serde_json::from_value(answer.get("verdicts").cloned().unwrap_or_default())?;
        told.extend(
            verdicts.into_iter().map(|(name, verdict)| ((name, precision), short(&verdict))),
        );
    }
    Ok((head, told))
}

/// Whether a cell tells nothing of a network in an engine.
fn is_unknown(cell: &str) -> bool {
    UNKNOWN.iter().any(|begin| cell.starts_with(begin))
}

/// The column of the page that tells of this version of an engine; empty if there is none.
fn on_page(engine: &Engine, page: &str) -> Column {
    let mut rows = page.lines().filter(|line| line.starts_with('|')).map(|line| {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    });
    let heads: Vec<String> = rows.next().unwrap_or_default();
    let is_of = |head: &String| {
        let mut words = head.split(' ');
        words.next() == Some(engine.name) && words.next_back().is_some_and(|it| engine.has(it))
    };
    let Some(place) = heads.iter().position(is_of) else {
        return (engine.name.to_owned(), Told::new());
    };
    let told = rows.filter_map(|row: Vec<String>| {
        let cell = row.get(place)?;
        let (precision, _) =
            PRECISIONS.iter().find(|(name, _)| Some(*name) == row.get(1).map(String::as_str))?;
        let space = row.first()?.trim_matches('`').to_owned();
        Some(((space, *precision), cell.clone()))
    });
    (heads.get(place).cloned().unwrap_or_default(), told.collect())
}

/// For each network and precision what each engine says.
fn table(
    networks: &[Network],
    lacking: &Told,
    columns: &[Column],
    is_written: impl Fn(&(String, &'static str)) -> bool,
) -> String {
    let heads: Vec<&str> = columns.iter().map(|(head, _)| head.as_str()).collect();
    let rule = "|---".repeat(columns.len() + 2);
    let mut table = format!("| network | precision | {} |\n{rule}|\n", heads.join(" | "));
    for network in networks {
        for (precision, _) in PRECISIONS {
            let key = (network.space.clone(), precision);
            let cells = columns.iter().enumerate().map(|(place, (head, told))| {
                match (lacking.get(&key), told.get(&key)) {
                    _ if !takes(head, precision) => FROM_FLOATS.to_owned(),
                    // Why is said once.
                    (Some(_), _) if place > 0 => "not written".to_owned(),
                    (Some(why), _) => short(why),
                    // What the page says of a file that was not there is no more true where there is one.
                    (None, Some(verdict))
                        if !verdict.starts_with("not written") || !is_written(&key) =>
                    {
                        verdict.clone()
                    }
                    (None, _) => "not tried".to_owned(),
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_failure_fits_into_a_cell() {
        let text = "note: fresh\nnas::verify::differs\n\n  × x.onnx was not written:\n  │   output `y`: differs by 1.03e0, 2.82e-1 of its largest \
                    value\n";
        assert_eq!(reason(text), "nas::verify::differs, 2.82e-1");
        assert_eq!(reason("error: there are no pictures\n"), "there are no pictures");
        assert_eq!(reason(""), "it failed");
    }

    #[test]
    fn an_engine_is_given_what_it_takes() {
        assert!(takes("ethos_u", "fp32") && takes("tvm 0.27.0", "int8"));
        assert!(!takes("ethos_u 5.2.0", "int8") && !takes("ethos_u", "fp16"));
    }

    #[test]
    fn what_the_page_tells_of_the_pinned_version_is_known() {
        let page = |version: &str| {
            format!(
                "# A page\n\n| network | precision | onnx {version} |\n|---|---|---|\n| `a` | fp32 | valid |\n\
                 | `a` | fp16 | not tried |\n| `a` | int8 | stopped after 9 s |\n| `b` | int8 | refused: no |\n"
            )
        };
        let [engine, ..] = &MORE_ENGINES;
        let (head, told) = on_page(engine, &page("1.23.2"));
        assert_eq!(head, "onnx 1.23.2");
        let known = told.iter().filter(|(_, cell)| !is_unknown(cell));
        let known: Vec<_> =
            known.map(|((space, precision), _)| (space.as_str(), *precision)).collect();
        assert_eq!((told.len(), known), (4, vec![("a", "fp32"), ("b", "int8")]));
        assert!(on_page(engine, &page("1.0")).1.is_empty() && on_page(engine, "").1.is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_not_tried_again_by_the_same_nasc() {
        let folder = tempfile::tempdir().unwrap();
        let (nasc, output) = (folder.path().join("nasc"), folder.path().join("x.onnx"));
        fs::write(&nasc, "").unwrap();
        std::thread::sleep(EVERY);
        let failing = || {
            let mut command = Command::new("sh");
            command.args(["-c", "echo 'error: no' >&2; exit 1"]);
            command
        };
        assert_eq!(written([failing(), failing()], &nasc, &output), Err("no".to_owned()));
        assert_eq!(written([], &nasc, &output), Err("no".to_owned()));
        fs::remove_file(output.with_extension("why")).unwrap();
        let mut writing = Command::new("sh");
        writing.args(["-c", "touch \"$1\"", "sh"]).arg(&output);
        // `-o` and the path follow.
        assert_eq!(written([failing(), writing], &nasc, &output), Ok(()));
        assert_eq!(written([failing()], &nasc, &output), Ok(()));
    }
}
