//! `cargo xtask engines`: holds the targets of the standard library against the engines themselves.
//!
//! Each operator is exported in several forms; an engine runs in an environment of its own under
//! `target/engines`, by a runner of `tests/engines`. A target that claims a case which its engine
//! refuses or computes otherwise fails, and so does one that refuses what the engine runs, unless
//! `tests/engines/stricter.txt` lists it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// An engine that installs from PyPI. Its name is that of its target.
struct Engine {
    name: &'static str,
    packages: &'static [&'static str],
    /// Packages of which no dependencies are installed.
    alone: &'static [&'static str],
}

/// In an order in which what one leaves for another is there.
const ENGINES: [Engine; 6] = [
    Engine { name: "onnxruntime", packages: &["onnxruntime==1.31.1"], alone: &[] },
    Engine { name: "openvino", packages: &["openvino==2026.4.1"], alone: &[] },
    // pnnx depends on PyTorch for models of PyTorch.
    Engine {
        name: "ncnn",
        packages: &["numpy==2.4.6"],
        alone: &["ncnn==1.0.20261020", "pnnx==20261020"],
    },
    Engine { name: "tflite", packages: &["onnx2tf==1.29.24"], alone: &[] },
    Engine { name: "ethos_u", packages: &["ethos-u-vela==5.2.0"], alone: &[] },
    // As pnnx.
    Engine {
        name: "rknn",
        packages: &[
            "fast-histogram",
            "numpy==1.26.4",
            "onnx==1.18.0",
            "onnxruntime<1.24",
            "opencv-python-headless<4.12",
            "protobuf==4.25.4",
            "psutil",
            "ruamel.yaml",
            "scipy",
            "setuptools",
            "tqdm",
        ],
        alone: &["rknn-toolkit2==2.5.0"],
    },
];

const FOLDER: &str = "target/engines";
const RUNNERS: &str = "tests/engines";
const PAGE: &str = "grammar/reference/targets.md";
/// Between these lines of the page stands the table.
const MARKS: [&str; 2] = ["<!-- written by cargo xtask engines -->", "<!-- end -->"];
const RUNS: &str = "runs";

/// Verdicts of an engine, by case.
type Verdicts = BTreeMap<String, String>;

/// Tries the engines of these names, or all. `--bless` among them writes the table of the page.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let bless = args.iter().any(|arg| arg == "--bless");
    let asked: Vec<&str> =
        args.iter().map(String::as_str).filter(|arg| *arg != "--bless").collect();
    for name in &asked {
        let is_known = *name == "tract" || ENGINES.iter().any(|engine| engine.name == *name);
        ensure!(is_known, "there is no engine `{name}`");
    }
    ensure!(!bless || asked.is_empty(), "the table needs all engines");
    let cases = export(root)?;
    let mut tried = vec![("tract", "in this build".to_owned(), verdicts_of_tract(&cases))];
    for engine in ENGINES.iter().filter(|it| asked.is_empty() || asked.contains(&it.name)) {
        eprintln!("trying {}", engine.name);
        let (version, verdicts) = engine.try_all(root)?;
        tried.push((engine.name, version, verdicts));
    }
    let table = table(&cases, &tried);
    println!("{table}");
    if bless {
        write_table(&root.join(PAGE), &table)?;
    }
    judge(root, &cases, &tried)
}

/// The cases, written by the crate that has the definitions of the operators.
fn export(root: &Path) -> Result<Vec<Value>> {
    let folder = root.join(FOLDER).join("cases");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "-p", "nas-tract", "--example", "engine_cases", "--"]).arg(&folder);
    call(command.current_dir(root))?;
    let text = fs::read_to_string(folder.join("cases.json"))?;
    Ok(serde_json::from_str(&text)?)
}

/// Runs a command whose output is for the eyes only.
fn call(command: &mut Command) -> Result<()> {
    let name = format!("{command:?}");
    let status = command.stdin(Stdio::null()).stdout(std::io::stderr()).status();
    let status = status.with_context(|| format!("{name} could not be started"))?;
    ensure!(status.success(), "{name}: {status}");
    Ok(())
}

fn text<'v>(case: &'v Value, key: &str) -> &'v str {
    case.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn verdicts_of_tract(cases: &[Value]) -> Verdicts {
    cases.iter().map(|it| (text(it, "name").to_owned(), text(it, "tract").to_owned())).collect()
}

