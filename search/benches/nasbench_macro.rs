//! How good the networks are that strategies find, against known truth: the 6,561 networks of NAS-Bench-Macro
//! (Su et al. 2021), each trained from scratch three times.
//!
//!     cargo bench -p nas-search --bench nasbench_macro -- FILE [STRATEGY[:SETTING=VALUE,...] ...]
//!     cargo bench -p nas-search --bench nasbench_macro -- FILE front
//!
//! The file holds, under `networks` or at its top, for each string of eight digits, a candidate for each
//! layer, the accuracies in percent as a list `test_acc` or one figure `mean_acc`. Of each strategy it tells
//! the best mean accuracy after some trials: the median over the seeds, what is lacking to the best network
//! of all on average, and how often it is above that of `random`, over all pairs of seeds; equals count half. Or, after
//! `front`, the same of the hypervolume of the networks that `nsga2` and `random` tried, by accuracy and MACs: from the worst
//! accuracy and the most MACs of all, in percent of that of all networks.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "it reports, and fails where its file is another"
)]

use std::collections::HashMap;
use std::{env, fs, thread};

use nas_ir::recipe::schema::Kind;
use nas_ir::recipe::{Recipe, StrategySchema, Value as Setting};
use nas_ir::{Assignment, Checked, Space};
use nas_passes::specialise;
use nas_search::record::{Choices, TriedNetwork, Verdict};
use nas_search::strategies::{self, SCHEMAS};
use nas_search::strategy::{Method, Outcome};
use nas_search::trial::{Budget, Trial};
use nas_search::work::Work;
use nas_search::{Metrics, ScoreTable, front};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// Trials after which the best network is told.
const AFTER: [usize; 5] = [25, 50, 100, 200, 400];
const SEEDS: u64 = 100;
/// The candidates by their digits.
const CANDIDATES: [&str; 3] = ["identity", "k3_e3", "k5_e6"];

fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let Some((file, asked)) = args.split_first() else {
        println!("skipped: name the file of the benchmark");
        return;
    };
    let space = nas_testing::space(nas_testing::shipped("nasbench_macro.nas"));
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let json: Value = serde_json::from_str(&text).unwrap();
    let (table, best) = table(&space, json.get("networks").unwrap_or(&json));
    let is_front = asked == ["front"];
    let truth = if is_front { Truth::of_front(&space, &table) } else { Truth::Best(best) };
    let best = truth.best();
    println!("{} networks, the best {best:.3} %; {SEEDS} seeds", table.len());
    let has_table = |schema: &&&StrategySchema| schema.section("score").is_some();
    let all = SCHEMAS.iter().filter(has_table).copied();
    let plain = |name: &'static str| Asked { name, settings: String::new() };
    let all: Vec<&'static StrategySchema> = all.collect();
    let mut meant = vec![plain("random")];
    match asked {
        [] => meant.extend(all.iter().map(|of| plain(of.name)).filter(|of| of.name != "random")),
        _ if is_front => meant.push(plain("nsga2")),
        _ => meant.extend(asked.iter().map(|asked| Asked::read(asked, &all))),
    }
    let mut random: Vec<Vec<f64>> = Vec::new();
    print!("{:16}", "trials");
    AFTER.iter().for_each(|after| print!("{after:>22}"));
    println!();
    for asked in meant {
        let schema = all.iter().find(|schema| schema.name == asked.name).unwrap();
        let recipe = asked.recipe(schema);
        let found = runs(&space, &recipe, &table, &truth);
        if schema.name == "random" {
            random.clone_from(&found);
        }
        let settings = if asked.settings.is_empty() { "" } else { ":" };
        print!("{:16}", format!("{}{settings}{}", asked.name, asked.settings));
        for (place, _) in AFTER.iter().enumerate() {
            let of =
                |runs: &[Vec<f64>]| -> Vec<f64> { runs.iter().map(|run| run[place]).collect() };
            let (mut own, others) = (of(&found), of(&random));
            own.sort_by(f64::total_cmp);
            let median = own[own.len() / 2];
            let lacks = best - own.iter().sum::<f64>() / own.len() as f64;
            let above =
                own.iter().flat_map(|a| others.iter().map(move |b| score(*a, *b))).sum::<f64>();
            let share = 100.0 * above / (own.len() * others.len().max(1)) as f64;
            print!("{median:>9.3} {lacks:>6.3} {share:>4.0}%");
        }
        println!();
    }
}

/// A strategy, and settings of it that are not the defaults.
struct Asked {
    name: &'static str,
    settings: String,
}

