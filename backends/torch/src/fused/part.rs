//! What it is made of that operators are computed together, so that a benchmark can leave a part of it out.

use nas_ir::Op;

use super::convolution::Convolution;
use super::roles::{Role, convolution};
use crate::program::OpCase;

/// A part of what has operators computed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Convolutions, with what is around them: all but the loss.
    Layers,
    /// Of these, those of all channels: of few channels by a window, and strided 1x1 ones.
    Windows,
    /// Those with a bias.
    Biases,
    /// That an expansion begins a chain, so that what it makes is never written.
    Expansions,
    /// Products of squeeze-and-excitation, as they are read.
    Gates,
    /// The loss of an answer that is enlarged last.
    Loss,
}

impl Part {
    /// All, with their names.
    pub const NAMED: [(&'static str, Self); 6] = [
        ("layers", Self::Layers),
        ("windows", Self::Windows),
        ("biases", Self::Biases),
        ("expansions", Self::Expansions),
        ("gates", Self::Gates),
        ("loss", Self::Loss),
    ];

    /// The role of an instruction, an operator if it is given, where this part is left out.
    pub(crate) fn without(self, case: Option<&OpCase>, role: Role) -> Role {
        let kind = case.and_then(convolution);
        let has_bias = case.is_some_and(|case| matches!(&case.op, Op::Conv(conv) if conv.bias));
        match (self, role) {
            (Self::Layers, role) if role != Role::Answer => Role::Alone,
            (Self::Windows, Role::Convolution { .. })
                if matches!(kind, Some(Convolution::Dense(_))) =>
            {
                Role::Alone
            }
            (Self::Biases, Role::Convolution { .. }) if has_bias => Role::Alone,
            (Self::Expansions, Role::Convolution { storage, .. }) => {
                Role::Convolution { storage, begins: false }
            }
            (Self::Gates, Role::Gate { .. }) | (Self::Loss, Role::Answer) => Role::Alone,
            (_, role) => role,
        }
    }
}
