//! Hostile arguments, and files that arguments name, for spaces that are right.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::case::{Case, Random, Step};
use super::grammar;
use super::made;
use super::mutate;
use super::tree::Tree;

const FILE: &str = "seeds.nas";
const ARCH: &str = "arch.json";
/// A network, as runs and samples write it.
const NETWORKS: [&str; 3] = [
    "{\"unit.0/op\": \"large\", \"unit.1/op\": \"small\"}\n",
    "{\"space\":\"tiny\",\"choices\":{\"unit.0/op\":\"small\",\"unit.1/op\":\"large\"},\"macs\":1}\n",
    "{\"depth\": 2, \"repeat.0/kernel\": 5, \"repeat.1/kernel\": 3}\n",
];
const SETTINGS: [&str; 8] = [
    "schedule.epochs=3",
    "schedule.split=0.8",
    "retrain.rate=0.05 -> 0 cosine",
    "strategy.temperature=5.0 -> 1.0 exponential",
    "minimize = cross_entropy + 0.02 * macs / 1M",
    "data.path=\"data\"",
    "data.crop=(64, 64)",
    "data.scale=0.5..2.0",
];
const NETWORK_NAMES: [&str; 5] =
    ["random:1", "least:macs", "greatest:params", "arch.json", "greatest:peak_memory"];
const NUMBERS: [&str; 8] =
    ["0", "1", "100", "-1", "1e3", "4294967296", "18446744073709551616", "99999999999999999999999"];

/// A case of them.
pub(crate) fn case(random: &mut Random) -> Case {
    let networks = NETWORKS.map(|text| text.as_bytes().to_vec());
    let network = networks.choose(random).map(Vec::as_slice).unwrap_or_default();
    let network = mutate::text(random, network, &networks);
    let space = ["--space=tiny", "--space=classes"].choose(random).copied().unwrap_or_default();
    let step = |args: &str| Step::quick(args).arg(FILE).arg(space);
    let step = match random.random_range(0..9) {
        0..3 => step("cost").arg(format!("--arch={ARCH}")),
        3 => step("show --stage network").arg(format!("--arch={ARCH}")).long(),
        4 => step("sample").arg(format!("--where={}", limit(random))),
        5 => step("cost").arg(format!("--arch={}", damaged(random, &NETWORK_NAMES))),
        6 => step("analyze --json").arg(format!("--bins={}", number(random))),
        7 => {
            let seed = number(random);
            step("sample -n 2").arg(format!("--seed={seed}"))
        }
        // There are no data: it ends when all settings are read.
        _ => {
            let setting = damaged(random, &SETTINGS);
            Step::torch("search --out run").arg(FILE).arg(format!("--set={setting}"))
        }
    };
    let files = Tree::default().with(FILE, made::SEEDS).with(ARCH, network);
    Case { files, steps: vec![step], ..Case::default() }
}

fn limit(random: &mut Random) -> String {
    let limit = grammar::limit(random, false);
    damaged(random, &[&limit])
}

fn number(random: &mut Random) -> &'static str {
    NUMBERS.choose(random).copied().unwrap_or_default()
}

/// One of the texts, mostly damaged, as an argument can hold it.
pub(crate) fn damaged(random: &mut Random, texts: &[&str]) -> String {
    let text = texts.choose(random).copied().unwrap_or_default().as_bytes();
    let all: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    let text =
        if random.random_bool(0.8) { mutate::text(random, text, &all) } else { text.to_vec() };
    String::from_utf8_lossy(&text).replace('\0', "").chars().take(30_000).collect()
}
