//! The text of the classes, and how the weights file calls their tensors.

use std::fmt::Write;

use nas_ir::Network;
use serde_json::{Map, Value as Json};

use crate::class::{Class, Classes};
use crate::python::{Call, Constant};
use crate::tree::{Block, Line, Value, What};

/// What a layer has unless it is told otherwise.
const DEFAULTS: [(&str, &str); 6] = [
    ("stride", "1"),
    ("padding", "0"),
    ("dilation", "1"),
    ("groups", "1"),
    ("bias", "True"),
    ("output_padding", "0"),
];
/// Arguments that are given without their names.
const POSITIONAL: [&str; 8] = [
    "in_channels",
    "out_channels",
    "kernel_size",
    "num_features",
    "in_features",
    "out_features",
    "p",
    "num_parameters",
];

/// The text of `model.py`, and that of `names.json`.
pub(crate) fn written(network: &Network, root: &Block, classes: &Classes) -> (String, String) {
    let blocks = root.all();
    let mut text = String::new();
    for class in &classes.all {
        if let Some(block) = blocks.iter().find(|block| block.id == class.example) {
            text += &Printer { class, block, classes }.class();
        }
    }
    let name = classes.used(root).and_then(|(class, _)| classes.all.get(class));
    let name = name.map_or("", |class| class.name.as_str());
    text += &format!(
        "\n\ndef load(path=FOLDER / \"weights.safetensors\"):\n    \"\"\"The network with its weights, ready to answer.\"\"\"\n    return \
         load_weights({name}(), path).eval()\n"
    );
    text = head(network, &text) + &text;
    let mut names = Map::new();
    names_of(root, classes, "", &mut names);
    let json = serde_json::to_string_pretty(&Json::Object(names)).unwrap_or_default();
    (text, json + "\n")
}

/// What `layers.py` has.
const OURS: [&str; 14] = [
    "FOLDER",
    "CutConvTranspose2d",
    "DropPath",
    "PaddedConv2d",
    "add",
    "avg_pool",
    "crop",
    "linear_vector",
    "load_weights",
    "max_pool",
    "max_unpool",
    "multiply",
    "pad_channels",
    "shift",
];

