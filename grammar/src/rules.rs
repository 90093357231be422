//! The parser that pest generates from `nas.pest`.
#![allow(missing_docs, unreachable_pub, reason = "generated: one variant for each rule")]

#[derive(pest_derive::Parser)]
#[grammar = "nas.pest"]
pub(crate) struct NasParser;
