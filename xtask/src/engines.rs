//! `cargo xtask engines`: holds the targets of the standard library against the engines themselves.
//!
//! Each operator is exported in several forms, at the operator set that the target names; an engine
//! runs in an environment of its own under `target/engines`, by a runner of `tests/engines`. A target
//! that claims a case which its engine refuses or computes otherwise fails, and so does one that
//! refuses what the engine runs, unless `tests/engines/stricter.txt` lists it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::cargo::cargo;
use crate::pip::{self, Offline};

/// An engine that installs from PyPI.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    packages: &'static [&'static str],
    /// Packages of which no dependencies are installed.
    alone: &'static [&'static str],
}

/// Those of the targets of the standard library, by the names of these. The first is that of the tests. In an order in which what one leaves for another is there.
pub(crate) const ENGINES: [Engine; 6] = [
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

/// Those that no target describes, for whole networks alone.
pub(crate) const MORE_ENGINES: [Engine; 3] = [
    Engine { name: "onnx", packages: &["onnx==1.23.2", "numpy==2.4.6"], alone: &[] },
    Engine { name: "mnn", packages: &["mnn==3.6.1", "numpy==2.4.6"], alone: &[] },
    Engine {
        name: "tvm",
        packages: &["apache-tvm==0.27.0.post1", "onnx==1.23.2", "numpy==2.4.6"],
        alone: &[],
    },
];

/// Networks of PyTorch, and the engines that are held against it; no target is of this name.
pub(crate) const TORCH: Engine = Engine {
    name: "torch",
    packages: &[
        "torch==2.11.0",
        "torchvision==0.26.0",
        "timm==1.0.31",
        "onnx==1.23.2",
        "onnxscript==0.7.2",
        "onnxruntime==1.31.1",
        "openvino==2026.4.1",
        "safetensors==0.8.0",
    ],
    alone: &[],
};

pub(crate) const FOLDER: &str = "target/engines";
const RUNNERS: &str = "tests/engines";
const PAGE: &str = "grammar/reference/targets.md";
/// Between these lines of a page stands a table: that of such a command, and the end.
const MARKS: [&str; 2] = ["<!-- written by cargo xtask ", "<!-- end -->"];
const RUNS: &str = "runs";
/// The example of `nas-tract` that writes the cases.
const WRITER: &str = "engine_cases";

/// Verdicts of an engine, by case.
type Verdicts = BTreeMap<String, String>;

/// What came of an engine.
struct Tried {
    engine: &'static str,
    version: String,
    opset: u64,
    verdicts: Verdicts,
}

impl Tried {
    fn runs(&self, case: &str) -> bool {
        self.verdicts.get(case).is_some_and(|verdict| verdict == RUNS)
    }
}

/// Tries the engines of these names, or all. `--bless` among them writes the table of the page.
pub(crate) fn run(root: &Path, args: &[OsString]) -> Result<()> {
    let bless = args.iter().any(|arg| arg == "--bless");
    let names = args.iter().filter(|arg| *arg != "--bless").map(|arg| arg.to_string_lossy());
    let names: Vec<Cow<'_, str>> = names.collect();
    let asked: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    for name in &asked {
        let is_known = *name == "tract" || ENGINES.iter().any(|engine| engine.name == *name);
        ensure!(is_known, "there is no engine `{name}`");
    }
    ensure!(!bless || asked.is_empty(), "the table needs all engines");
    let cases = Cases::export(root)?;
    let mut tried = vec![cases.tract()?];
    for engine in ENGINES.iter().filter(|it| asked.is_empty() || asked.contains(&it.name)) {
        eprintln!("trying {}", engine.name);
        tried.push(engine.try_all(root, &cases)?);
    }
    let table = table(&cases.all, &tried);
    println!("{table}");
    if bless {
        write_table(&root.join(PAGE), &table)?;
    }
    judge(root, &cases.all, &tried)
}

/// Tries the engine of the tests, which installs in seconds. Where no package index can be reached, a
/// line is returned that says that this was skipped.
pub(crate) fn test(root: &Path) -> Result<Option<String>> {
    let [engine, ..] = &ENGINES;
    if let Err(error) = engine.environment(&root.join(FOLDER)) {
        let offline = error.downcast::<Offline>()?;
        let name = &engine.name;
        return Ok(Some(format!("skipped: target `{name}` against its engine: {offline}")));
    }
    let cases = Cases::export(root)?;
    let tried = engine.try_all(root, &cases)?;
    let Tried { engine, version, opset, verdicts } = &tried;
    let summary = format!(
        "{engine} {version} runs what its target claims, in {} cases at operator set {opset}",
        verdicts.len()
    );
    judge(root, &cases.all, &[tried])?;
    println!("{summary}");
    Ok(None)
}

/// The cases, written by the crate that has the definitions of the operators.
struct Cases {
    folder: PathBuf,
    /// The operator set of each target.
    opsets: BTreeMap<String, u64>,
    /// What there is to say of each case, as the target of tract names its operator set.
    all: Vec<Value>,
}

impl Cases {
    fn export(root: &Path) -> Result<Self> {
        let folder = root.join(FOLDER).join("cases");
        // Of the whole workspace, so that what all its parts need is compiled once.
        let build = ["build", "--workspace", "--example", WRITER];
        call(cargo(root).args(build).current_dir(root))?;
        let here = std::env::current_exe()?;
        let program = here.with_file_name("examples").join(WRITER);
        call(Command::new(program).arg(&folder))?;
        let opsets = serde_json::from_value(read_json(&folder.join("opsets.json"))?)?;
        let mut cases = Self { folder, opsets, all: Vec::new() };
        let all = read_json(&cases.folder_of("tract")?.join("cases.json"))?;
        cases.all = serde_json::from_value(all)?;
        Ok(cases)
    }

    fn opset(&self, target: &str) -> Result<u64> {
        self.opsets.get(target).copied().with_context(|| format!("no target `{target}` is shipped"))
    }

    /// The files at the operator set of a target.
    fn folder_of(&self, target: &str) -> Result<PathBuf> {
        Ok(self.folder.join(format!("opset{}", self.opset(target)?)))
    }

    /// What tract made of them when they were written.
    fn tract(&self) -> Result<Tried> {
        let verdict =
            |case: &Value| (text(case, "name").to_owned(), text(case, "tract").to_owned());
        Ok(Tried {
            engine: "tract",
            version: "in this build".to_owned(),
            opset: self.opset("tract")?,
            verdicts: self.all.iter().map(verdict).collect(),
        })
    }
}

pub(crate) fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no such file", path.display()))
}

