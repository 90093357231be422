//! The first node of a file whose value is another in two engines.

use std::path::{Path, PathBuf};

use nas_ir::Tensor;
use nas_onnx_read::{Element, Fact, Graph, Sizes, infer, with_outputs};
use nas_tract::{Agreement, Tolerance, compare};
use serde::Serialize;

use crate::render::report::Failure;
use crate::services::definitions;
use crate::services::foreign::ForeignFile;
use crate::services::in_tract::filled;
use crate::services::record::{Case, Record};
use crate::services::runner::Runner;
use crate::services::source::io_reason;

/// How many values are looked at in one run, and of how many bytes: all of a network would fill the memory.
const AT_ONCE: usize = 256;
const BYTES: u64 = 256 << 20;

/// Where two engines part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Diverging {
    /// The first node whose value differs: its name and operator.
    pub(super) node: String,
    /// What it makes.
    pub(super) value: String,
    /// What its value was compared with.
    pub(super) reference: String,
    /// How far it is from that.
    pub(super) agreement: Agreement,
}

/// What a search for such a node found.
pub(super) enum Located {
    /// The first node.
    At(Diverging),
    /// There is none: between these two.
    Nowhere([String; 2]),
}

impl Located {
    /// For people.
    pub(super) fn told(&self) -> String {
        match self {
            Self::At(Diverging { node, value, reference, agreement }) => {
                let far = match agreement.not_finite {
                    0 => format!("{:.2e} of its largest value from {reference}", agreement.max_rel),
                    n => format!(
                        "other than by {reference} in {n} places where one of both is not finite"
                    ),
                };
                format!("the first node that differs is {node}: `{value}` is {far}")
            }
            Self::Nowhere([one, other]) => format!(
                "no node differs between {one} and {other}: the file computes something else than was recorded"
            ),
        }
    }
}

/// A file that is searched, and the inputs on which it is.
pub(super) struct Search<'a> {
    pub(super) file: &'a ForeignFile,
    pub(super) case: &'a Case,
    pub(super) tolerance: Tolerance,
    pub(super) runner: Option<&'a Runner>,
}

/// A value that is looked at.
struct Watched<'g> {
    name: &'g str,
    element: Option<Element>,
    bytes: u64,
    node: String,
}

impl Search<'_> {
    /// The first node, in the order in which they run, whose value is further off than the tolerance allows: of the user's
    /// engine from tract, or, where there is none, of tract from the definitions of its operators.
    ///
    /// # Errors
    /// An engine does not run the file, or an operator has no definition here.
    pub(super) fn first(&self) -> Result<Located, Failure> {
        let graph = self.file.graph()?;
        let defined = match self.runner {
            Some(_) => None,
            None => Some(definitions::values(self.file, self.case)?),
        };
        let tract = format!("tract {}", nas_tract::VERSION);
        let names = match self.runner {
            Some(runner) => [tract, format!("`{}`", runner.text())],
            None => [definitions::NAME.to_owned(), tract],
        };
        let mut watched = self.watched(&graph);
        if let Some(defined) = &defined {
            watched.retain(|value| defined.contains_key(value.name));
        }
        for values in parts(&watched) {
            let file = Exposed::write(self.file, &graph, values)?;
            let in_tract = file.in_tract(self.case, values)?;
            let pairs: Vec<[Tensor; 2]> = match (&defined, self.runner) {
                (Some(defined), _) => {
                    let expected =
                        values.iter().filter_map(|value| defined.get(value.name).cloned());
                    expected.zip(in_tract).map(Into::into).collect()
                }
                (None, Some(runner)) => {
                    let found = file.in_engine(runner, self.case, values)?;
                    in_tract.into_iter().zip(found).map(Into::into).collect()
                }
                (None, None) => Vec::new(),
            };
            for (value, [expected, found]) in values.iter().zip(&pairs) {
                let agreement = compare(expected, found).map_err(Failure::problem)?;
                if !self.tolerance.allows(&agreement) {
                    let [reference, _] = names;
                    let (node, value) = (value.node.clone(), value.name.to_owned());
                    return Ok(Located::At(Diverging { node, value, reference, agreement }));
                }
            }
        }
        Ok(Located::Nowhere(names))
    }

    /// What nodes make, in order, where it has elements that can be compared.
    fn watched<'g>(&self, graph: &'g Graph<'g>) -> Vec<Watched<'g>> {
        let dims = |tensor: &Tensor| tensor.dims.iter().map(|&dim| u64::from(dim)).collect();
        let inputs = self.case.inputs.iter();
        let sizes: Sizes = inputs.map(|(name, tensor)| (name.clone(), dims(tensor))).collect();
        let inferred = infer(graph, &sizes).ok();
        let mut watched = Vec::new();
        let made = graph
            .nodes
            .iter()
            .flat_map(|node| node.outputs.iter().flatten().map(move |&id| (node, id)));
        for (node, id) in made {
            let fact = inferred.as_ref().and_then(|inferred| inferred.fact(id));
            let is_followed =
                fact.is_none_or(|it| it.known.is_none() && it.element.dtype().is_some());
            if is_followed {
                watched.push(Watched {
                    name: graph.values[id].name,
                    element: fact.map(|fact| fact.element),
                    bytes: fact.map_or(0, Fact::bytes),
                    node: node.called(graph),
                });
            }
        }
        watched
    }
}

