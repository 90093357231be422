//! Inputs of models of others, drawn by a seed.

use nas_ir::{Elements, Tensor};
use nas_onnx_read::{Element, Graph, ReadError, Sizes, inputs};
use nas_tract::seeded_inputs;

use super::record::Case;
use crate::render::report::Failure;

/// The most elements of an input: a gigabyte of floats.
const MOST: u64 = 1 << 28;

/// Inputs of a seed, in the sizes that are given or the file states, without outputs.
///
/// # Errors
/// Sizes are open, or too large to be run, or an input is of elements that no number stands for.
pub fn drawn(graph: &Graph<'_>, sizes: &Sizes, seed: u64) -> Result<Case, Failure> {
    let facts = inputs(graph, sizes).map_err(Failure::problem)?;
    let names = graph.inputs.iter().map(|&id| graph.values[id].name);
    let mut all_dims = Vec::new();
    for (name, fact) in names.clone().zip(&facts) {
        if fact.count().is_none_or(|count| count > MOST) {
            let (name, why) =
                (name.to_owned(), format!("{} is too large to be run", fact.in_words()));
            let inputs = graph.inputs_in_words();
            return Err(Failure::problem(ReadError::Input { name, why, inputs }));
        }
        all_dims
            .push(fact.dims.iter().filter_map(|&dim| u32::try_from(dim).ok()).collect::<Vec<_>>());
    }
    let drawn = seeded_inputs(&all_dims, seed);
    let mut inputs = Vec::new();
    for ((name, fact), drawn) in names.zip(&facts).zip(drawn) {
        let dims = drawn.dims.clone();
        let floats = drawn.into_floats().unwrap_or_default();
        let elements = elements(fact.element, &floats).ok_or_else(|| {
            let why = format!("nothing is drawn for {}", fact.element.name());
            let inputs = graph.inputs_in_words();
            Failure::problem(ReadError::Input { name: name.to_owned(), why, inputs })
        })?;
        inputs.push((name.to_owned(), Tensor { dims, elements }));
    }
    let mut name = format!("seed {seed}");
    if !sizes.is_empty() {
        let sizes = facts
            .iter()
            .map(|fact| fact.dims.iter().map(u64::to_string).collect::<Vec<_>>().join("x"));
        name += &format!(", {}", sizes.collect::<Vec<_>>().join(" "));
    }
    Ok(Case { name, inputs, outputs: Vec::new() })
}

/// Standard normal numbers as elements: of pictures bytes around grey, of integers small ones, such as indices of words.
fn elements(element: Element, drawn: &[f32]) -> Option<Elements> {
    let small = drawn.iter().map(|x| (x.abs() * 3.0).round());
    Some(match element {
        Element::F32 => Elements::F32(drawn.to_vec()),
        Element::F16 => {
            Elements::F16(drawn.iter().map(|&x| half::f16::from_f32(x).to_bits()).collect())
        }
        Element::U8 => {
            Elements::U8(drawn.iter().map(|x| (x * 64.0 + 128.0).round() as u8).collect())
        }
        Element::I8 => Elements::I8(drawn.iter().map(|x| (x * 64.0).round() as i8).collect()),
        Element::I32 => Elements::I32(small.map(|x| x as i32).collect()),
        Element::I64 => Elements::I64(small.map(|x| x as i64).collect()),
        _ => return None,
    })
}
