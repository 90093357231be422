//! Compiles what speaks with libtorch in C++, and lets the tests of the crate find libtorch, whose version the crate knows.

#[path = "../../link.rs"]
mod link;
#[path = "../../shim.rs"]
mod shim;

fn main() {
    let version = link::libtorch("rustc-link-arg");
    println!("cargo::rustc-env=LIBTORCH_VERSION={version}");
    shim::compile("src/cuda.cpp", "nas_cuda", &[]);
}
