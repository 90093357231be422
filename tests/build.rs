//! Lets the tests find libtorch.

#[path = "../link.rs"]
mod link;

fn main() {
    link::libtorch("rustc-link-arg");
}
