//! What build scripts of packages share that speak with libtorch in C++; beside it stands `link.rs`.

use std::env;
use std::path::PathBuf;

/// Compiles the C++ file of a package against libtorch's headers, as a library of this name.
pub(crate) fn compile(source: &str, library: &str, flags: &[&str]) {
    println!("cargo::rerun-if-changed={source}");
    // Where it is not set, `link.rs` says so.
    let Ok(folder) = env::var("LIBTORCH") else { return };
    let include = PathBuf::from(folder).join("include");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());
    let mut build = cc::Build::new();
    for flag in flags {
        build.flag(flag);
    }
    build
        .cpp(true)
        .std("c++17")
        .flag(format!("-D_GLIBCXX_USE_CXX11_ABI={abi}"))
        .includes([include.clone(), include.join("torch/csrc/api/include")])
        .file(source)
        // The headers are libtorch's.
        .warnings(false)
        .compile(library);
}
