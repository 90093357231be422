//! The networks that a file names, as pictures show them.

use std::sync::Arc;

use nas_frontend::Compiler;
use nas_frontend::modules::Program;
use nas_ir::{Checked, Costs, Measure, Space};
use nas_passes::specialise;

use super::words::real;

/// The networks that the file names, of one space.
#[derive(Default)]
pub struct Published {
    /// Those of the space: their names and costs.
    pub(super) networks: Vec<(String, Costs)>,
    /// The names of those of the space with other arguments.
    elsewhere: Vec<String>,
}

impl Published {
    /// The `arch` items of a space.
    pub fn of<'p>(
        program: &'p Program,
        compiler: &mut Compiler<'p, '_>,
        space: &Arc<Checked<Space>>,
    ) -> Self {
        let mut published = Self::default();
        for item in program.archs().filter(|item| item.space.name.name == space.name) {
            let name = item.name.name.clone();
            match compiler.named_network(item) {
                Some(named) if Arc::ptr_eq(&named.space, space) => {
                    let costs = nas_analysis::costs(&specialise(space, &named.assignment));
                    published.networks.push((name, costs));
                }
                Some(_) => published.elsewhere.push(name),
                // The compiler has reported what is wrong with it.
                None => {}
            }
        }
        published
    }

    /// The names and figures of those that have one.
    pub(super) fn figures(&self, measure: Measure) -> impl Iterator<Item = (&str, f64)> {
        let figure =
            move |costs: &Costs| costs.of(measure).map(|value| real(measure, value.into()));
        self.networks.iter().filter_map(move |(name, costs)| Some((name.as_str(), figure(costs)?)))
    }

    /// Which networks of the file a picture lacks.
    pub(super) fn lacking(&self, space: &str) -> String {
        match self.elsewhere.as_slice() {
            [] => String::new(),
            names => format!("Of {space} with other arguments, so not here: {}", names.join(", ")),
        }
    }
}
