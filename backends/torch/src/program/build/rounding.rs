//! What a network rounds, and what it learns of its grids where it learns to compute with them.

use nas_ir::grid::{kernel_step_name, value_step_name};
use nas_ir::network::NetworkNode;
use nas_ir::ops::{Initial, Role};
use nas_ir::{Grid, Network, Op, Precision};

use super::super::instruction::{
    InstructionKind, LearnedStep, ParameterSpec, Round, WeightRounding, WeightView,
};
use super::super::table::ValueId;
use super::{Builder, Built, Learning};

/// Steps of grids that learn, which are loaded before; all begin at this one.
fn step_spec(name: String, count: u32, step: f32) -> ParameterSpec {
    let initial = Initial::Constant(step);
    ParameterSpec { name, role: Role::Scale, dims: vec![count], initial }
}

impl Builder {
    /// A value as a layer in this precision reads it.
    pub(super) fn narrowed(&mut self, name: &str, value: ValueId, precision: Precision) -> ValueId {
        let round = match precision {
            Precision::Fp32 => return value,
            Precision::Fp16 => Round::Half,
            Precision::Int8 => Round::Levels,
        };
        if let Some(known) = self.narrowed.get(&(value, precision)) {
            return *known;
        }
        let narrowed = self.push(name, InstructionKind::Round(round), vec![value]);
        self.narrowed.insert((value, precision), narrowed);
        narrowed
    }

    /// Has the weights of an operator rounded as numbers of this precision are; of integers the kernel, for biases have 32 bits.
    pub(super) fn narrow_weights(
        &self,
        op: &Op,
        precision: Precision,
        views: &mut [WeightView],
    ) -> Built<()> {
        for view in views {
            let role = self.program.parameters.get(view.parameter)?.role;
            view.rounding = match (precision, role) {
                (Precision::Fp16, _) => Some(WeightRounding::Half),
                (Precision::Int8, Role::Kernel) => {
                    Some(WeightRounding::Levels { axis: op.channel_axis() })
                }
                _ => None,
            };
        }
        Ok(())
    }

    /// The value of a node, rounded as it rounds it.
    pub(super) fn round(&mut self, node: &NetworkNode, value: ValueId) -> ValueId {
        let rounding = &node.rounding;
        let half = (rounding.precision == Precision::Fp16).then_some(Round::Half);
        let grid = rounding.value.map(|grid| match self.value_step(rounding.group, grid) {
            Some(step) => Round::Learned { step, zero: grid.zero },
            None => Round::Grid(grid),
        });
        half.into_iter().chain(grid).fold(value, |value, round| {
            self.push(&node.name, InstructionKind::Round(round), vec![value])
        })
    }

    /// The step of a group of values, where steps learn.
    fn value_step(&mut self, group: Option<usize>, grid: Grid) -> Option<LearnedStep> {
        let Learning { powers_of_two, steps } = self.learning.as_mut()?;
        let (group, powers_of_two) = (group?, *powers_of_two);
        let parameters = &mut self.program.parameters;
        let make = || parameters.push(step_spec(value_step_name(group), 1, grid.step));
        Some(LearnedStep { parameter: *steps.entry(group).or_insert_with(make), powers_of_two })
    }

    /// Has the weights of a node rounded as it reads them, where they learn.
    pub(super) fn round_weights(
        &mut self,
        network: &Network,
        node: &NetworkNode,
        views: &mut [WeightView],
    ) -> Built<()> {
        let Some(powers_of_two) = self.learning.as_ref().map(|learning| learning.powers_of_two)
        else {
            return Ok(());
        };
        if node.rounding.precision == Precision::Fp16 {
            views.iter_mut().for_each(|view| view.rounding = Some(WeightRounding::Half));
        }
        let Some(steps) = &node.rounding.kernel else { return Ok(()) };
        let axis = node.op.as_ref().and_then(Op::channel_axis);
        let count = if axis.is_some() { steps.len() as u32 } else { 1 };
        let first = steps.first().copied().unwrap_or(1.0);
        let operand = node.inputs.first().and_then(|&operand| network.node(operand));
        let operand = operand.and_then(|node| Some((node.rounding.group, node.rounding.value?)));
        let operand = operand.and_then(|(group, grid)| self.value_step(group, grid));
        let mut kernel = None;
        for view in views {
            let spec = self.program.parameters.get(view.parameter)?;
            match (spec.role, kernel, operand) {
                (Role::Kernel, ..) => {
                    let spec = step_spec(kernel_step_name(&spec.name), count, first);
                    let parameter = self.program.parameters.push(spec);
                    let steps = LearnedStep { parameter, powers_of_two };
                    view.rounding = Some(WeightRounding::Kernel { steps, axis });
                    kernel = Some(steps);
                }
                (Role::Bias, Some(kernel), Some(LearnedStep { parameter: operand, .. })) => {
                    view.rounding = Some(WeightRounding::Bias { kernel, operand });
                }
                _ => {}
            }
        }
        Ok(())
    }
}
