//! Rebuilds when an embedded file of `std/` changes, which `include_dir!` does not track.

fn main() {
    println!("cargo::rerun-if-changed=std");
}
