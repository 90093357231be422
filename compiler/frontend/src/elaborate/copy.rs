//! Instances that are the same again. An instance of a block that makes no decision of its own
//! follows from its arguments and the shapes of the tensors among them; so does one of a cell,
//! whose instances share their decisions. The first instance is elaborated, those with the same
//! arguments are copies of its nodes.

use std::rc::Rc;

use indexmap::IndexSet;
use nas_grammar::ast::{BlockKind, Span};
use nas_ir::origin::Origin;
use nas_ir::{Node, NodeId, OriginId};
use rustc_hash::FxBuildHasher;

use super::elaborator::Elaborator;
use super::instance::BlockId;
use super::instance::Call;
use super::instance::Instance;
use super::instance::Part;
use super::instance::Start;
use super::limits::Eval;
use super::value::{Value, Values, depends};

/// Instances with larger arguments are not looked up: that would cost more than what they do.
const MAX_PARTS: usize = 256;
/// Copying is charged this fraction of what elaborating took: a quarter.
const COPIED: usize = 4;

impl<'p> Elaborator<'p, '_> {
    /// The call of a block with these arguments, and the tensors among them; `None` if its
    /// instances are not looked up.
    pub(super) fn call_of(
        &self,
        block: BlockId<'p>,
        arguments: &[Option<Value>],
    ) -> Option<(Call<'p>, Vec<NodeId>)> {
        let size = arguments.iter().flatten().map(Value::size).fold(0, usize::saturating_add);
        if size > MAX_PARTS {
            return None;
        }
        let mut call = Call {
            block,
            is_guarded: !self.guards.is_empty(),
            precision: self.precision.clone(),
            arguments: Vec::new(),
        };
        let mut operands = Vec::new();
        for argument in arguments {
            match argument {
                Some(value) => self.take_apart(value, &mut call, &mut operands)?,
                None => call.arguments.push(Part::Absent),
            }
        }
        Some((call, operands))
    }

    fn take_apart(
        &self,
        value: &Value,
        call: &mut Call<'p>,
        operands: &mut Vec<NodeId>,
    ) -> Option<()> {
        let elements: &[Value] = match value {
            Value::List(values) | Value::Tuple(values) => values,
            _ => &[],
        };
        call.arguments.push(match value {
            Value::Tensor(node) => {
                let shape = self.shape_of(*node)?;
                if call.is_guarded && shape.fixed().is_none() {
                    return None;
                }
                let place = operands.iter().position(|operand| operand == node);
                let place = place.unwrap_or_else(|| {
                    operands.push(*node);
                    operands.len() - 1
                });
                Part::Tensor(shape.clone(), place)
            }
            Value::Int(n) => Part::Int(n.clone()),
            Value::Real(r) => Part::Real(r.to_bits()),
            Value::Bool(b) => Part::Bool(*b),
            Value::Text(text) => Part::Text(Rc::clone(text)),
            Value::List(_) => Part::List(elements.len()),
            Value::Tuple(_) => Part::Tuple(elements.len()),
            Value::Callable(module, name) => Part::Callable(*module, Rc::clone(name)),
            Value::Chosen(_) | Value::Poison(_) => return None,
        });
        elements.iter().try_for_each(|element| self.take_apart(element, call, operands))
    }

    /// The first instance for a call, unless a block in it is being instantiated: that is
    /// recursion.
    pub(super) fn first_instance(&self, call: &Call<'p>) -> Option<Rc<Instance<'p>>> {
        let first = self.instances.get(call)?;
        let is_recursive = first.blocks.iter().any(|block| self.calls.contains(block));
        (!is_recursive).then(|| Rc::clone(first))
    }

    /// To be called before an instance is elaborated, for [`Elaborator::remember`].
    pub(super) fn start(&mut self, origin: OriginId) -> Start {
        let marks = self.marks;
        self.marks.searched = usize::MAX;
        Start {
            nodes: self.space.graph.len(),
            origin,
            steps: self.fuel.steps,
            blocks: self.instantiated.len(),
            marks,
        }
    }

    /// Notes an elaborated instance, and that its block was instantiated.
    pub(super) fn remember(
        &mut self,
        call: Option<(Call<'p>, Vec<NodeId>)>,
        (block, kind): (BlockId<'p>, BlockKind),
        start: &Start,
        value: &Value,
    ) {
        // The decisions of a cell are those of all its instances.
        if kind == BlockKind::Cell && self.guards.is_empty() {
            self.marks.choices = start.marks.choices;
        }
        let marks = self.marks;
        self.marks.searched = marks.searched.min(start.marks.searched);
        let inner: IndexSet<BlockId<'p>, FxBuildHasher> =
            self.instantiated.drain(start.blocks..).collect();
        self.instantiated.extend(inner.iter().copied().filter(|other| *other != block));
        self.instantiated.push(block);
        let follows = marks.peculiar == start.marks.peculiar
            && marks.choices == start.marks.choices
            && marks.searched >= start.nodes
            && !depends(value);
        let Some((call, operands)) = call.filter(|_| follows) else { return };
        let instance = Instance {
            operands,
            nodes: start.nodes..self.space.graph.len(),
            origin: start.origin,
            origins: self.space.origins.since(start.origin),
            path: self.paths.here().len(),
            value: value.clone(),
            steps: self.fuel.steps - start.steps,
            blocks: inner.into_iter().collect(),
        };
        self.instances.insert(call, Rc::new(instance));
    }

    /// The instance that is called at `origin` with these tensors, as a copy of the first one.
    pub(super) fn copy(
        &mut self,
        first: &Instance<'p>,
        operands: &[NodeId],
        origin: OriginId,
        span: Span,
    ) -> Eval<Value> {
        self.charge(first.steps as usize / COPIED, span)?;
        self.room_for(first.nodes.len(), span)?;
        self.instantiated.extend(&first.blocks);
        let of_origin = |id: OriginId| id.moved(first.origin, origin);
        for id in first.origin.following(first.origins) {
            let Some(Origin { source, span, caller }) = self.space.origins.get(id).cloned() else {
                continue;
            };
            self.space.origins.add(Origin { source, span, caller: caller.map(of_origin) });
        }
        let start = self.space.graph.len();
        let of_node = |node: NodeId| match node.index().checked_sub(first.nodes.start) {
            Some(place) => NodeId::new(start + place),
            None => {
                let place = first.operands.iter().position(|operand| *operand == node);
                place.and_then(|place| operands.get(place).copied()).unwrap_or(node)
            }
        };
        for index in first.nodes.clone() {
            let Some(node) = self.space.graph.node(NodeId::new(index)) else { continue };
            let name = node.name.get(first.path..).unwrap_or_default();
            let copy = Node {
                kind: node.kind.clone(),
                inputs: node.inputs.iter().map(|&input| of_node(input)).collect(),
                shape: node.shape.clone(),
                precision: node.precision.clone(),
                name: [self.paths.here(), name].concat(),
                origin: node.origin.map(of_origin),
            };
            self.space.graph.add(copy);
        }
        Ok(moved(&first.value, &of_node))
    }
}

/// The value with other nodes.
fn moved(value: &Value, to: &dyn Fn(NodeId) -> NodeId) -> Value {
    let each = |values: &Values| values.iter().map(|value| moved(value, to)).collect::<Vec<_>>();
    match value {
        Value::Tensor(node) => Value::Tensor(to(*node)),
        Value::List(values) if value.holds_tensor() => Value::List(each(values).into()),
        Value::Tuple(values) if value.holds_tensor() => Value::Tuple(each(values).into()),
        fixed => fixed.clone(),
    }
}