/// Runs a command whose output is for the eyes only.
pub(crate) fn call(command: &mut Command) -> Result<()> {
    let name = format!("{command:?}");
    let status = command.stdin(Stdio::null()).stdout(std::io::stderr()).status();
    let status = status.with_context(|| format!("{name} could not be started"))?;
    ensure!(status.success(), "{name}: {status}");
    Ok(())
}

pub(crate) fn text<'v>(case: &'v Value, key: &str) -> &'v str {
    case.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl Engine {
    /// What it makes of each case.
    fn try_all(&self, root: &Path, cases: &Cases) -> Result<Tried> {
        let answer = self.run(root, &cases.folder_of(self.name)?)?;
        Ok(Tried {
            engine: self.name,
            version: text(&answer, "version").to_owned(),
            opset: cases.opset(self.name)?,
            verdicts: serde_json::from_value(answer.get("verdicts").cloned().unwrap_or_default())?,
        })
    }

    /// Whether this is the version of one of its packages.
    pub(crate) fn has(&self, version: &str) -> bool {
        let mut packages = self.packages.iter().chain(self.alone);
        packages.any(|package| package.split_once("==").is_some_and(|(_, it)| it == version))
    }

    /// Where its runner writes what it says of the cases in a folder.
    pub(crate) fn answer(&self, cases: &Path) -> PathBuf {
        cases.join(format!("{}.json", self.name))
    }

    /// What its runner says of the cases in a folder: its version, and a verdict for each. How far it has come is told.
    pub(crate) fn run(&self, root: &Path, cases: &Path) -> Result<Value> {
        let folder = root.join(FOLDER);
        let python = self.environment(&folder)?;
        let answer = self.answer(cases);
        let log = fs::File::create(folder.join(format!("{}.log", self.name)))?;
        let status = Command::new(python)
            .arg(root.join(RUNNERS).join(format!("{}_runner.py", self.name)))
            .args([cases, &answer])
            // Toolkits leave files where they run.
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(std::io::stderr())
            .stderr(log)
            .status()?;
        ensure!(status.success(), "{}: {status}; see {FOLDER}/{0}.log", self.name);
        read_json(&answer)
    }

    /// The Python of an environment with the pinned packages, made if it is not there.
    pub(crate) fn environment(&self, folder: &Path) -> Result<PathBuf> {
        let home = folder.join(self.name);
        let (python, stamp) = (home.join("bin/python"), home.join("PACKAGES"));
        let wanted = [self.packages, self.alone].concat().join("\n");
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(python);
        }
        eprintln!("installing {} into {FOLDER}/{0}: {}", self.name, wanted.replace('\n', ", "));
        call(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))
            .context("help: Debian, Ubuntu: sudo apt install python3-venv")?;
        pip::install(&python, self.packages)?;
        if !self.alone.is_empty() {
            pip::install(&python, &[&["--no-deps"], self.alone].concat())?;
        }
        fs::write(stamp, wanted)?;
        Ok(python)
    }
}

