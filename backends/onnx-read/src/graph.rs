//! The graph of a model: nodes, the values between them, constants. Names and data are those of the file's bytes.

use std::collections::BTreeMap;

use nas_ir::IdVec;
use nas_ir::id_vec::Id;

use crate::constant::{Constant, Data, Outside};
use crate::element::Element;

/// A value of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(u32);

impl Id for ValueId {
    const OF: &'static str = "values";

    fn of_row(row: usize) -> Self {
        // INVARIANT: there are fewer values than pieces that are read of a file.
        Self(row as u32)
    }

    fn row(self) -> usize {
        self.0 as usize
    }
}

/// A model, as its file has it. Nodes stand in an order in which operands come first.
#[derive(Debug, Clone, Default)]
pub struct Graph<'b> {
    /// What wrote the file: `pytorch 2.11.0`.
    pub producer: String,
    /// The versions of the operator sets by their domains; that of ONNX itself is the empty text.
    pub opsets: BTreeMap<&'b str, i64>,
    /// The values.
    pub values: IdVec<ValueId, Value<'b>>,
    /// The nodes.
    pub nodes: Vec<Node<'b>>,
    /// The inputs; constants aside.
    pub inputs: Vec<ValueId>,
    /// The outputs.
    pub outputs: Vec<ValueId>,
}

/// A value.
#[derive(Debug, Clone, Default)]
pub struct Value<'b> {
    /// Its name, which no other value has.
    pub name: &'b str,
    /// What the file says that it is.
    pub stated: Option<Stated<'b>>,
    /// What it is, if the file has it.
    pub constant: Option<Constant<'b>>,
}

/// What a file says that a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated<'b> {
    /// Its elements.
    pub element: Element,
    /// Its sizes, if they are told.
    pub sizes: Option<Vec<Size<'b>>>,
}

/// A size of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size<'b> {
    /// This one.
    Of(u64),
    /// A symbol, the same wherever it stands.
    Named(&'b str),
    /// Any.
    Open,
}

/// A node.
#[derive(Debug, Clone, Default)]
pub struct Node<'b> {
    /// Its name, which may be empty, and that of another.
    pub name: &'b str,
    /// Its operator: `Conv`.
    pub operator: &'b str,
    /// The domain of the operator; empty for those of ONNX itself.
    pub domain: &'b str,
    /// Its operands; some may be left out.
    pub inputs: Vec<Option<ValueId>>,
    /// What it makes; some may be left out.
    pub outputs: Vec<Option<ValueId>>,
    /// Its attributes by name.
    pub attributes: BTreeMap<&'b str, Attribute<'b>>,
}

/// The value of an attribute.
#[derive(Debug, Clone)]
pub enum Attribute<'b> {
    /// An integer.
    Int(i64),
    /// Integers.
    Ints(Vec<i64>),
    /// A float.
    Float(f32),
    /// Floats.
    Floats(Vec<f32>),
    /// A text.
    Text(&'b [u8]),
    /// A tensor.
    Tensor(Constant<'b>),
    /// A graph that the node runs, several, or something else that is not looked at.
    Other,
}

impl<'b> Node<'b> {
    /// What it is called in reports: its name, else that of what it makes.
    #[must_use]
    pub fn called(&self, graph: &Graph<'_>) -> String {
        let made = || self.outputs.iter().flatten().next().map(|&id| graph.values[id].name);
        match (self.name, made()) {
            ("", Some(made)) => format!("{} of `{made}`", self.operator),
            ("", None) => self.operator.to_owned(),
            (name, _) => format!("`{name}` ({})", self.operator),
        }
    }

    /// The operator with its domain, where that is another than ONNX's own.
    #[must_use]
    pub fn operator_name(&self) -> String {
        if self.is_standard() {
            self.operator.to_owned()
        } else {
            format!("{}.{}", self.domain, self.operator)
        }
    }

    /// Whether its operator is one of ONNX itself.
    #[must_use]
    pub fn is_standard(&self) -> bool {
        matches!(self.domain, "" | "ai.onnx")
    }

    /// An operand, if it is given.
    #[must_use]
    pub fn operand(&self, place: usize) -> Option<ValueId> {
        self.inputs.get(place).copied().flatten()
    }

    /// An attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute<'b>> {
        self.attributes.get(name)
    }

    /// An attribute that is an integer.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.attribute(name)? {
            Attribute::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// An attribute that is a list of integers.
    #[must_use]
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        match self.attribute(name)? {
            Attribute::Ints(ints) => Some(ints),
            _ => None,
        }
    }

    /// An attribute that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.attribute(name)? {
            Attribute::Text(text) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// An attribute that is a float.
    #[must_use]
    pub fn float(&self, name: &str) -> Option<f32> {
        match self.attribute(name)? {
            Attribute::Float(float) => Some(*float),
            _ => None,
        }
    }
}

impl Graph<'_> {
    /// The version of ONNX's own operators.
    #[must_use]
    pub fn opset(&self) -> i64 {
        let own = self.opsets.get("").or_else(|| self.opsets.get("ai.onnx"));
        own.copied().unwrap_or(1)
    }

    /// A value and its constant, if it has one.
    #[must_use]
    pub fn constant(&self, value: ValueId) -> Option<&Constant<'_>> {
        self.values[value].constant.as_ref()
    }

    /// The parts of other files in which data of it lie, with the names of the constants.
    pub fn outside(&self) -> impl Iterator<Item = (&str, &Outside<'_>)> {
        let constants = self.values.rows().iter().filter_map(|value| value.constant.as_ref());
        let attributes = self.nodes.iter().flat_map(|node| node.attributes.values());
        let tensors = attributes.filter_map(|attribute| match attribute {
            Attribute::Tensor(constant) => Some(constant),
            _ => None,
        });
        constants.chain(tensors).filter_map(|constant| match &constant.data {
            Data::Outside(outside) => Some((constant.name, outside)),
            _ => None,
        })
    }

    /// The inputs with what the file says of them: `image: float32[batch, 3, 224, 224]`.
    #[must_use]
    pub fn inputs_in_words(&self) -> Vec<String> {
        self.inputs.iter().map(|&id| self.values[id].in_words()).collect()
    }
}

impl Value<'_> {
    /// Its name, and what the file says of it.
    #[must_use]
    pub fn in_words(&self) -> String {
        let Some(Stated { element, sizes }) = &self.stated else { return self.name.to_owned() };
        let sizes = match sizes {
            None => "…".to_owned(),
            Some(sizes) => sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        format!("{}: {}[{sizes}]", self.name, element.name())
    }
}

impl std::fmt::Display for Size<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Of(size) => write!(f, "{size}"),
            Self::Named(symbol) => f.write_str(symbol),
            Self::Open => f.write_str("?"),
        }
    }
}
