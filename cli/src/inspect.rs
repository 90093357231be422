//! The commands that look and do not train: check, fmt, cost, analyze, sample, explain.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::MietteDiagnostic;
use nas_compiler::analyse::{self, Moments, Range};
use nas_compiler::compile::NamedNetwork;
use nas_compiler::error::{Problems, is_error};
use nas_compiler::network::Cost;
use nas_compiler::measure::Measure;
use nas_compiler::{Checked, Compiler, Network, Space, specialise};
use nas_grammar::Problem;
use serde::Serialize;
use serde_json::json;

use crate::input::{self, Input};
use crate::report::{self, Failure};
use crate::table::Table;

/// Arguments of `nasc check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// How problems are written: for people to standard error, or as JSON to standard output.
    #[arg(long, value_enum, default_value_t = ProblemFormat::Text)]
    pub format: ProblemFormat,
}

/// How problems are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProblemFormat {
    /// For people.
    Text,
    /// For editors.
    Json,
}

/// Every problem of the files.
///
/// # Errors
/// There is an error among them.
pub fn check(args: &CheckArgs) -> Result<(), Failure> {
    let mut all: Vec<Problem> = Vec::new();
    let mut is_cut = false;
    for path in &args.files {
        let mut problems = Problems::default();
        match Input::load(path, &mut problems) {
            Ok(input) => Compiler::new(&input.program, &mut problems).check_all(),
            Err(Failure::Problems(found)) => problems.extend(found),
            Err(Failure::Input(text)) => problems.push(MietteDiagnostic::new(text)),
            Err(other) => return Err(other),
        }
        is_cut |= problems.is_cut();
        all.extend(problems.into_vec());
    }
    let errors = all.iter().filter(|problem| is_error(problem.as_ref())).count();
    let warnings = all.len() - errors;
    if args.format == ProblemFormat::Json {
        println!("{}", report::json(&all));
        return if errors == 0 { Ok(()) } else { Err(Failure::Reported) };
    }
    report::print_problems(&all);
    if all.is_empty() {
        return Ok(());
    }
    let more = if is_cut { "; there are more than are shown" } else { "" };
    eprintln!("{}, {}{more}", counted(errors, "error"), counted(warnings, "warning"));
    if errors == 0 { Ok(()) } else { Err(Failure::Reported) }
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Arguments of `nasc fmt`.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// The files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Change nothing; fail if a file is not in canonical layout.
    #[arg(long)]
    pub check: bool,
}

/// Brings files into canonical layout; all that can be, also where one cannot.
///
/// # Errors
/// A file cannot be read or parsed, or, with `--check`, is not in canonical layout.
pub fn fmt(args: &FmtArgs) -> Result<(), Failure> {
    let mut failed = false;
    for path in &args.files {
        if let Err(failure) = format_file(path, args.check) {
            let _ = failure.report();
            failed = true;
        }
    }
    if failed { Err(Failure::Reported) } else { Ok(()) }
}

fn format_file(path: &Path, check: bool) -> Result<(), Failure> {
    let source = input::read_source(path)?;
    let formatted = nas_grammar::format::format(&source).map_err(Failure::Problems)?;
    if formatted == **source.text() {
        return Ok(());
    }
    if check {
        let path = path.display();
        return Err(Failure::input(format!(
            "{path} is not in canonical layout: `nasc fmt {path}`"
        )));
    }
    crate::files::write_whole(path, formatted.as_bytes())
}

/// The network that `--arch` means, with its place in the space.
pub(crate) fn named_network(
    file: &Path,
    space: Option<&str>,
    which: &str,
) -> Result<(NamedNetwork, Network), Failure> {
    Input::with(file, |program, compiler| {
        let named = input::network(program, compiler, space, which)?;
        let network = specialise(&named.space, &named.assignment);
        Ok((named, network))
    })
}

/// Arguments of `nasc cost`.
#[derive(Debug, Args)]
pub struct CostArgs {
    /// The file.
    pub file: PathBuf,
    /// The network: an `arch` item, a JSON file, or random:SEED.
    #[arg(long)]
    pub arch: String,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Every layer that costs something.
    #[arg(long)]
    pub layers: bool,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
}

/// What one network costs.
///
/// # Errors
/// The file is at fault.
pub fn cost(args: &CostArgs) -> Result<(), Failure> {
    let (_, network) = named_network(&args.file, args.space.as_deref(), &args.arch)?;
    let total = network.cost();
    let costs = network.nodes.iter().map(|node| (node, network.node_cost(node)));
    let layers = costs.filter(|(_, cost)| *cost != Cost::default());
    if args.json {
        let mut value = serde_json::Map::new();
        value.insert("macs".to_owned(), total.macs.into());
        value.insert("params".to_owned(), total.params.into());
        if args.layers {
            let rows = layers.map(|(node, Cost { macs, params })| {
                json!({"name": node.name, "shape": node.shape, "macs": macs, "params": params})
            });
            value.insert("layers".to_owned(), rows.collect());
        }
        println!("{:#}", serde_json::Value::Object(value));
        return Ok(());
    }
    let mut table = Table::new(["layer", "shape", "macs", "params"]);
    if args.layers {
        for (node, Cost { macs, params }) in layers {
            table.row([node.name.clone(), node.shape.to_string(), grouped(macs), grouped(params)]);
        }
    }
    table.row(["total".to_owned(), String::new(), grouped(total.macs), grouped(total.params)]);
    print!("{table}");
    Ok(())
}

