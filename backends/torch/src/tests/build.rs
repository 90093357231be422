//! Spaces made by hand.

use nas_diagnostics::Problems;
use nas_ir::ops::find;
use nas_ir::ops::signature::{Argument, Arguments, Default as Fallback};
use nas_ir::verify::verify;
use nas_ir::{
    Assignment, Checked, Choice, Decision, DecisionId, Network, Node, NodeId, NodeKind, Op, Shape,
    Space, Task, Varied,
};
use nas_passes::specialise;

/// An operator by its name in the language, with the defaults of what is not given.
pub(crate) fn op(name: &str, given: &[(&'static str, Argument)]) -> Op {
    let row = find(name).unwrap();
    let mut arguments = Arguments::default();
    for parameter in row.declaration.params {
        let value = given.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| *value);
        let value = value.or(match parameter.default {
            Fallback::Is(value) => Some(value),
            Fallback::Required | Fallback::Absent => None,
        });
        if let Some(value) = value {
            arguments = arguments.with(parameter.name, value);
        }
    }
    (row.build)(&arguments).unwrap()
}

/// What the checker makes of a space without fault.
pub(crate) fn checked(space: Space) -> Checked<Space> {
    let mut problems = Problems::default();
    let checked = verify(space, &mut problems);
    checked.unwrap_or_else(|| panic!("{:?}", problems.into_vec()))
}

/// A space in the making.
pub(crate) struct Maker {
    pub(crate) space: Space,
}

impl Maker {
    /// A space for `classes` classes with one input; returns the input too.
    pub(crate) fn new(classes: u32, input: Shape) -> (Self, NodeId) {
        let task = Some(Task::Segmentation { classes, ignore: 255 });
        let mut maker = Self { space: Space { name: "S".into(), task, ..Space::default() } };
        let id = maker.node("image", NodeKind::Input, &[], input);
        (maker, id)
    }

    fn node(&mut self, name: &str, kind: NodeKind, inputs: &[NodeId], shape: Shape) -> NodeId {
        let (inputs, shape) = (inputs.to_vec(), Varied::Fixed(shape));
        self.space.graph.add(Node::new(kind, inputs, shape, name))
    }

    pub(crate) fn shape(&self, id: NodeId) -> Shape {
        *self.space.graph.shape(id).unwrap().fixed().unwrap()
    }

    pub(crate) fn op(&mut self, name: &str, op: Op, inputs: &[NodeId]) -> NodeId {
        let shapes: Vec<Shape> = inputs.iter().map(|&id| self.shape(id)).collect();
        let shape = op.shape(&shapes).unwrap();
        self.node(name, NodeKind::Op(Varied::Fixed(op)), inputs, shape)
    }

    pub(crate) fn conv(&mut self, name: &str, x: NodeId, out: u32, how: Conv) -> NodeId {
        let Conv { kernel, stride, dilation, groups, bias } = how;
        let conv = op(
            "conv",
            &[
                ("out", Argument::Count(out)),
                ("kernel", Argument::Count(kernel)),
                ("stride", Argument::Count(stride)),
                ("dilation", Argument::Count(dilation)),
                ("groups", Argument::Count(groups)),
                ("bias", Argument::Flag(bias)),
            ],
        );
        self.op(name, conv, &[x])
    }

    pub(crate) fn conv_bn(&mut self, name: &str, x: NodeId, out: u32, how: Conv) -> NodeId {
        let y = self.conv(&format!("{name}/conv"), x, out, how);
        self.op(&format!("{name}/bn"), op("batch_norm", &[]), &[y])
    }

    pub(crate) fn relu(&mut self, name: &str, x: NodeId) -> NodeId {
        self.op(&format!("{name}/relu"), op("relu", &[]), &[x])
    }

    pub(crate) fn decision(&mut self, path: &str, candidates: usize) -> DecisionId {
        self.space.decisions.push(Decision {
            path: path.into(),
            label: path.into(),
            choice: Choice::Parts,
            candidates: (0..candidates).map(|i| format!("c{i}")).collect(),
            origin: None,
        });
        self.space.decision_ids().last().unwrap().0
    }

    pub(crate) fn select(&mut self, decision: DecisionId, candidates: &[NodeId]) -> NodeId {
        let shape = self.shape(candidates[0]);
        let name = format!("select{}", decision.index());
        let selector = self.space.selectors.choice(decision, candidates.len());
        self.node(&name, NodeKind::Select(selector), candidates, shape)
    }

    pub(crate) fn output(&mut self, x: NodeId) {
        let shape = self.shape(x);
        self.node("out", NodeKind::Output, &[x], shape);
    }

    /// Inverted residual without the residual.
    pub(crate) fn inverted(&mut self, name: &str, x: NodeId, out: u32, unit: Unit) -> NodeId {
        let Unit { kernel, expand, dilation, stride, groups } = unit;
        let mid = self.shape(x).channels() * expand;
        let y =
            self.conv_bn(&format!("{name}/expand"), x, mid, Conv { groups, ..Conv::pointwise() });
        let y = self.relu(&format!("{name}/expand"), y);
        let depthwise = Conv { kernel, stride, dilation, groups: mid, bias: false };
        let y = self.conv_bn(&format!("{name}/depth"), y, mid, depthwise);
        let y = self.relu(&format!("{name}/depth"), y);
        self.conv_bn(&format!("{name}/project"), y, out, Conv { groups, ..Conv::pointwise() })
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Conv {
    pub(crate) kernel: u32,
    pub(crate) stride: u32,
    pub(crate) dilation: u32,
    pub(crate) groups: u32,
    pub(crate) bias: bool,
}

impl Conv {
    pub(crate) fn pointwise() -> Self {
        Self { kernel: 1, stride: 1, dilation: 1, groups: 1, bias: false }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) kernel: u32,
    pub(crate) expand: u32,
    pub(crate) dilation: u32,
    pub(crate) stride: u32,
    pub(crate) groups: u32,
}

/// Kernel, expansion, groups and dilation of the convolutional candidates of SqueezeNAS.
pub(crate) const UNITS: [[u32; 4]; 12] = [
    [3, 1, 1, 1],
    [3, 1, 2, 1],
    [3, 3, 1, 1],
    [3, 6, 1, 1],
    [5, 1, 1, 1],
    [5, 1, 2, 1],
    [5, 3, 1, 1],
    [5, 6, 1, 1],
    [3, 1, 1, 2],
    [3, 1, 2, 2],
    [3, 3, 1, 2],
    [3, 6, 1, 2],
];

/// A space like those of SqueezeNAS: a stem of stride 2, a searched layer for each of `layers`
/// (channels, stride) with these units and a skip as candidates, and a head that brings the map
/// back to the input's size.
pub(crate) fn squeeze(
    classes: u32,
    input: Shape,
    layers: &[(u32, u32)],
    units: &[[u32; 4]],
) -> Checked<Space> {
    let (mut maker, image) = Maker::new(classes, input);
    let first = Conv { kernel: 3, stride: 2, ..Conv::pointwise() };
    let stem = maker.conv_bn("stem", image, 16, first);
    let mut x = maker.relu("stem", stem);
    for (layer, &(out, stride)) in layers.iter().enumerate() {
        x = maker.layer(&format!("unit.{layer}"), x, (out, stride), units);
    }
    let head = maker.conv("head", x, classes, Conv { bias: true, ..Conv::pointwise() });
    let [h, w] = input.plane().unwrap();
    let resize = op("resize", &[("size", Argument::Pair([h, w]))]);
    let y = maker.op("resize", resize, &[head]);
    maker.output(y);
    checked(maker.space)
}

impl Maker {
    fn layer(
        &mut self,
        name: &str,
        x: NodeId,
        (out, stride): (u32, u32),
        units: &[[u32; 4]],
    ) -> NodeId {
        let decision = self.decision(&format!("{name}/op"), units.len() + 1);
        let residual = stride == 1 && self.shape(x).channels() == out;
        let mut candidates = Vec::new();
        for (i, &[kernel, expand, groups, dilation]) in units.iter().enumerate() {
            let unit = Unit { kernel, expand, dilation, stride, groups };
            candidates.push(self.inverted(&format!("{name}/op=c{i}"), x, out, unit));
        }
        let skip = format!("{name}/op=skip");
        candidates.push(if residual {
            self.op(&skip, op("zero", &[]), &[x])
        } else {
            let relu = self.relu(&skip, x);
            self.conv_bn(&skip, relu, out, Conv { stride, ..Conv::pointwise() })
        });
        let mixed = self.select(decision, &candidates);
        if residual { self.op(&format!("{name}/add"), op("add", &[]), &[mixed, x]) } else { mixed }
    }
}

/// The assignment in which each decision takes the candidate of this number.
pub(crate) fn assignment(space: &Space, choices: &[usize]) -> Assignment {
    let mut assignment = space.first_assignment();
    for ((id, _), &choice) in space.decision_ids().zip(choices) {
        assignment.set(id, choice);
    }
    assignment
}

/// The network of these choices.
pub(crate) fn network(space: &Checked<Space>, choices: &[usize]) -> Network {
    specialise(space, &assignment(space, choices))
}