/// For each operator and engine, how many of its cases run and agree.
fn table(cases: &[Value], tried: &[Tried]) -> String {
    let head =
        |Tried { engine, version, opset, .. }: &Tried| format!("{engine} {version}, opset {opset}");
    let head: Vec<String> = tried.iter().map(head).collect();
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
        let cells =
            tried.iter().map(|tried| match names.iter().filter(|name| tried.runs(name)).count() {
                0 => "no".to_owned(),
                all if all == names.len() => "yes".to_owned(),
                some => format!("{some}"),
            });
        let cells: Vec<String> = cells.collect();
        table += &format!("| {operator} | {} | {} |\n", names.len(), cells.join(" | "));
    }
    table
}

/// Writes the table of a command into a page, between the marks that are there.
pub(crate) fn write_table(page: &Path, table: &str) -> Result<()> {
    let old = fs::read_to_string(page)?;
    let [begin, end] = MARKS;
    let (before, rest) = old.split_once(begin).context("the page lacks the mark of its table")?;
    let (command, rest) =
        rest.split_once('\n').context("the page ends at the mark of its table")?;
    let (_, after) = rest.split_once(end).context("the page lacks the end of its table")?;
    fs::write(page, format!("{before}{begin}{command}\n\n{table}\n{end}{after}"))?;
    Ok(())
}

/// Fails where a target and its engine disagree, but where it is known to be stricter.
fn judge(root: &Path, cases: &[Value], tried: &[Tried]) -> Result<()> {
    let listed = fs::read_to_string(root.join(RUNNERS).join("stricter.txt"))?;
    let lines = listed.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut stricter: BTreeSet<&str> = lines.collect();
    let mut problems = Vec::new();
    for (tried, case) in tried.iter().flat_map(|tried| cases.iter().map(move |case| (tried, case)))
    {
        let (engine, name) = (tried.engine, text(case, "name"));
        let refusal = case.get("refusals").and_then(|all| all.get(engine)?.as_str());
        match (refusal, tried.runs(name)) {
            (None, false) => {
                let verdict = tried.verdicts.get(name).map_or("no verdict", String::as_str);
                problems.push(format!("{engine} claims {name}: {verdict}"));
            }
            (Some(refusal), true) if !stricter.remove(format!("{engine} {name}").as_str()) => {
                problems.push(format!("{engine} runs {name}, which its target refuses: {refusal}"));
            }
            _ => {}
        }
    }
    let engines: Vec<&str> = tried.iter().map(|tried| tried.engine).collect();
    let is_tried =
        |line: &&&str| line.split(' ').next().is_some_and(|name| engines.contains(&name));
    let stale = stricter.iter().filter(is_tried);
    problems.extend(stale.map(|line| format!("stricter.txt: `{line}` is not stricter")));
    if problems.is_empty() {
        return Ok(());
    }
    bail!("targets and engines disagree:\n{}", problems.join("\n"))
}
