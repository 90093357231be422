//! The grids of a plan: values, kernels and biases on them, and what is learned of them.

use nas_ir::grid::{KERNEL_MAX, kernel_step_name, learned_step, to_half, value_step_name};
use nas_ir::ops::Role;
use nas_ir::{Grid, Model, Precision, Tensor, TensorName, Weights, fault};

use crate::kernel::{kernel_node, map_taps};
use crate::plan::Plan;
use crate::scheme::Scheme;

/// To what a plan rounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Grids {
    /// The grid of each group of values.
    pub values: Vec<Grid>,
    /// For each kernel of the plan, the steps of the channels of its node's value.
    pub kernels: Vec<Vec<f32>>,
}

impl Grids {
    /// These of values, and for each kernel steps by the largest of its taps.
    #[must_use]
    pub fn of(scheme: Scheme, model: &Model, plan: &Plan, values: Vec<Grid>) -> Self {
        let steps = |&index: &usize| {
            let node = kernel_node(model, index);
            let kernel = model.weights.get(&kernel_name(model, index));
            let (Some(op), Some(kernel)) = (&node.op, kernel) else {
                fault("a node without its kernel")
            };
            scheme.kernel_steps(op, kernel, node.shape.channels())
        };
        Self { values, kernels: plan.kernels.iter().map(steps).collect() }
    }

    /// Those of a plan that rounds less of the same network; `None` if it rounds a value that has no grid here, as that
    /// between two operators which compute at once.
    #[must_use]
    pub fn of_part(&self, whole: &Plan, part: &Plan) -> Option<Self> {
        let value = |group: usize| {
            let member = part.groups.iter().position(|own| *own == Some(group))?;
            self.values.get(whole.groups.get(member).copied().flatten()?).copied()
        };
        let steps = |kernel: &usize| {
            let place = whole.kernels.iter().position(|own| own == kernel)?;
            self.kernels.get(place).cloned()
        };
        Some(Self {
            values: (0..part.count).map(value).collect::<Option<_>>()?,
            kernels: part.kernels.iter().map(steps).collect::<Option<_>>()?,
        })
    }

    /// The model that rounds values to these grids, whose kernels and biases are not on theirs yet: what learns.
    #[must_use]
    pub fn placed(&self, mut model: Model, plan: &Plan) -> Model {
        let nodes = model.network.nodes.iter_mut().zip(&plan.groups);
        for ((node, group), (_, precision)) in nodes.zip(plan.precisions.iter()) {
            node.rounding.precision = *precision;
            node.rounding.group = *group;
            node.rounding.value = group.and_then(|group| self.values.get(group).copied());
        }
        for (&index, steps) in plan.kernels.iter().zip(&self.kernels) {
            if let Some(node) = model.network.nodes.get_mut(index) {
                node.rounding.kernel = Some(steps.clone());
            }
        }
        model
    }

    /// The model that rounds values to these grids, with kernels and biases on theirs: those of a bias are the operand's step
    /// times the kernel's. What computes with 16-bit floats has weights that are some.
    #[must_use]
    pub fn rounded(&self, model: Model, plan: &Plan) -> Model {
        let mut model = self.placed(model, plan);
        for &index in &plan.kernels {
            round_kernel(&mut model, index);
            round_bias(&mut model, index);
        }
        let halves = model.network.nodes.iter();
        let halves = halves.filter(|node| node.rounding.precision == Precision::Fp16);
        let names = halves.flat_map(|node| model.network.node_weights(node));
        for named in names.collect::<Vec<_>>() {
            let numbers = model.weights.get_mut(&named.name).and_then(Tensor::floats_mut);
            for number in numbers.into_iter().flatten() {
                // What is too large stays, for whoever writes it to tell.
                let half = to_half(*number);
                *number = if half.is_finite() { half } else { *number };
            }
        }
        model
    }

