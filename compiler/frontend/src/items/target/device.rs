//! A target as its item describes it.

use std::sync::Arc;

use nas_grammar::Source;
use nas_grammar::ast::{Expr, Span};
use nas_ir::{Opset, Precision};

use crate::modules::ModuleId;

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
    pub(super) supports: Option<Vec<Support>>,
    pub(super) module: ModuleId,
    pub(super) source: Source,
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

/// An operator that a device runs, as far as the conditions hold.
#[derive(Debug, Clone)]
pub(super) struct Support {
    pub(super) operator: &'static str,
    pub(super) conditions: Vec<Arc<Expr>>,
}