impl Engine {
    /// Its version and what it makes of each case.
    fn try_all(&self, root: &Path) -> Result<(String, Verdicts)> {
        let folder = root.join(FOLDER);
        let python = self.environment(&folder)?;
        let answer = folder.join(format!("{}.json", self.name));
        let log = fs::File::create(folder.join(format!("{}.log", self.name)))?;
        let status = Command::new(python)
            .arg(root.join(RUNNERS).join(format!("{}_runner.py", self.name)))
            .args([folder.join("cases"), answer.clone()])
            // Toolkits leave files where they run.
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()?;
        ensure!(status.success(), "{}: {status}; see {FOLDER}/{0}.log", self.name);
        let answer: Value = serde_json::from_str(&fs::read_to_string(answer)?)?;
        let verdicts = answer.get("verdicts").cloned().unwrap_or_default();
        Ok((text(&answer, "version").to_owned(), serde_json::from_value(verdicts)?))
    }

    /// The Python of an environment with the pinned packages, made if it is not there.
    fn environment(&self, folder: &Path) -> Result<PathBuf> {
        let home = folder.join(self.name);
        let (python, stamp) = (home.join("bin/python"), home.join("PACKAGES"));
        let wanted = [self.packages, self.alone].concat().join("\n");
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(python);
        }
        call(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        call(Command::new(&python).args(install).args(self.packages))?;
        if !self.alone.is_empty() {
            call(Command::new(&python).args(install).arg("--no-deps").args(self.alone))?;
        }
        fs::write(stamp, wanted)?;
        Ok(python)
    }
}

/// For each operator and engine, how many of its cases run and agree.
fn table(cases: &[Value], tried: &[(&str, String, Verdicts)]) -> String {
    let head: Vec<String> =
        tried.iter().map(|(name, version, _)| format!("{name} {version}")).collect();
    let rule = "|---".repeat(tried.len() + 2);
    let mut table = format!("| operator | cases | {} |\n{rule}|\n", head.join(" | "));
    let mut by_operator: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for case in cases {
        let operators = case.get("operators").and_then(Value::as_array).into_iter().flatten();
        let names: Vec<&str> = operators.filter_map(Value::as_str).collect();
        // Where there are several, the case is about what they do together.
        let key =
            if let [only] = names.as_slice() { format!("`{only}`") } else { "several".to_owned() };
        by_operator.entry(key).or_default().push(text(case, "name"));
    }
    for (operator, names) in by_operator {
        let cells = tried.iter().map(|(_, _, verdicts)| {
            let runs = |name: &&&str| verdicts.get(**name).is_some_and(|it| it == RUNS);
            match names.iter().filter(runs).count() {
                0 => "no".to_owned(),
                all if all == names.len() => "yes".to_owned(),
                some => format!("{some}"),
            }
        });
        let cells: Vec<String> = cells.collect();
        table += &format!("| {operator} | {} | {} |\n", names.len(), cells.join(" | "));
    }
    table
}

fn write_table(page: &Path, table: &str) -> Result<()> {
    let old = fs::read_to_string(page)?;
    let [begin, end] = MARKS;
    let (before, rest) = old.split_once(begin).context("the page lacks the mark of its table")?;
    let (_, after) = rest.split_once(end).context("the page lacks the end of its table")?;
    fs::write(page, format!("{before}{begin}\n\n{table}\n{end}{after}"))?;
    Ok(())
}

/// Fails where a target and its engine disagree, but where it is known to be stricter.
fn judge(root: &Path, cases: &[Value], tried: &[(&str, String, Verdicts)]) -> Result<()> {
    let listed = fs::read_to_string(root.join(RUNNERS).join("stricter.txt"))?;
    let lines = listed.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut stricter: BTreeSet<&str> = lines.collect();
    let mut problems = Vec::new();
    for (engine, _, verdicts) in tried {
        for case in cases {
            let name = text(case, "name");
            let verdict = verdicts.get(name).map_or("no verdict", String::as_str);
            let refusal = case.get("refusals").and_then(|all| all.get(*engine)?.as_str());
            match (refusal, verdict == RUNS) {
                (None, false) => problems.push(format!("{engine} claims {name}: {verdict}")),
                (Some(refusal), true) if !stricter.remove(format!("{engine} {name}").as_str()) => {
                    problems
                        .push(format!("{engine} runs {name}, which its target refuses: {refusal}"));
                }
                _ => {}
            }
        }
    }
    let engines: Vec<&str> = tried.iter().map(|(engine, ..)| *engine).collect();
    let is_tried =
        |line: &&&str| line.split(' ').next().is_some_and(|name| engines.contains(&name));
    let stale = stricter.iter().filter(is_tried);
    problems.extend(stale.map(|line| format!("stricter.txt: `{line}` is not stricter")));
    if problems.is_empty() {
        return Ok(());
    }
    bail!("targets and engines disagree:\n{}", problems.join("\n"))
}
