//! `target` items: what a device can run. A space `for` a target holds only networks that it runs.

mod blame;
mod device;
mod drop;
mod errors;
mod read;
mod support;
mod unsupported;

use nas_diagnostics::{Help, Place, Problems, suggested};
use nas_grammar::ast::{self, Ident};
use rustc_hash::FxHashMap as HashMap;

use crate::context::Context;
use crate::modules::ModuleId;
pub use device::{TablePath, Target};
pub use drop::Dropped;
pub(crate) use drop::without_unsupported;
pub(crate) use errors::CODES;
use errors::UnknownTarget;
use read::Reader;
pub use support::Refusal;
pub(crate) use unsupported::{check, refusals};

/// The target of this name, or `None` after a report.
pub(crate) fn named<'p>(context: &mut Context<'p, '_>, name: &Ident) -> Option<Target> {
    let program = context.program;
    let Some((module, item)) = program.target(program.main(), &name.name) else {
        let known: Vec<&str> = program.targets().map(|t| t.name.name.as_str()).collect();
        let source = context.source();
        let help = match known.as_slice() {
            [] => Help::advice(format!(
                "this file has no target; write `target {} {{ … }}`",
                name.name
            )),
            known => {
                suggested(source.at(name.span), &name.name, known, "the targets of this file are")
            }
        };
        let place = Place::new(&source, name.span, "not found").help(help);
        context.problems.push(UnknownTarget::at(place, name.name.as_str()));
        return None;
    };
    read(context, module, item)
}

/// The target that an item describes, or `None` after a report.
pub(crate) fn read<'p>(
    context: &mut Context<'p, '_>,
    module: ModuleId,
    item: &'p ast::Target,
) -> Option<Target> {
    let source = context.program.module(module).map(|module| module.source.clone())?;
    let mut reader = Reader {
        program: context.program,
        fuel: &mut context.fuel,
        seen: HashMap::default(),
        problems: Problems::default(),
        target: Target {
            name: item.name.name.clone(),
            opset: None,
            precision: None,
            memory: None,
            latency: None,
            supports: None,
            module,
            source,
        },
    };
    item.entries.iter().for_each(|entry| reader.entry(entry));
    let Reader { problems, target, .. } = reader;
    let is_sound = !problems.has_errors();
    context.problems.extend(problems.into_vec());
    is_sound.then_some(target)
}
