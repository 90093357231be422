//! What each part of a space costs, over all networks.

use indexmap::IndexMap;
use nas_ir::diagram::Entangled;
use nas_ir::{Checked, Measure, Node, Space};

use super::terms::terms_of;
use super::{moments, range};
use crate::range::Range;

/// A layer: the nodes whose paths begin with the same block or operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The beginning of the paths, such as `unit.3`.
    pub path: String,
    /// The least and the greatest cost among the networks: 0 where the layer may be left out.
    pub range: Range,
    /// The mean cost over the networks, each counted once.
    pub mean: f64,
}

/// The layers of a space that cost something, in the order of the graph. They are its outermost
/// blocks and operators; a block with more than half of all nodes is taken apart. What a latency
/// has beside its parts is in no layer.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn layers(space: &Checked<Space>, measure: Measure) -> Result<Vec<Layer>, Entangled> {
    let mut liveness = space.whole_liveness()?;
    let mut layers = Vec::new();
    let (paths, opened) = paths(space);
    for path in paths {
        let is_part = |node: &Node| beginning(&node.name, &opened) == path;
        let terms = terms_of(space, &mut liveness, measure, &is_part)?;
        let range = range::of_terms(space, &terms)?;
        if range.max > 0 {
            let mean = moments::of_terms(space, &mut liveness, &terms)?.mean;
            layers.push(Layer { path: path.to_owned(), range, mean });
        }
    }
    Ok(layers)
}

/// The beginnings of paths that are layers, in the order of the graph, and the blocks that are taken
/// apart.
fn paths(space: &Space) -> (Vec<&str>, Vec<&str>) {
    let mut opened: Vec<&str> = Vec::new();
    loop {
        let mut sizes: IndexMap<&str, usize> = IndexMap::new();
        for (_, node) in space.graph.nodes() {
            *sizes.entry(beginning(&node.name, &opened)).or_default() += 1;
        }
        let half = space.graph.len() / 2;
        match sizes.iter().find(|(path, size)| **size > half && !opened.contains(path)) {
            Some((path, _)) => opened.push(path),
            None => return (sizes.into_keys().collect(), opened),
        }
    }
}

/// The shortest beginning of a path that is not opened. Candidates are never layers of their own:
/// a path ends where one is named.
fn beginning<'n>(path: &'n str, opened: &[&str]) -> &'n str {
    let outside = path.split_once('=').map_or(path, |(outside, _)| outside);
    let ends = outside.match_indices('/').map(|(end, _)| end);
    let mut beginnings = ends.filter_map(|end| outside.get(..end));
    beginnings.find(|beginning| !opened.contains(beginning)).unwrap_or(outside)
}

#[cfg(test)]
mod tests {
    use super::beginning;

    #[test]
    fn a_layer_is_an_outermost_block_that_is_not_opened() {
        let path = "stack.0/unit.3/op=k3_e1/conv.0";
        assert_eq!(beginning(path, &[]), "stack.0");
        assert_eq!(beginning(path, &["stack.0"]), "stack.0/unit.3");
        assert_eq!(beginning(path, &["stack.0", "stack.0/unit.3"]), "stack.0/unit.3/op");
        assert_eq!(beginning("linear.0", &["stack.0"]), "linear.0");
    }
}
