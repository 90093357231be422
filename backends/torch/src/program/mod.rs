//! A network or a supernet as a list of instructions: what both have in common, and what kernels
//! are chosen for.
//!
//! `build` makes programs, `verify` proves them well-formed, always; `print` writes them as text:
//!
//! ```text
//! program
//!
//! input [3, 16, 16]
//!
//! p0 = kernel "a.weight" [8, 3, 3, 3] normal 0.16666666666666666
//! p1 = kernel "b.weight" [8, 3, 5, 5] normal 0.1
//!
//! t0 = by d0 [0, 1]
//!
//! s0 = t0 mixes [d0]
//!
//! v0 = input 0 "image"
//! v1 = conv(v0: [3, 16, 16]) {out = 8, …} [p0] "a" : [8, 16, 16]
//! v2 = conv(v0: [3, 16, 16]) {out = 8, …} [p1(0+8, 0+3, 1+3, 1+3)] "b" : [8, 16, 16]
//! v3 = zero() "c" : [8, 16, 16]
//! v4 = select s0 (v1, v2) "op"
//! v5 = output (v4) "logits"
//!
//! output v5 : [8, 16, 16]
//! train output v1 : [8, 16, 16] weight 0.4
//! ```
//!
//! An operand of an operator has the shape for which this case of the operator is made. Of a
//! parameter an operator may read a part, `first+length` along each axis, which `p1(…) * p2[3, 3]` brings to a smaller
//! kernel by the matrix p2. A table is a row of a
//! diagram: the index of an operand, or another table, for each candidate of a decision. A rule of
//! selects is a table, or an index, with the decisions by which it mixes. One of masks, `s1 = t0 masks [4, 8]`, is a table
//! with the numbers of channels that it says the index of; `v7 = round 0.5 128 (v6) "relu"` is rounded to a grid, or to 16-bit
//! floats, `round half`, or to a grid whose step learns, `round p4 128` or of powers of two `round 2^p4 128`; so are weights:
//! `p2 by 2^p3 along 0` a kernel, `p2 by p3 times p4` a bias, `p2 by half`. `v6 = mask s1 (v5) "relu"` is the value of `v5`, masked where these
//! are mixed.

mod build;
mod instruction;
#[cfg(test)]
mod parse;
mod print;
mod shapes;
mod table;
mod verify;

pub(crate) use instruction::{
    Instruction, InstructionKind, LearnedStep, OpCase, Output, ParameterSpec, Program, Round,
    Select, Transform, WeightRounding, WeightView,
};
pub(crate) use table::{Id, ParameterId, SelectId, Table, ValueId};