impl Asked {
    /// `STRATEGY` or `STRATEGY:SETTING=VALUE,...`.
    fn read(text: &str, all: &[&'static StrategySchema]) -> Self {
        let (name, settings) = text.split_once(':').unwrap_or((text, ""));
        let schema = all.iter().find(|schema| schema.name == name);
        let name = schema.unwrap_or_else(|| panic!("no strategy `{name}` knows scores")).name;
        Self { name, settings: settings.to_owned() }
    }

    /// The recipe, whose scores are known.
    fn recipe(&self, schema: &'static StrategySchema) -> Recipe {
        let mut recipe = Recipe::default_for("truth", schema).unwrap();
        let own = schema.section("strategy").unwrap();
        for setting in self.settings.split(',').filter(|setting| !setting.is_empty()) {
            let (name, value) = setting.split_once('=').unwrap();
            let field = own.field(name).unwrap_or_else(|| panic!("no setting `{name}`"));
            let value = match field.kind {
                Kind::Count { .. } => Setting::Count(value.parse().unwrap()),
                Kind::Real { .. } => Setting::Real(value.parse().unwrap()),
                _ => panic!("`{name}` is no number"),
            };
            recipe.settings.set("strategy", field.name, value);
        }
        recipe.settings.set("score", "by", Setting::Word("table"));
        let most = AFTER[AFTER.len() - 1];
        recipe.settings.set("derive", "sample", Setting::Count(most as u32));
        recipe
    }
}

/// 1 where the first is above the second, a half where they are equal.
fn score(a: f64, b: f64) -> f64 {
    if (a - b).abs() < 1e-9 { 0.5 } else { f64::from(a > b) }
}

/// The known scores, by our names, and the best mean accuracy in percent.
fn table(space: &Space, networks: &Value) -> (ScoreTable, f64) {
    let (mut lines, mut best) = (Vec::new(), f64::NEG_INFINITY);
    for (digits, network) in networks.as_object().unwrap() {
        let paths = space.decisions.iter().map(|decision| decision.path.as_str());
        let names = digits.bytes().map(|digit| CANDIDATES[usize::from(digit - b'0')]);
        let choices: HashMap<&str, &str> = paths.zip(names).collect();
        let accuracy = match network["test_acc"].as_array() {
            Some(all) => all.iter().filter_map(Value::as_f64).sum::<f64>() / all.len() as f64,
            None => network["mean_acc"].as_f64().unwrap(),
        };
        best = best.max(accuracy);
        lines
            .push(json!({"choices": choices, "score": {"accuracy": accuracy / 100.0}}).to_string());
    }
    (ScoreTable::read("the benchmark", lines.join("\n").as_bytes()).unwrap(), best)
}

/// What runs are measured by.
enum Truth {
    /// The best accuracy, of this at most, in percent.
    Best(f64),
    /// The hypervolume from this point, as a share of that of all networks.
    Front { reference: Vec<f64>, volume: f64 },
}

impl Truth {
    /// That of the front of accuracy and MACs.
    fn of_front(space: &Checked<Space>, table: &ScoreTable) -> Self {
        let all = nas_testing::assignments(space, 10_000).unwrap();
        let all: Vec<Vec<f64>> = all.iter().map(|network| of(space, table, network).1).collect();
        let reference = front::worst(&all).unwrap();
        println!("{} networks are on the front", front::front(&all).len());
        Self::Front { volume: front::hypervolume(&all, &reference), reference }
    }

    /// The most that a run can reach, in percent.
    fn best(&self) -> f64 {
        match self {
            Self::Best(best) => *best,
            Self::Front { .. } => 100.0,
        }
    }

    /// What a run has reached that has found these values.
    fn reached(&self, found: &[Vec<f64>]) -> f64 {
        match self {
            Self::Best(_) => {
                100.0 * found.iter().map(|values| values[0]).fold(f64::NEG_INFINITY, f64::max)
            }
            Self::Front { reference, volume } => {
                100.0 * front::hypervolume(found, reference) / volume
            }
        }
    }
}

/// A network as it is recorded, and its accuracy and MACs, turned so that more is better.
fn of(
    space: &Checked<Space>,
    table: &ScoreTable,
    assignment: &Assignment,
) -> (TriedNetwork, Vec<f64>) {
    let network = specialise(space, assignment);
    let choices: Choices = network.choices.iter().cloned().collect();
    let score: Metrics = table.score(&choices).unwrap().clone();
    let cost = nas_analysis::costs::costs_without_peak(&network);
    let values = vec![score.primary().1, -(cost.macs as f64)];
    let budget = Budget::default();
    let verdict = Verdict::Score(score);
    let work = Work::default();
    let network = TriedNetwork {
        number: 0,
        drawn: 1,
        uniform: false,
        choices,
        cost,
        verdict,
        budget,
        epoch: None,
        work,
    };
    (network, values)
}

/// What is reached after some trials, for each seed, on all cores.
fn runs(
    space: &Checked<Space>,
    recipe: &Recipe,
    table: &ScoreTable,
    truth: &Truth,
) -> Vec<Vec<f64>> {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    thread::scope(|scope| {
        let of_core = |core: u64| {
            let seeds = (0..SEEDS).filter(move |seed| seed % cores == core);
            scope.spawn(move || {
                seeds.map(|seed| run(space, recipe, (table, truth), seed)).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..cores).map(of_core).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn run(
    space: &Checked<Space>,
    recipe: &Recipe,
    (table, truth): (&ScoreTable, &Truth),
    seed: u64,
) -> Vec<f64> {
    let most = AFTER[AFTER.len() - 1];
    let search = strategies::search(space, &Recipe { seed, ..recipe.clone() }).unwrap();
    let Method::Alone(mut strategy, _) = search.method else { panic!("a recipe that trains") };
    let (mut found, mut after) = (Vec::new(), Vec::new());
    for number in 0..most as u32 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(number));
        let Some(Trial { assignment, .. }) = strategy.ask(&mut rng).unwrap() else { break };
        let (network, values) = of(space, table, &assignment);
        found.push(values.clone());
        let told = if matches!(truth, Truth::Best(_)) { vec![values[0]] } else { values };
        let network = TriedNetwork { number, ..network };
        strategy.tell(&Outcome { assignment, network, values: Some(told) });
        if AFTER.contains(&(number as usize + 1)) {
            after.push(truth.reached(&found));
        }
    }
    after
}
