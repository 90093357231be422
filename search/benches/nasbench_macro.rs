//! How good the networks are that strategies find, against known truth: the 6,561 networks of NAS-Bench-Macro
//! (Su et al. 2021), each trained from scratch three times.
//!
//!     cargo bench -p nas-search --bench nasbench_macro -- FILE [STRATEGY ...]
//!
//! The file holds, under `networks` or at its top, for each string of eight digits, a candidate for each
//! layer, the accuracies in percent as a list `test_acc` or one figure `mean_acc`. Of each strategy it tells
//! the best mean accuracy after some trials: the median over the seeds, what is lacking to the best network
//! of all on average, and how often it is above that of `random`, over all pairs of seeds; equals count half.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "it reports, and fails where its file is another"
)]

use std::collections::HashMap;
use std::{env, fs, thread};

use nas_ir::recipe::{Recipe, StrategySchema, Value as Setting};
use nas_ir::{Checked, Space};
use nas_passes::specialise;
use nas_search::objective::values;
use nas_search::record::{Choices, TriedNetwork, Verdict};
use nas_search::strategies::{self, SCHEMAS};
use nas_search::strategy::{Method, Outcome};
use nas_search::trial::Budget;
use nas_search::{Metrics, ScoreTable};
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
    println!("{} networks, the best {best:.3} %; {SEEDS} seeds", table.len());
    let has_table = |schema: &&&StrategySchema| schema.section("score").is_some();
    let all = SCHEMAS.iter().filter(has_table).copied();
    let meant =
        all.filter(|s| asked.is_empty() || s.name == "random" || asked.iter().any(|a| a == s.name));
    let mut random: Vec<Vec<f64>> = Vec::new();
    print!("{:16}", "trials");
    AFTER.iter().for_each(|after| print!("{after:>22}"));
    println!();
    for schema in meant {
        let found = runs(&space, schema, &table);
        if schema.name == "random" {
            random.clone_from(&found);
        }
        print!("{:16}", schema.name);
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

/// The best accuracy after some trials, for each seed, on all cores.
fn runs(
    space: &Checked<Space>,
    schema: &'static StrategySchema,
    table: &ScoreTable,
) -> Vec<Vec<f64>> {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    thread::scope(|scope| {
        let of_core = |core: u64| {
            let seeds = (0..SEEDS).filter(move |seed| seed % cores == core);
            scope.spawn(move || {
                seeds.map(|seed| run(space, schema, table, seed)).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..cores).map(of_core).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn run(
    space: &Checked<Space>,
    schema: &'static StrategySchema,
    table: &ScoreTable,
    seed: u64,
) -> Vec<f64> {
    let most = AFTER[AFTER.len() - 1];
    let mut recipe = Recipe::default_for("truth", schema).unwrap();
    recipe.settings.set("score", "by", Setting::Word("table"));
    recipe.settings.set("derive", "sample", Setting::Count(most as u32));
    let search = strategies::search(space, &recipe).unwrap();
    let Method::Alone(mut strategy, _) = search.method else { panic!("{} trains", schema.name) };
    let (mut best, mut after) = (f64::NEG_INFINITY, Vec::new());
    for number in 0..most as u32 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(number));
        let Some(trial) = strategy.ask(&mut rng).unwrap() else { break };
        let network = specialise(space, &trial.assignment);
        let choices: Choices = network.choices.iter().cloned().collect();
        let score: Metrics = table.score(&choices).unwrap().clone();
        best = f64::max(best, 100.0 * score.primary().1);
        let cost = nas_analysis::costs::costs_without_peak(&network);
        let budget = Budget::default();
        let verdict = Verdict::Score(score);
        let network = TriedNetwork { number, drawn: 1, choices, cost, verdict, budget };
        let values = network.score().map(|score| values(&recipe.objective, score, &network.cost).unwrap());
        strategy.tell(&Outcome { assignment: trial.assignment, network, values });
        if AFTER.contains(&(number as usize + 1)) {
            after.push(best);
        }
    }
    after
}
