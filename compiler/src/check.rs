//! `Checked<Space>`: the only thing that analyses and backends accept.

use std::ops::Deref;

use crate::ir::Space;

/// Something that the checker proved well-formed. Only the checker makes it.
#[derive(Debug, Clone)]
pub struct Checked<T>(T);

impl<T> Deref for Checked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
