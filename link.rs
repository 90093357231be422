//! What build scripts of packages that load libtorch share.

use std::path::Path;
use std::{env, fs};

/// Writes the folder of libtorch's libraries into the executables that `link_arg` means, a key of
/// cargo such as `rustc-link-arg`, so that they start from anywhere without `LD_LIBRARY_PATH`.
/// Returns the version of libtorch; where it is not known, the build fails and says why.
pub(crate) fn libtorch(link_arg: &str) -> String {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    let Ok(folder) = env::var("LIBTORCH") else {
        println!(
            "cargo::error=LIBTORCH is not set. Start cargo inside the checkout, whose \
             .cargo/config.toml sets it, or set it to the absolute path of a libtorch 2.11 folder."
        );
        return String::new();
    };
    let libraries = Path::new(&folder).join("lib");
    let shown = libraries.display();
    if !libraries.is_absolute() || !libraries.is_dir() {
        println!("cargo::error=There is no libtorch in {shown}. Run `cargo xtask setup` first.");
    }
    println!("cargo::{link_arg}=-Wl,-rpath,{shown}");
    version(Path::new(&folder))
}

/// What `#define TORCH_VERSION` says in the headers: `2.11.0`.
fn version(folder: &Path) -> String {
    let header = folder.join("include/torch/headeronly/version.h");
    let Ok(text) = fs::read_to_string(&header) else { return "unknown".to_owned() };
    println!("cargo::rerun-if-changed={}", header.display());
    let defined = text.split_once("#define TORCH_VERSION ").map(|(_, rest)| rest);
    let quoted = defined.and_then(|rest| rest.split('"').nth(1));
    quoted.unwrap_or("unknown").to_owned()
}
