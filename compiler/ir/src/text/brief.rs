//! Operators in few words, for pictures.

use std::fmt::Write;

use crate::ops::signature::{Argument, Arguments, Declaration, Default};
use crate::ops::{self, Op};

/// An operator with the arguments that are not at their defaults: `conv 16, 3×3, stride 2`. What
/// must be given stands without its name.
#[must_use]
pub fn brief(op: &Op) -> String {
    let declaration = op.declaration();
    let arguments = op.arguments();
    let plain = plain(declaration, &arguments);
    let mut text = declaration.name.to_owned();
    let mut gap = " ";
    for parameter in declaration.params {
        let Some(value) = arguments.get(parameter.name) else { continue };
        let shown = match (parameter.default, value) {
            (Default::Required, _) => short(value),
            (Default::Is(default), _) if default == value => continue,
            _ if plain.get(parameter.name) == Some(value) => continue,
            (_, Argument::Flag(true)) => parameter.name.to_owned(),
            (_, Argument::Pair([a, b])) if a == b => format!("{} {a}", parameter.name),
            _ => format!("{} {}", parameter.name, short(value)),
        };
        // Writing to a string does not fail.
        let _ = write!(text, "{gap}{shown}");
        gap = ", ";
    }
    text
}

/// The arguments of the operator if only what must be given were given: what a parameter without
/// a fixed default then is depends on the others.
fn plain(declaration: &Declaration, arguments: &Arguments) -> Arguments {
    let given = declaration.params.iter().filter_map(|parameter| match parameter.default {
        Default::Required => Some((parameter.name, arguments.get(parameter.name)?)),
        Default::Is(value) => Some((parameter.name, value)),
        Default::Absent => None,
    });
    let given = given.fold(Arguments::default(), |given, (name, value)| given.with(name, value));
    let built = ops::find(declaration.name).and_then(|row| (row.build)(&given).ok());
    built.map(|op| op.arguments()).unwrap_or_default()
}

fn short(value: Argument) -> String {
    match value {
        Argument::Pair([a, b]) => format!("{a}×{b}"),
        Argument::Word(word) => word.to_owned(),
        Argument::Count(_) | Argument::Real(_) | Argument::Flag(_) | Argument::Sides { .. } => {
            value.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_left_out() {
        let build = |name: &str, arguments: Arguments| {
            (ops::find(name).unwrap().build)(&arguments).map(|op| brief(&op)).unwrap()
        };
        let conv = |stride| {
            let pair = |n| Argument::Pair([n, n]);
            let arguments = Arguments::default()
                .with("out", Argument::Count(16))
                .with("kernel", pair(3))
                .with("stride", pair(stride))
                .with("dilation", pair(1))
                .with("groups", Argument::Count(4))
                .with("bias", Argument::Flag(true))
                .with("padding", Argument::Word("same"));
            build("conv", arguments)
        };
        assert_eq!(conv(1), "conv 16, 3×3, groups 4, bias");
        assert_eq!(conv(2), "conv 16, 3×3, stride 2, groups 4, bias");
        let pool = Arguments::default()
            .with("kernel", Argument::Pair([49, 49]))
            .with("padding", Argument::Word("valid"))
            .with("ceil", Argument::Flag(false))
            .with("count_include_pad", Argument::Flag(false));
        assert_eq!(build("avg_pool", pool.clone()), "avg_pool 49×49");
        let pool = pool.with("stride", Argument::Pair([16, 20]));
        assert_eq!(build("avg_pool", pool), "avg_pool 49×49, stride 16×20");
    }
}