/// The beginning of a file with these classes: what it is, and what it imports.
fn head(network: &Network, classes: &str) -> String {
    let mut text =
        format!("\"\"\"A network of the space {}, as a module of PyTorch.\n", network.space);
    if !network.choices.is_empty() {
        text += "\nWhat was chosen:\n\n";
        for (path, choice) in &network.choices {
            let _ = writeln!(text, "    {path} = {choice}");
        }
    }
    let is_used = |name: &str| {
        let is_own =
            |before: Option<char>| !before.is_some_and(|c| c.is_alphanumeric() || "_.".contains(c));
        classes.match_indices(name).any(|(at, _)| {
            let after = classes.get(at + name.len()..).and_then(|rest| rest.chars().next());
            let before = classes.get(..at).and_then(|rest| rest.chars().next_back());
            is_own(before) && !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    };
    let ours: Vec<&str> = OURS.into_iter().filter(|name| is_used(name)).collect();
    text += "\"\"\"\n\n";
    if is_used("torch") {
        text += "import torch\n";
    }
    if is_used("F") {
        text += "import torch.nn.functional as F\n";
    }
    text + &format!("from torch import nn\n\nfrom .layers import {}\n", ours.join(", "))
}

/// Lines that are one `nn.Sequential`: from one place up to another.
struct Run {
    first: usize,
    last: usize,
    attribute: String,
}

/// The runs of a block: calls of one class, each of which reads the one before and nothing else does.
fn runs(block: &Block, classes: &Classes) -> Vec<Run> {
    let class = |line: &Line| match &line.what {
        What::Block(inner) if inner.arguments == 1 && inner.answers.len() == 1 => {
            classes.used(inner).map(|(class, _)| class)
        }
        _ => None,
    };
    let mut runs = Vec::new();
    let mut first = 0;
    while let Some(line) = block.lines.get(first) {
        let mut last = first;
        if let (Some(own), Some((base, start))) = (class(line), numbered(&line.attribute)) {
            while let Some(next) = block.lines.get(last + 1) {
                let follows = numbered(&next.attribute).is_some_and(|(other, number)| {
                    other == base && number == start + last + 1 - first
                });
                let is_chained = next.reads == [Value::Line(last, 0)] && readers(block, last) == 1;
                if !(class(next) == Some(own) && follows && is_chained) {
                    break;
                }
                last += 1;
            }
            let is_free = block.lines.iter().all(|line| line.attribute != base);
            let attribute =
                if start == 0 && is_free { base.to_owned() } else { line.attribute.clone() };
            if last > first {
                runs.push(Run { first, last, attribute });
            }
        }
        first = last + 1;
    }
    runs
}

fn numbered(attribute: &str) -> Option<(&str, usize)> {
    let (base, number) = attribute.rsplit_once('_')?;
    Some((base, number.parse().ok()?))
}

/// How many lines, and answers of the block, read what a line makes.
fn readers(block: &Block, line: usize) -> usize {
    let reads = block.lines.iter().flat_map(|line| &line.reads).chain(&block.answers);
    reads.filter(|value| matches!(value, Value::Line(own, _) if *own == line)).count()
}

/// The names of the tensors of a block, by the keys of a module.
fn names_of(block: &Block, classes: &Classes, prefix: &str, names: &mut Map<String, Json>) {
    let runs = runs(block, classes);
    for (place, line) in block.lines.iter().enumerate() {
        let run = runs.iter().find(|run| (run.first..=run.last).contains(&place));
        let own = match run {
            Some(run) => format!("{prefix}{}.{}", run.attribute, place - run.first),
            None => format!("{prefix}{}", line.attribute),
        };
        match &line.what {
            What::Block(inner) => names_of(inner, classes, &format!("{own}."), names),
            What::Operator(written, path) => {
                for tensor in &written.tensors {
                    names.insert(format!("{own}.{tensor}"), format!("{path}.{tensor}").into());
                }
            }
        }
    }
}

/// Writes a class by one of its blocks.
struct Printer<'a> {
    class: &'a Class,
    block: &'a Block,
    classes: &'a Classes,
}

impl Printer<'_> {
    fn class(&self) -> String {
        let Self { class, block, classes } = self;
        let runs = runs(block, classes);
        let arguments: String = class.arguments.iter().map(|name| format!(", {name}")).collect();
        let mut text = format!("\n\nclass {}(nn.Module):\n", class.name);
        let mut body = String::new();
        for (place, line) in block.lines.iter().enumerate() {
            match runs.iter().find(|run| (run.first..=run.last).contains(&place)) {
                Some(run) if run.first == place => body += &self.sequence(run),
                Some(_) => {}
                None => body += &self.member(place, line),
            }
        }
        if !(body.is_empty() && class.arguments.is_empty()) {
            let _ = write!(
                text,
                "    def __init__(self{arguments}):\n        super().__init__()\n{body}\n"
            );
        }
        text + &self.forward(&runs)
    }

    /// What a line needs to be there beforehand: a layer, a block, or numbers that differ between uses.
    fn member(&self, place: usize, line: &Line) -> String {
        let made = match &line.what {
            What::Operator(written, _) => match written.call {
                Call::Layer(class) | Call::LayerOfVector(class) => self.made(place, class),
                _ => {
                    let named = self.call(place).iter().filter_map(|(name, number)| match number {
                        Constant::Named(argument) => Some((name, argument)),
                        _ => None,
                    });
                    return named
                        .map(|(name, argument)| {
                            format!("        self.{}_{name} = {argument}\n", line.attribute)
                        })
                        .collect();
                }
            },
            What::Block(_) => self.made(place, self.block_class(place)),
        };
        format!("        self.{} = {made}\n", line.attribute)
    }

    fn call(&self, place: usize) -> &[(String, Constant)] {
        self.class.calls.get(place).map_or(&[], Vec::as_slice)
    }

    fn block_class(&self, place: usize) -> &str {
        let class = self.class.blocks.get(place).copied().flatten();
        class.and_then(|class| self.classes.all.get(class)).map_or("", |class| class.name.as_str())
    }

    /// The text that makes a layer or a block.
    fn made(&self, place: usize, class: &str) -> String {
        let is_ours = self.class.blocks.get(place).is_some_and(Option::is_some);
        let mut positional = true;
        let mut given = Vec::new();
        for (name, number) in self.call(place) {
            let text = number.to_string();
            if !is_ours && DEFAULTS.contains(&(name.as_str(), text.as_str())) {
                continue;
            }
            positional &= !is_ours && POSITIONAL.contains(&name.as_str());
            given.push(if positional { text } else { format!("{name}={text}") });
        }
        format!("{class}({})", given.join(", "))
    }

    fn sequence(&self, run: &Run) -> String {
        let made: Vec<String> =
            (run.first..=run.last).map(|at| self.made(at, self.block_class(at))).collect();
        let Some(first) = made.first() else { return String::new() };
        if made.iter().all(|other| other == first) {
            let count = made.len();
            return format!(
                "        self.{} = nn.Sequential(*({first} for _ in range({count})))\n",
                run.attribute
            );
        }
        let lines: String = made.iter().map(|made| format!("            {made},\n")).collect();
        format!("        self.{} = nn.Sequential(\n{lines}        )\n", run.attribute)
    }

    fn forward(&self, runs: &[Run]) -> String {
        let block = self.block;
        let arguments: Vec<String> =
            (0..block.arguments).map(|at| self.name(Value::Argument(at))).collect();
        let given: String = arguments.iter().map(|name| format!(", {name}")).collect();
        let mut text = format!("    def forward(self{given}):\n");
        for (place, line) in block.lines.iter().enumerate() {
            let run = runs.iter().find(|run| (run.first..=run.last).contains(&place));
            if run.is_some_and(|run| run.first != place) {
                continue;
            }
            let (attribute, last) = run
                .map_or((line.attribute.as_str(), place), |run| (run.attribute.as_str(), run.last));
            let reads: Vec<String> = line.reads.iter().map(|&value| self.name(value)).collect();
            let call = self.called(place, line, attribute, &reads);
            let answers = match &line.what {
                What::Block(inner) => inner.answers.len(),
                What::Operator(..) => 1,
            };
            let made: Vec<String> =
                (0..answers.max(1)).map(|answer| self.name(Value::Line(last, answer))).collect();
            let _ = writeln!(text, "        {} = {call}", made.join(", "));
        }
        let answers: Vec<String> = block.answers.iter().map(|&value| self.name(value)).collect();
        text + &format!("        return {}\n", answers.join(", "))
    }

    fn called(&self, place: usize, line: &Line, attribute: &str, reads: &[String]) -> String {
        let all = reads.join(", ");
        let What::Operator(written, _) = &line.what else {
            return format!("self.{attribute}({all})");
        };
        let mut given = Vec::new();
        for (name, number) in self.call(place) {
            given.push(match number {
                Constant::Named(_) => format!("{name}=self.{attribute}_{name}"),
                number => format!("{name}={number}"),
            });
        }
        let with = |tensors: String| {
            std::iter::once(tensors).chain(given.iter().cloned()).collect::<Vec<_>>().join(", ")
        };
        match written.call {
            Call::Layer(_) => format!("self.{attribute}({all})"),
            Call::LayerOfVector(_) => format!("self.{attribute}(linear_vector({all}))"),
            Call::Function("add") if reads.len() == 2 => reads.join(" + "),
            Call::Function(name) => format!("{name}({})", with(all)),
            Call::Listed(name) => format!("{name}({})", with(format!("[{all}]"))),
            Call::Nothing => all,
            Call::Zeros => {
                let like =
                    if self.block.arguments > 0 { self.name(Value::Argument(0)) } else { all };
                let sizes = given.join(", ");
                let sizes = sizes.trim_start_matches("sizes=");
                format!("{like}.new_zeros(({like}.shape[0], *{sizes}))")
            }
        }
    }

    /// What a value is called. One that the next line alone reads is `x`, over and over.
    fn name(&self, value: Value) -> String {
        let block = self.block;
        let reads = |of: Value| -> Vec<usize> {
            let lines = block.lines.iter().enumerate();
            lines.filter(|(_, line)| line.reads.contains(&of)).map(|(place, _)| place).collect()
        };
        let is_answer = block.answers.contains(&value);
        match value {
            Value::Argument(at) => {
                let has_zeros = block.lines.iter().any(|line| {
                    matches!(&line.what, What::Operator(written, _) if written.call == Call::Zeros)
                });
                let is_passing =
                    !is_answer && !has_zeros && reads(value).iter().all(|&place| place == 0);
                match (block.arguments, is_passing) {
                    (1, true) => "x".to_owned(),
                    (1, false) => "given".to_owned(),
                    _ => format!("x{at}"),
                }
            }
            Value::Line(place, answer) => {
                let Some(line) = block.lines.get(place) else { return String::new() };
                let is_single = match &line.what {
                    What::Block(inner) => inner.answers.len() == 1,
                    What::Operator(..) => true,
                };
                let last = block.lines.len() - 1;
                let is_last_answer = place == last && block.answers == [value];
                let is_passing = reads(value).iter().all(|&reader| reader == place + 1)
                    && (!is_answer || is_last_answer);
                match (is_single, is_passing) {
                    (true, true) => "x".to_owned(),
                    (true, false) => line.attribute.clone(),
                    _ => format!("{}_{answer}", line.attribute),
                }
            }
        }
    }
}
