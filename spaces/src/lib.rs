//! The standard library of blocks and heads, embedded
