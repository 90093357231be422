//! The sizes that inputs have: those of the file, and those that are given for what it leaves open.

use std::collections::BTreeMap;

use crate::constant::elements;
use crate::error::ReadError;
use crate::fact::Fact;
use crate::graph::{Graph, Size, Value, ValueId};

/// Sizes of inputs, by their names.
pub type Sizes = BTreeMap<String, Vec<u64>>;

/// What is known of each input once sizes are given; an open size of the first axis, where nothing is given, is one image.
///
/// # Errors
/// Sizes are open, or do not fit the file.
pub fn inputs(graph: &Graph<'_>, sizes: &Sizes) -> Result<Vec<Fact>, ReadError> {
    let input = |name: &str, why: String| ReadError::Input {
        name: name.to_owned(),
        why,
        inputs: graph.inputs_in_words(),
    };
    let values: Vec<&Value<'_>> = graph.inputs.iter().map(|&id| &graph.values[id]).collect();
    if let Some(name) = sizes.keys().find(|name| !values.iter().any(|it| it.name == name.as_str()))
    {
        return Err(input(name, "the model has no such input".to_owned()));
    }
    let symbols = symbols(&values, sizes).map_err(|(name, why)| input(&name, why))?;
    let (mut facts, mut open, mut example) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        let Some(stated) = &value.stated else {
            return Err(input(value.name, "the file does not say what it is".to_owned()));
        };
        let given = sizes.get(value.name);
        let stated_sizes = stated.sizes.as_deref();
        let dims = match (given, stated_sizes) {
            (Some(given), _) => given.iter().map(|&size| Some(size)).collect(),
            (None, Some(stated)) => {
                stated.iter().enumerate().map(|(axis, size)| of(axis, size, &symbols)).collect()
            }
            (None, None) => vec![None],
        };
        match dims.iter().copied().collect::<Option<Vec<u64>>>() {
            Some(dims) => {
                elements(&dims)?;
                facts.push(Fact::new(stated.element, dims));
            }
            None => {
                open.push(value.in_words());
                let shown =
                    dims.iter().map(|dim| dim.map_or("N".to_owned(), |dim| dim.to_string()));
                example.push(format!(
                    "--input {}={}",
                    value.name,
                    shown.collect::<Vec<_>>().join("x")
                ));
            }
        }
    }
    if open.is_empty() { Ok(facts) } else { Err(ReadError::OpenSize { open, example }) }
}

/// A size, if it is known.
fn of(axis: usize, size: &Size<'_>, symbols: &BTreeMap<&str, u64>) -> Option<u64> {
    match size {
        Size::Of(size) => Some(*size),
        Size::Named(symbol) => symbols.get(symbol).copied().or((axis == 0).then_some(1)),
        Size::Open => (axis == 0).then_some(1),
    }
}

/// What the symbols of the file stand for where sizes are given.
fn symbols<'b>(
    values: &[&Value<'b>],
    sizes: &Sizes,
) -> Result<BTreeMap<&'b str, u64>, (String, String)> {
    let mut symbols = BTreeMap::new();
    for value in values {
        let Some(given) = sizes.get(value.name) else { continue };
        let failed = |why: String| Err((value.name.to_owned(), why));
        let Some(stated) = value.stated.as_ref().and_then(|stated| stated.sizes.as_ref()) else {
            continue;
        };
        if stated.len() != given.len() {
            return failed(format!(
                "it has {} axes, and {} sizes are given",
                stated.len(),
                given.len()
            ));
        }
        for (size, &given) in stated.iter().zip(given) {
            match size {
                Size::Of(size) if *size != given => {
                    return failed(format!("the file says {size} where {given} is given"));
                }
                Size::Named(symbol) => {
                    if let Some(other) = symbols.insert(*symbol, given).filter(|&it| it != given) {
                        return failed(format!("`{symbol}` would be {other} and {given}"));
                    }
                }
                Size::Of(_) | Size::Open => {}
            }
        }
    }
    Ok(symbols)
}

impl Graph<'_> {
    /// The inputs of which the first size is open, as that of a batch may be, and nothing else.
    #[must_use]
    pub fn open_batches(&self) -> Vec<ValueId> {
        let is_open = |id: &ValueId| {
            let sizes = self.values[*id].stated.as_ref().and_then(|stated| stated.sizes.as_deref());
            let is_fixed = |size: &Size<'_>| matches!(size, Size::Of(_));
            sizes
                .and_then(<[_]>::split_first)
                .is_some_and(|(first, rest)| !is_fixed(first) && rest.iter().all(is_fixed))
        };
        self.inputs.iter().copied().filter(is_open).collect()
    }

    /// Whether sizes of inputs are open.
    #[must_use]
    pub fn has_open_sizes(&self) -> bool {
        let stated = self.inputs.iter().filter_map(|&id| self.values[id].stated.as_ref());
        let is_fixed = |size: &Size<'_>| matches!(size, Size::Of(_));
        stated
            .into_iter()
            .any(|stated| !stated.sizes.as_ref().is_some_and(|all| all.iter().all(is_fixed)))
    }
}
