//! The nasc binary.
fn main() {}
