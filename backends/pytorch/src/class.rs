//! Which blocks are alike: those that do the same with other numbers are one class, and the numbers its arguments.

use std::collections::{BTreeMap, BTreeSet};

use crate::python::{Call, Constant};
use crate::tree::{Block, Line, What};

/// The classes of a network.
pub(crate) struct Classes {
    /// Those within others come first.
    pub(crate) all: Vec<Class>,
    /// For each block, its class and what that is given.
    uses: BTreeMap<usize, Use>,
}

/// A class.
pub(crate) struct Class {
    /// Its name.
    pub(crate) name: String,
    /// The names of its arguments.
    pub(crate) arguments: Vec<String>,
    /// For each line what its call is given: the name, and a number or an argument of the class.
    pub(crate) calls: Vec<Vec<(String, Constant)>>,
    /// For each line that is a block, its class.
    pub(crate) blocks: Vec<Option<usize>>,
    /// A block of the class.
    pub(crate) example: usize,
}

/// A block as one of a class.
#[derive(Clone)]
struct Use {
    class: usize,
    given: Vec<(String, Constant)>,
}

impl Classes {
    pub(crate) fn of(root: &Block) -> Self {
        let mut blocks = root.all();
        // Blocks within have lower numbers, so that their classes are known.
        blocks.sort_by_key(|block| block.id);
        let mut keys: Vec<(String, Vec<&Block>)> = Vec::new();
        let mut class_of: BTreeMap<usize, usize> = BTreeMap::new();
        for block in &blocks {
            let key = key(block, &class_of);
            let class = keys.iter().position(|(own, _)| *own == key);
            let class = class.unwrap_or_else(|| {
                keys.push((key, Vec::new()));
                keys.len() - 1
            });
            class_of.insert(block.id, class);
            if let Some((_, members)) = keys.get_mut(class) {
                members.push(block);
            }
        }
        let mut classes = Self { all: Vec::new(), uses: BTreeMap::new() };
        let mut names = BTreeSet::new();
        for (number, (_, members)) in keys.iter().enumerate() {
            classes.add(number, members, &class_of, &mut names);
        }
        classes
    }

    /// The class of a block, and what it is given.
    pub(crate) fn used(&self, block: &Block) -> Option<(usize, &[(String, Constant)])> {
        self.uses.get(&block.id).map(|used| (used.class, used.given.as_slice()))
    }

    fn add(
        &mut self,
        number: usize,
        members: &[&Block],
        class_of: &BTreeMap<usize, usize>,
        names: &mut BTreeSet<String>,
    ) {
        let Some(first) = members.first() else { return };
        // A row for each block: all numbers of its lines, in order.
        let rows: Vec<Vec<(String, Constant)>> = members
            .iter()
            .map(|block| block.lines.iter().flat_map(|line| self.numbers(line)).collect())
            .collect();
        let columns = rows.first().map_or(0, Vec::len);
        let column = |at: usize| -> Vec<Option<&Constant>> {
            rows.iter().map(|row| row.get(at).map(|(_, number)| number)).collect()
        };
        let mut arguments: Vec<(String, usize)> = Vec::new();
        let mut slots = Vec::new();
        for at in 0..columns {
            let Some((label, number)) = rows.first().and_then(|row| row.get(at)) else { continue };
            let numbers = column(at);
            let is_fixed = numbers.iter().all(|other| *other == Some(number));
            let slot = if is_fixed {
                number.clone()
            } else {
                let known = arguments.iter().find(|(_, other)| column(*other) == numbers);
                let name = known.map(|(name, _)| name.clone());
                Constant::Named(name.unwrap_or_else(|| {
                    let is_taken = |name: &String| arguments.iter().any(|(own, _)| own == name);
                    let mut name = label.clone();
                    let mut count = 1;
                    while is_taken(&name) {
                        count += 1;
                        name = format!("{label}_{count}");
                    }
                    arguments.push((name.clone(), at));
                    name
                }))
            };
            slots.push((label.clone(), slot));
        }
        for (block, row) in members.iter().zip(&rows) {
            let given = arguments.iter().filter_map(|(name, at)| {
                row.get(*at).map(|(_, number)| (name.clone(), number.clone()))
            });
            self.uses.insert(block.id, Use { class: number, given: given.collect() });
        }
        let mut slots = slots.into_iter();
        let calls = first
            .lines
            .iter()
            .map(|line| slots.by_ref().take(self.numbers(line).len()).collect())
            .collect();
        let blocks = first.lines.iter().map(|line| match &line.what {
            What::Block(block) => class_of.get(&block.id).copied(),
            What::Operator(..) => None,
        });
        let mut name = camel(&first.name);
        let mut count = 1;
        while !names.insert(name.clone()) {
            count += 1;
            name = format!("{}{count}", camel(&first.name));
        }
        self.all.push(Class {
            name,
            arguments: arguments.into_iter().map(|(name, _)| name).collect(),
            calls,
            blocks: blocks.collect(),
            example: first.id,
        });
    }

    /// The numbers that the call of a line is given, with their names.
    fn numbers(&self, line: &Line) -> Vec<(String, Constant)> {
        match &line.what {
            What::Operator(written, _) => {
                let named = written.arguments.iter();
                named.map(|(name, number)| ((*name).to_owned(), number.clone())).collect()
            }
            What::Block(block) => {
                self.used(block).map_or_else(Vec::new, |(_, given)| given.to_vec())
            }
        }
    }
}

/// What a block does, numbers aside.
fn key(block: &Block, class_of: &BTreeMap<usize, usize>) -> String {
    let line = |line: &Line| {
        let what = match &line.what {
            What::Operator(written, _) => {
                let names: Vec<&str> = written.arguments.iter().map(|(name, _)| *name).collect();
                let call: Call = written.call;
                format!("{call:?}{names:?}{:?}", written.tensors)
            }
            What::Block(inner) => format!("class {:?}", class_of.get(&inner.id)),
        };
        format!("{} = {what}{:?}\n", line.attribute, line.reads)
    };
    let lines: String = block.lines.iter().map(line).collect();
    format!("{} {} {:?}\n{lines}", block.name, block.arguments, block.answers)
}

/// The name of a block as that of a class: `conv_bn` is `ConvBn`.
fn camel(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let text: String = words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        })
        .collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) || text.is_empty() {
        format!("Block{text}")
    } else {
        text
    }
}
