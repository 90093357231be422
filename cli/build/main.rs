//! Build script of the root package: lets `nasc-train` find libtorch, and tells the library by
//! `NASC_BUILD` of which build it is.

#[path = "../../compiler/ir/src/fnv.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a module of a library, too")]
mod fnv;
mod identity;
#[path = "../../link.rs"]
mod link;

use std::env;
use std::path::Path;

use identity::Identity;

fn main() {
    let libtorch = match env::var_os("CARGO_FEATURE_TORCH") {
        Some(_) => link::libtorch("rustc-link-arg-bin=nasc-train"),
        None => "none".to_owned(),
    };
    match Identity::of(Path::new("."), &format!("libtorch {libtorch}")) {
        Ok(Identity { id, watched }) => {
            println!("cargo::rustc-env=NASC_BUILD={id}");
            for path in watched {
                println!("cargo::rerun-if-changed={}", path.display());
            }
        }
        Err(error) => println!("cargo::error=the sources cannot be read: {error}"),
    }
}
