//! Lets the tests of the crate find libtorch, and tells the crate its version as
//! `LIBTORCH_VERSION`.

#[path = "../../link.rs"]
mod link;

fn main() {
    let version = link::libtorch("rustc-link-arg");
    println!("cargo::rustc-env=LIBTORCH_VERSION={version}");
}
