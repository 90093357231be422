//! The codes of diagnostics: those that crates list, and those of crates that derive each by itself.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "only tests use it")]

use std::collections::BTreeSet;
use std::path::Path;

use nas_grammar::error::Code;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The codes of the parser and of the compiler. A module that declares diagnostics and is in no list
/// does not compile.
pub(crate) fn listed() -> Vec<Code> {
    [nas_grammar::error::CODES.to_vec(), nas_ir::codes(), nas_frontend::codes()].concat()
}

/// The folders of the crates whose diagnostics derive `miette::Diagnostic` one by one.
const DERIVING: [&str; 9] = [
    "backends/onnx/src",
    "backends/onnx-read/src",
    "backends/torch/src",
    "backends/tract/src",
    "cli/src",
    "cli/train",
    "compiler/ir/src",
    "data/src",
    "search/src",
];

/// The codes in the attributes `#[diagnostic(code(…))]` of the crates that derive, read from their
/// tokens; those that tests make up are `nas::test::…`.
pub(crate) fn derived() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut codes = BTreeSet::new();
    for package in DERIVING {
        below(&root.join(package), &mut codes);
    }
    codes.retain(|code| !code.starts_with("nas::test::"));
    codes
}

fn below(folder: &Path, codes: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, codes);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let tokens: TokenStream = std::fs::read_to_string(&path).unwrap().parse().unwrap();
            for attribute in calls("diagnostic", tokens) {
                codes.extend(calls("code", attribute).iter().map(joined));
            }
        }
    }
}

/// What stands in the parentheses behind each name of this kind, anywhere in the tokens.
fn calls(name: &str, tokens: TokenStream) -> Vec<TokenStream> {
    let mut found = Vec::new();
    let mut is_named = false;
    for token in tokens {
        if let TokenTree::Group(group) = &token {
            if is_named && group.delimiter() == Delimiter::Parenthesis {
                found.push(group.stream());
            } else {
                found.extend(calls(name, group.stream()));
            }
        }
        is_named = matches!(&token, TokenTree::Ident(ident) if ident == name);
    }
    found
}

/// The tokens as they are written, without blanks.
fn joined(tokens: &TokenStream) -> String {
    tokens.clone().into_iter().map(|token| token.to_string()).collect()
}
