//! What the targets of the standard library say of a network.

use std::collections::BTreeMap;

use nas_diagnostics::Problems;
use nas_frontend::Compiler;
use nas_frontend::modules::Program;
use nas_grammar::Source;
use nas_grammar::ast::{Ident, ItemKind, Span};
use nas_grammar::parse::parse;
use nas_ir::{Network, Opset};
use nas_testing::load;

/// What the shipped targets say.
pub(crate) struct Claims {
    program: Program,
    names: Vec<String>,
}

impl Claims {
    pub(crate) fn load() -> Self {
        let names = targets();
        let main = format!("use std.targets.{{{}}}", names.join(", "));
        let mut problems = Problems::default();
        let program = Program::load(Source::new("main", main), &load, &mut problems);
        assert!(!problems.has_errors(), "{:?}", problems.into_vec());
        Self { program, names }
    }

    /// For each target why it cannot run the network, if it cannot.
    pub(crate) fn of(&self, network: &Network) -> Vec<(String, Option<String>)> {
        let mut problems = Problems::default();
        let mut compiler = Compiler::new(&self.program, &mut problems);
        let claims = self.names.iter().map(|name| {
            let ident = Ident { name: name.clone(), span: Span::default() };
            let target = compiler.target(&ident).unwrap();
            let refusal = compiler.refusals(network, &target).first().map(ToString::to_string);
            (name.clone(), refusal)
        });
        claims.collect()
    }

    /// The operator set that each target reads.
    #[allow(dead_code, reason = "only the example needs them")]
    pub(crate) fn opsets(&self) -> BTreeMap<String, Opset> {
        let mut problems = Problems::default();
        let mut compiler = Compiler::new(&self.program, &mut problems);
        let opset = |name: &String| {
            let ident = Ident { name: name.clone(), span: Span::default() };
            (name.clone(), compiler.target(&ident).unwrap().opset.unwrap())
        };
        self.names.iter().map(opset).collect()
    }

    /// The target and the operator of each row.
    #[allow(dead_code, reason = "the example does not need them")]
    pub(crate) fn rows(&self) -> Vec<(String, &'static str)> {
        let mut problems = Problems::default();
        let mut compiler = Compiler::new(&self.program, &mut problems);
        let mut all = Vec::new();
        for name in &self.names {
            let ident = Ident { name: name.clone(), span: Span::default() };
            let operators = compiler.target(&ident).unwrap().operators().unwrap();
            all.extend(operators.into_iter().map(|operator| (name.clone(), operator)));
        }
        all
    }
}

/// The names of the shipped targets.
fn targets() -> Vec<String> {
    let text = nas_spaces::std_module("targets").unwrap();
    let parsed = parse(&Source::new("std/targets.nas", text));
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let items = parsed.file.items.into_iter();
    items
        .filter_map(|item| match item.kind {
            ItemKind::Target(target) => Some(target.name.name),
            _ => None,
        })
        .collect()
}
