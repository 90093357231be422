//! `target` items: what a device can run. A space `for` a target holds only networks that it runs.

mod blame;
mod drop;
mod read;
mod support;
mod unsupported;

use nas_diagnostics::{Place, Problems, diagnostics, did_you_mean};
use nas_grammar::Source;
use nas_grammar::ast::{self, Ident, Span};
use nas_ir::{Opset, Precision};
use rustc_hash::FxHashMap as HashMap;

use crate::modules::ModuleId;
use crate::session::Compiler;
pub use drop::Dropped;
use read::Reader;
pub use support::Refusal;
use support::Support;

diagnostics! {
    /// A target that the file does not have.
    Error UnknownTarget [nas::target::unknown] "there is no target `{name}`" { name: String }
    /// A line of a target that means nothing.
    Error UnknownEntry [nas::target::entry] "a target has no setting `{name}`" { name: String }
    /// A value that the setting does not take.
    Error WrongSetting [nas::target::value] "`{name}` takes {expected}, not {found}" { name: String, expected: String, found: String }
    /// A line that is there twice.
    Error RepeatedEntry [nas::target::repeated] "`{name}` is given twice" { name: String }
    /// An operator that the language does not have.
    Error UnknownOperator [nas::target::operator] "there is no operator `{name}`" { name: String }
    /// A condition that is no condition on an operator's arguments.
    Error WrongCondition [nas::target::condition] "a condition on `{operator}` is true or false" { operator: String }
    /// A name in a condition that is no parameter.
    Error UnknownParameter [nas::target::parameter] "`{operator}` has no parameter `{name}`" { operator: String, name: String }
    /// A part of a space that its target cannot run.
    Error Unsupported [nas::target::unsupported] "target `{target}` cannot run this: {reason}" { target: String, reason: String }
}

/// The path of a latency table, from the folder of the file that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePath {
    /// The path.
    pub path: String,
    /// Where it is named.
    pub(crate) span: Span,
}

/// A device.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// The ONNX operator set that it reads.
    pub opset: Option<Opset>,
    /// What it computes with.
    pub precision: Option<Precision>,
    /// Bytes for weights and activations.
    pub memory: Option<u64>,
    /// The file of its latency table.
    pub latency: Option<TablePath>,
    /// The operators that it runs; all, if the item does not say.
    supports: Option<Vec<Support>>,
    module: ModuleId,
    source: Source,
}

impl<'p> Compiler<'p, '_> {
    /// The target of this name, or `None` after a report.
    pub fn target(&mut self, name: &Ident) -> Option<Target> {
        let program = self.program;
        let Some((module, item)) = program.target(program.main(), &name.name) else {
            let known: Vec<&str> = program.targets().map(|t| t.name.name.as_str()).collect();
            let help = match known.as_slice() {
                [] => format!("this file has no target; write `target {} {{ … }}`", name.name),
                known => did_you_mean(&name.name, known, "the targets of this file are"),
            };
            let place = Place::new(&self.source(), name.span, "not found").help(help);
            self.problems.push(UnknownTarget::at(place, name.name.as_str()));
            return None;
        };
        self.read_target(module, item)
    }

    /// The target that an item describes, or `None` after a report.
    pub(crate) fn read_target(
        &mut self,
        module: ModuleId,
        item: &'p ast::Target,
    ) -> Option<Target> {
        let source = self.program.module(module).map(|module| module.source.clone())?;
        let mut reader = Reader {
            program: self.program,
            work: &mut self.work,
            seen: HashMap::default(),
            problems: Problems::default(),
            target: Target {
                name: item.name.name.clone(),
                opset: None,
                precision: None,
                memory: None,
                latency: None,
                supports: None,
                module,
                source,
            },
        };
        item.entries.iter().for_each(|entry| reader.entry(entry));
        let Reader { problems, target, .. } = reader;
        let is_sound = !problems.has_errors();
        self.problems.extend(problems.into_vec());
        is_sound.then_some(target)
    }
}

impl Target {
    /// The file that it stands in.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The operators of which it runs some form, one for each row; `None` if the item does not say.
    #[must_use]
    pub fn operators(&self) -> Option<Vec<&'static str>> {
        self.supports.as_ref().map(|rows| rows.iter().map(|row| row.operator).collect())
    }
}