    /// The steps as tensors that learn, by name.
    #[must_use]
    pub fn steps(&self, model: &Model, plan: &Plan) -> Weights {
        let values = self.values.iter().enumerate();
        let values = values.map(|(group, grid)| (value_step_name(group), vec![grid.step]));
        let kernels = plan.kernels.iter().zip(&self.kernels).map(|(&index, steps)| {
            let has_axis = kernel_node(model, index).op.as_ref().and_then(nas_ir::Op::channel_axis);
            let count = if has_axis.is_some() { steps.len() } else { 1 };
            let own = steps.iter().take(count).copied().collect();
            (kernel_step_name(&kernel_name(model, index)), own)
        });
        let tensor = |steps: Vec<f32>| Tensor::of_floats([steps.len() as u32], steps);
        values.chain(kernels).map(|(name, steps)| (name, tensor(steps))).collect()
    }

    /// These with the steps that were learned, by the names of [`Self::steps`]; what is not among them stays. The levels of 0
    /// stay.
    #[must_use]
    pub fn learned(&self, model: &Model, plan: &Plan, scheme: Scheme, learned: &Weights) -> Self {
        let found = |name: &str| learned.get(name).and_then(Tensor::floats);
        let step = |number: f32| learned_step(number, scheme.powers_of_two);
        let values = self.values.iter().enumerate().map(|(group, grid)| {
            let number = found(&value_step_name(group)).and_then(<[f32]>::first);
            Grid { step: number.map_or(grid.step, |&number| step(number)), ..*grid }
        });
        let kernels = plan.kernels.iter().zip(&self.kernels).map(|(&index, own)| {
            match found(&kernel_step_name(&kernel_name(model, index))) {
                Some(&[only]) => vec![step(only); own.len()],
                Some(steps) => steps.iter().map(|&number| step(number)).collect(),
                None => own.clone(),
            }
        });
        Self { values: values.collect(), kernels: kernels.collect() }
    }
}

fn kernel_name(model: &Model, index: usize) -> String {
    TensorName::new(&kernel_node(model, index).name, Role::Kernel).to_string()
}

/// Rounds as 32-bit floats do, as training does: a tap has the same bits wherever it is rounded.
fn round_kernel(model: &mut Model, index: usize) {
    let node = kernel_node(model, index);
    let (op, steps) = (node.op.clone(), node.rounding.kernel.clone().unwrap_or_default());
    let (Some(op), Some(kernel)) = (op, model.weights.get_mut(&kernel_name(model, index))) else {
        fault("a node without its kernel")
    };
    let most = KERNEL_MAX as f32;
    map_taps(&op, kernel, |row, tap| {
        let step = steps.get(row.output as usize).copied().unwrap_or(1.0);
        let level = (tap as f32 / step).round_ties_even().clamp(-most, most);
        f64::from(level * step)
    });
}

/// Rounds the bias of a node whose kernel is rounded to the numbers that an accumulator of 32 bits holds.
pub(crate) fn round_bias(model: &mut Model, index: usize) {
    let node = kernel_node(model, index);
    let operand = node.inputs.first().and_then(|&operand| model.network.nodes.get(operand));
    let grid = operand.and_then(|operand| operand.rounding.value);
    let name = TensorName::new(&node.name, Role::Bias).to_string();
    let (Some(grid), Some(steps)) = (grid, node.rounding.kernel.clone()) else { return };
    let Some(bias) = model.weights.get_mut(&name).and_then(Tensor::floats_mut) else { return };
    for (bias, step) in bias.iter_mut().zip(steps) {
        let step = step * grid.step;
        let level = (*bias / step).round_ties_even();
        *bias = level.clamp(BIAS_LEAST, BIAS_MOST) * step;
    }
}

/// The least and the largest level of a bias that a 32-bit float has.
const BIAS_LEAST: f32 = i32::MIN as f32;
const BIAS_MOST: f32 = 2_147_483_520.0;
