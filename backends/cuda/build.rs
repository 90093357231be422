//! Compiles what speaks with libtorch in C++, and lets the tests of the crate find libtorch.

use std::env;
use std::path::PathBuf;

#[path = "../../link.rs"]
mod link;

fn main() {
    let version = link::libtorch("rustc-link-arg");
    println!("cargo::rustc-env=LIBTORCH_VERSION={version}");
    println!("cargo::rerun-if-changed=src/cuda.cpp");
    let Ok(folder) = env::var("LIBTORCH") else { return };
    let include = PathBuf::from(folder).join("include");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .flag(format!("-D_GLIBCXX_USE_CXX11_ABI={abi}"))
        .includes([include.clone(), include.join("torch/csrc/api/include")])
        .file("src/cuda.cpp")
        // The headers are libtorch's.
        .warnings(false)
        .compile("nas_cuda");
}