/// Values in parts that are looked at together.
fn parts<'w, 'g>(mut values: &'w [Watched<'g>]) -> Vec<&'w [Watched<'g>]> {
    let mut parts = Vec::new();
    while !values.is_empty() {
        let mut bytes = 0_u64;
        let fits = |value: &&Watched<'_>| {
            bytes = bytes.saturating_add(value.bytes);
            bytes <= BYTES
        };
        let count = values.iter().take(AT_ONCE).take_while(fits).count().max(1);
        let (part, rest) = values.split_at(count.min(values.len()));
        parts.push(part);
        values = rest;
    }
    parts
}

/// A file in a folder of its own that has some of its values as outputs.
struct Exposed {
    /// It is removed with this.
    _folder: tempfile::TempDir,
    path: PathBuf,
    /// The outputs that the file has of its own.
    own: Vec<String>,
}

impl Exposed {
    fn write(
        file: &ForeignFile,
        graph: &Graph<'_>,
        values: &[Watched<'_>],
    ) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::input(io_reason(&error));
        let own: Vec<String> =
            graph.outputs.iter().map(|&id| graph.values[id].name.to_owned()).collect();
        let more = values.iter().filter(|value| !own.iter().any(|own| own == value.name));
        let more: Vec<(&str, Option<Element>)> =
            more.map(|value| (value.name, value.element)).collect();
        let folder = tempfile::tempdir().map_err(failed)?;
        for (name, outside) in graph.outside() {
            let beside = folder.path().join(outside.location);
            if !beside.exists() {
                let real = file.beside(name, outside).map_err(Failure::problem)?;
                beside.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
                linked(&real, &beside).map_err(failed)?;
            }
        }
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, with_outputs(&file.bytes, &more)).map_err(failed)?;
        Ok(Self { _folder: folder, path, own })
    }

    /// What tract makes of these values.
    fn in_tract(&self, case: &Case, values: &[Watched<'_>]) -> Result<Vec<Tensor>, Failure> {
        let case = Case { outputs: Vec::new(), ..case.clone() };
        let reference = String::new();
        let asked =
            Record { reference, tolerance: Tolerance::Exact, cases: vec![case], resized: None };
        let answered = filled(&self.path, &asked)?;
        let outputs = answered.cases.into_iter().next().map(|case| case.outputs);
        let tensors = outputs.unwrap_or_default().into_iter().map(|(_, tensor)| tensor).collect();
        self.picked(tensors, values)
    }

    /// What the user's engine makes of them.
    fn in_engine(
        &self,
        runner: &Runner,
        case: &Case,
        values: &[Watched<'_>],
    ) -> Result<Vec<Tensor>, Failure> {
        let inputs: Vec<Tensor> = case.inputs.iter().map(|(_, tensor)| tensor.clone()).collect();
        self.picked(runner.run(&self.path, &inputs)?, values)
    }

    /// The values among the outputs: those that were added stand behind the file's own.
    fn picked(&self, outputs: Vec<Tensor>, values: &[Watched<'_>]) -> Result<Vec<Tensor>, Failure> {
        let mut next = self.own.len();
        let mut picked = Vec::new();
        for value in values {
            let place = self.own.iter().position(|own| own == value.name).unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            picked.push(outputs.get(place).cloned().ok_or_else(|| {
                let (count, needed) = (outputs.len(), self.own.len() + values.len());
                Failure::input(format!("an engine gives {count} of {needed} outputs"))
            })?);
        }
        Ok(picked)
    }
}

/// The file under another name: engines refuse links that lead elsewhere.
fn linked(real: &Path, name: &Path) -> std::io::Result<()> {
    std::fs::hard_link(real, name).or_else(|_| std::fs::copy(real, name).map(|_| ()))
}
