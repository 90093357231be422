//! The text form of a space: what `show --stage space` prints and what tests of passes read.
//!
//! ```text
//! space tiny
//! task segmentation(classes = 7, ignore = 255)
//! precision int8
//! opset 13
//! memory 524288
//! require 1 * macs + -30 * params <= 0
//!
//! d0 = decision "op" label "op" [conv3, skip]
//!
//! n0 = input "image" : [3, 64, 64]
//! n1 = conv(n0) {out = 3, kernel = (3, 3), …} "op=conv3/conv.0" : [3, 64, 64]
//! n2 = zero(n0) "op=skip/zero.0" : [3, 64, 64]
//! n3 = select d0 (n1, n2) "op" : [3, 64, 64]
//! n4 = output (n3) "logits" : [3, 64, 64]
//! n5 = train output (n1) {weight = 0.4} "aux" : [3, 64, 64]
//! n6 = relu(n3) "relu.0" : [3, 64, 64] in d1 {int8 | fp16}
//! ```
//!
//! What depends on decisions names its selector and lists its cases: `select t1 (…)`,
//! `op d1 {conv() {…} | conv() {…}} (n0)`, `: d1 {[16, 8, 8] | [32, 8, 8]}`. A selector is a decision,
//! whose candidate is the index, or a table: `t1 = by d1 [t0, 1]` is table t0 where d1 takes its first
//! candidate, index 1 where it takes its second.
//!
//! What a requirement counts is `count op [skip, none]`, the decisions of a label that take one of these candidates, or
//! `breaks increasing width`, the values of those of a label that are less than the one before.
//!
//! What computes with other numbers than the target says so behind its shape.
//!
//! A shape lists the sizes along its axes, channels first: one for a vector, three for a map.
//!
//! Of a target stand the precision, if it is not fp32, the operator set and the bytes of memory; its
//! latency table does not. A requirement limits whole numbers, latencies in nanoseconds. One line a thing; ids count from 0 in
//! the order of the lines, operands first. Where and how things were written is not part of the text:
//! `parse(print(x)) == x`, that aside.

mod brief;
mod dot;
mod parse;
mod print;

pub use brief::brief;
pub use dot::{dot, dot_network};
pub use parse::{TextError, parse};
pub use print::{print, print_network};
