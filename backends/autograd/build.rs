//! Compiles what speaks with libtorch in C++, and lets the tests of the crate find libtorch.

#[path = "../../link.rs"]
mod link;
#[path = "../../shim.rs"]
mod shim;

fn main() {
    link::libtorch("rustc-link-arg");
    shim::compile("src/autograd.cpp", "nas_autograd", &["-fopenmp"]);
}
