//! Build script of the packages whose binaries and tests load libtorch: writes the folder of its
//! libraries into them, so that they start from anywhere without `LD_LIBRARY_PATH`, and tells them
//! its version as `LIBTORCH_VERSION`.

use std::env;
use std::fs;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    // The root package alone can do without libtorch.
    let optional = env::var("CARGO_PKG_NAME").is_ok_and(|name| name == "nasc");
    if optional && env::var_os("CARGO_FEATURE_TORCH").is_none() {
        return;
    }
    match env::var("LIBTORCH") {
        Ok(folder) => {
            link(&Path::new(&folder).join("lib"));
            println!("cargo::rustc-env=LIBTORCH_VERSION={}", version(Path::new(&folder)));
        }
        Err(_) => println!(
            "cargo::error=LIBTORCH is not set. Start cargo inside the checkout, whose \
             .cargo/config.toml sets it, or set it to the absolute path of a libtorch 2.11 folder."
        ),
    }
}

fn link(libraries: &Path) {
    let shown = libraries.display();
    if !libraries.is_absolute() || !libraries.is_dir() {
        println!("cargo::error=There is no libtorch in {shown}. Run `cargo xtask setup` first.");
        return;
    }
    // Holds for binaries, tests, unit tests, benches and doc tests of the package.
    println!("cargo::rustc-link-arg=-Wl,-rpath,{shown}");
}

/// What `#define TORCH_VERSION` says in the headers: `2.11.0`.
fn version(folder: &Path) -> String {
    let header = folder.join("include/torch/headeronly/version.h");
    let text = fs::read_to_string(header).unwrap_or_default();
    let defined = text.split_once("#define TORCH_VERSION ").map(|(_, rest)| rest);
    let quoted = defined.and_then(|rest| rest.split('"').nth(1));
    quoted.unwrap_or("unknown").to_owned()
}