/// A number with its digits in groups of three, as literals of the language may be written.
#[must_use]
pub fn grouped(n: impl ToString) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// Arguments of `nasc analyze`.
#[derive(Debug, Args)]
pub struct AnalyzeArgs {
    /// The file.
    pub file: PathBuf,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
}

/// The exact figures of a whole space; none where the decisions are too entangled for one.
pub struct Figures {
    /// Number of networks.
    pub count: Option<String>,
    /// Number of decisions.
    pub decisions: usize,
    /// Multiply-accumulates.
    pub macs: Option<Spread>,
    /// Trainable parameters.
    pub params: Option<Spread>,
}

/// A measure over all networks of a space.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    /// Its least and its greatest value.
    #[serde(flatten)]
    pub range: Range,
    /// Its mean and standard deviation.
    #[serde(flatten)]
    pub moments: Moments,
}

impl Spread {
    fn of(space: &Checked<Space>, measure: Measure) -> Option<Self> {
        let range = analyse::range(space, measure).ok()?;
        Some(Self { range, moments: analyse::moments(space, measure).ok()? })
    }
}

impl Figures {
    /// The figures of a space.
    #[must_use]
    pub fn of(space: &Checked<Space>) -> Self {
        Self {
            count: analyse::count(space).ok().map(|count| count.to_string()),
            decisions: space.decisions.len(),
            macs: Spread::of(space, Measure::Macs),
            params: Spread::of(space, Measure::Params),
        }
    }
}

/// The figures of a space as a table.
#[must_use]
pub fn figures_table(space: &str, figures: &Figures) -> String {
    let mut table = Table::new([space, "min", "mean", "max", "std"]);
    for (name, spread) in [("macs", figures.macs), ("params", figures.params)] {
        let whole = |figure: f64| grouped(format!("{figure:.0}"));
        let cells = match spread {
            Some(Spread { range: Range { min, max }, moments: Moments { mean, std } }) => {
                [grouped(min), whole(mean), grouped(max), whole(std)]
            }
            None => ["too entangled"; 4].map(str::to_owned),
        };
        let [min, mean, max, std] = cells;
        table.row([name.to_owned(), min, mean, max, std]);
    }
    let networks = match &figures.count {
        Some(count) => format!("{} networks", grouped(count)),
        None => "networks too entangled to count".to_owned(),
    };
    format!("{networks}, {} decisions\n{table}", figures.decisions)
}

/// Exact figures of a whole space.
///
/// # Errors
/// The file is at fault.
pub fn analyze(args: &AnalyzeArgs) -> Result<(), Failure> {
    let space = Input::with(&args.file, |program, compiler| {
        input::space(program, compiler, args.space.as_deref())
    })?;
    let figures = Figures::of(&space);
    if args.json {
        let Figures { count, decisions, macs, params } = &figures;
        println!(
            "{:#}",
            json!({"count": count, "decisions": decisions, "macs": macs, "params": params})
        );
    } else {
        print!("{}", figures_table(&space.name, &figures));
    }
    Ok(())
}

/// Arguments of `nasc sample`.
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// The file.
    pub file: PathBuf,
    /// How many networks.
    #[arg(short, default_value_t = 1)]
    pub n: usize,
    /// The same seed draws the same networks.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
}

/// Networks drawn uniformly: one JSON object a line, with decisions and costs.
///
/// # Errors
/// The file is at fault.
pub fn sample(args: &SampleArgs) -> Result<(), Failure> {
    let space = Input::with(&args.file, |program, compiler| {
        input::space(program, compiler, args.space.as_deref())
    })?;
    for assignment in crate::sample::draw(&space, args.seed)?.take(args.n) {
        let network = specialise(&space, &assignment);
        let choices: indexmap::IndexMap<String, String> = network.choices.iter().cloned().collect();
        let Cost { macs, params } = network.cost();
        println!("{}", json!({"choices": choices, "macs": macs, "params": params}));
    }
    Ok(())
}

/// Arguments of `nasc explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code of a diagnostic, such as nas::shape::groups.
    pub code: String,
}

/// The page of a diagnostic's code.
///
/// # Errors
/// There is no such code.
pub fn explain(args: &ExplainArgs) -> Result<(), Failure> {
    match nas_grammar::reference::error_page(&args.code) {
        Some(page) => {
            print!("{page}");
            Ok(())
        }
        None => {
            let codes = nas_grammar::reference::error_codes();
            let hint = match probable_code(&args.code, &codes) {
                Some(code) => format!("did you mean {code}?"),
                None => "a code stands above each report, such as nas::shape::groups".to_owned(),
            };
            Err(Failure::input(format!("there is no code `{}`; {hint}", args.code)))
        }
    }
}

/// The code that was meant: by its last part alone, or misspelt.
fn probable_code<'c>(given: &str, codes: &'c [String]) -> Option<&'c str> {
    let mut codes = codes.iter().map(String::as_str);
    let ends = |code: &&str| code.rsplit("::").next() == Some(given);
    codes.clone().find(ends).or_else(|| nas_compiler::error::nearest(given, &mut codes))
}
