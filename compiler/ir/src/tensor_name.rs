//! The names of tensors of parameters: made, printed and read here, and nowhere else.

use std::fmt;

use crate::ops::Role;

/// How the names of PyTorch's counters of batches end, 64-bit integers that nothing reads.
const COUNTER: &str = ".num_batches_tracked";

/// The name of a tensor of a node's parameters: `unit.7/op=k3_e1/conv.1.weight`, and in a supernet
/// where cases of the node have tensors of their own, `unit.3/conv.0[unit.3/kernel=5].weight`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TensorName<'a> {
    /// The path of the node.
    pub node: &'a str,
    /// Which cases of the node it belongs to, as [`crate::operation::WeightGroup::label`] says;
    /// `None` where it belongs to all.
    pub group: Option<&'a str>,
    /// Which of the node's tensors it is.
    pub part: TensorPart,
}

/// The last part of a tensor's name, as PyTorch has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TensorPart {
    /// `weight`.
    Weight,
    /// `bias`.
    Bias,
    /// `running_mean`.
    RunningMean,
    /// `running_var`.
    RunningVariance,
}

impl TensorPart {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Weight, Self::Bias, Self::RunningMean, Self::RunningVariance];

    /// How it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::Bias => "bias",
            Self::RunningMean => "running_mean",
            Self::RunningVariance => "running_var",
        }
    }
}

impl From<Role> for TensorPart {
    fn from(role: Role) -> Self {
        match role {
            Role::Kernel | Role::Scale | Role::Slope => Self::Weight,
            Role::Bias | Role::Shift => Self::Bias,
            Role::RunningMean => Self::RunningMean,
            Role::RunningVariance => Self::RunningVariance,
        }
    }
}

impl fmt::Display for TensorPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<'a> TensorName<'a> {
    /// The tensor of this role that a node has in a network.
    #[must_use]
    pub fn new(node: &'a str, role: Role) -> Self {
        Self { node, group: None, part: role.into() }
    }

    /// Reads a name, which may be from a file that others wrote: what stands before the last part
    /// is then whatever they call the node. `None` where the last part is none of
    /// [`TensorPart::ALL`].
    #[must_use]
    pub fn parse(name: &'a str) -> Option<Self> {
        let (owner, last) = name.rsplit_once('.')?;
        let part = TensorPart::ALL.into_iter().find(|part| part.name() == last)?;
        let (node, group) =
            grouped(owner).map_or((owner, None), |(node, group)| (node, Some(group)));
        Some(Self { node, group, part })
    }

    /// The name without its last part.
    #[must_use]
    pub fn owner(&self) -> String {
        match self.group {
            Some(group) => format!("{}[{group}]", self.node),
            None => self.node.to_owned(),
        }
    }
}

/// Takes apart `node[group]`. A group may hold brackets of its own, as a candidate `[3, 5]` has.
fn grouped(owner: &str) -> Option<(&str, &str)> {
    let inner = owner.strip_suffix(']')?;
    let mut open = 1;
    let start = inner.char_indices().rev().find_map(|(at, c)| {
        open += match c {
            ']' => 1,
            '[' => -1,
            _ => 0,
        };
        (open == 0).then_some(at)
    })?;
    Some((owner.get(..start)?, inner.get(start + 1..)?))
}

impl fmt::Display for TensorName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.owner(), self.part)
    }
}

/// Whether a file holds under this name one of the counters of batches that PyTorch writes beside
/// the statistics of batch norm, and that nothing reads.
#[must_use]
pub fn is_batch_counter(name: &str) -> bool {
    name.ends_with(COUNTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read() {
        let nodes = ["x", "unit.7/op=k3_e1/conv.1", "size=[3, 5]/conv.0", "kernel=0.5/conv.1"];
        let groups = [None, Some("unit.3/kernel=5"), Some("pair=[3, 5],kernel=0.5"), Some("")];
        for part in TensorPart::ALL {
            for node in nodes {
                for group in groups {
                    let name = TensorName { node, group, part };
                    assert_eq!(TensorName::parse(&name.to_string()), Some(name));
                }
            }
        }
        let name = TensorName { node: "conv.0", group: Some("k=5"), part: TensorPart::Weight };
        assert_eq!(name.to_string(), "conv.0[k=5].weight");
    }

    #[test]
    fn names_of_others_are_read_as_far_as_they_are_like_ours() {
        let running = TensorName::new("encoder.bn1", Role::RunningVariance);
        assert_eq!(TensorName::parse("encoder.bn1.running_var"), Some(running));
        let odd = TensorName::new("a]", Role::Kernel);
        assert_eq!(TensorName::parse("a].weight"), Some(odd));
        for other in ["weight", "bn1.num_batches_tracked", "seed.1/logits", ""] {
            assert_eq!(TensorName::parse(other), None, "{other}");
        }
        assert!(is_batch_counter("bn1.num_batches_tracked") && !is_batch_counter("bn1.bias"));
    }
}
