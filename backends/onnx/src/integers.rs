//! Values and weights as integers: pairs of `QuantizeLinear` and `DequantizeLinear`, the form of which engines make
//! operators on integers.

use nas_ir::grid::KERNEL_MAX;
use nas_ir::network::NamedWeight;
use nas_ir::{Grid, Op, Tensor, fault};
use onnx_protobuf::tensor_proto::DataType;

use crate::graph::Graph;
use crate::message::{self, Value, attribute};
use crate::options::Integers;

impl Graph<'_> {
    /// Rounds the value of a node, if that is rounded.
    pub(crate) fn rounded(&mut self, index: usize) {
        let Some(node) = self.model.network.nodes.get(index) else { return };
        let Some(grid) = node.rounding.value else { return };
        let sizes = self.open.of_node(index, node.shape);
        let (kind, made) = self.made[index].clone();
        let (_, name) = self.value(index);
        let (integers, zero) = match self.options.levels {
            Integers::Signed => (DataType::INT8, (i16::from(grid.zero) - 128) as i8 as u8),
            Integers::Unsigned => (DataType::UINT8, grid.zero),
        };
        // Bytes that are to be taken as they are are rounded already.
        let is_bytes = kind == DataType::UINT8;
        let is_themselves = is_bytes && grid == Grid { step: 1.0, zero: 0 };
        let (integers, zero) = if is_themselves { (DataType::UINT8, 0) } else { (integers, zero) };
        let step = self.constant(message::floats(&format!("{made}.step"), &[], &[grid.step]));
        let zero = message::whole(&format!("{made}.zero"), integers, &[], vec![zero]);
        let zero = self.constant(zero);
        let levels = if is_themselves {
            made
        } else {
            let float = match kind {
                DataType::FLOAT => made.clone(),
                _ => {
                    let name = format!("{made}:float");
                    self.cast(made.clone(), &name, DataType::FLOAT, sizes.clone());
                    name
                }
            };
            let levels = format!("{made}:levels");
            let inputs = vec![float, step.clone(), zero.clone()];
            let outputs = [(levels.as_str(), integers, sizes.clone())];
            self.node_of("QuantizeLinear", &levels, inputs, vec![], &outputs);
            levels
        };
        let outputs = [(name.as_str(), DataType::FLOAT, sizes)];
        self.node_of("DequantizeLinear", &name, vec![levels, step, zero], vec![], &outputs);
    }

    /// Adds a kernel as integers, with a step for each channel of the result, and answers the name of the floats.
    pub(crate) fn integer_kernel(
        &mut self,
        NamedWeight { name, weight }: &NamedWeight,
        op: &Op,
        steps: &[f32],
    ) -> String {
        let dims = weight.dims.as_slice();
        let floats = self.model.weights.get(name).and_then(Tensor::floats);
        let floats = floats.unwrap_or_else(|| fault("a verified model without one of its tensors"));
        let taps: u32 = dims.iter().skip(2).product();
        let rows = op.kernel_rows(dims);
        let whole = floats.chunks(taps.max(1) as usize).zip(&rows).flat_map(|(taps, row)| {
            let step = steps.get(row.output as usize).copied().unwrap_or(1.0);
            taps.iter().map(move |&tap| multiple(tap, step) as u8)
        });
        let whole: Vec<u8> = whole.collect();
        self.not_finite.extend((!floats.iter().all(|x| x.is_finite())).then(|| name.clone()));
        let kernel = self.constant(message::whole(name, DataType::INT8, dims, whole));
        // Along which axis the channels of the result lie; those of a transposed convolution in groups along none.
        let along = |axis: usize, row: usize| {
            let is_next = rows.get(row).is_some_and(|row| row.output == 1);
            let has_all = dims.get(axis) == Some(&(steps.len() as u32));
            (has_all && (is_next || steps.len() == 1)).then_some(axis)
        };
        let second = dims.get(1).copied().unwrap_or(1) as usize;
        let axis = along(0, second).or_else(|| along(1, 1));
        let (steps, axis) = match axis {
            Some(axis) => (steps, Some(axis as i64)),
            None => (steps.get(..1).unwrap_or_default(), None),
        };
        self.dequantised(name, kernel, steps, axis, DataType::INT8, dims)
    }

    /// Adds a bias as integers of 32 bits, in steps of the operand's times the kernel's, and answers the name of the floats.
    pub(crate) fn integer_bias(
        &mut self,
        NamedWeight { name, weight }: &NamedWeight,
        steps: &[f32],
        operand: Grid,
    ) -> String {
        let floats = self.model.weights.get(name).and_then(Tensor::floats);
        let floats = floats.unwrap_or_else(|| fault("a verified model without one of its tensors"));
        let steps: Vec<f32> = steps.iter().map(|step| step * operand.step).collect();
        let whole = floats.iter().zip(&steps).flat_map(|(&bias, &step)| {
            let level = (f64::from(bias) / f64::from(step)).round_ties_even();
            (level as i32).to_le_bytes()
        });
        let whole = message::whole(name, DataType::INT32, &weight.dims, whole.collect());
        self.not_finite.extend((!floats.iter().all(|x| x.is_finite())).then(|| name.clone()));
        let bias = self.constant(whole);
        self.dequantised(name, bias, &steps, Some(0), DataType::INT32, &weight.dims)
    }

    /// The floats that integers are, in a step for each row along an axis or in one step.
    fn dequantised(
        &mut self,
        name: &str,
        whole: String,
        steps: &[f32],
        axis: Option<i64>,
        kind: DataType,
        dims: &[u32],
    ) -> String {
        let count = axis.map(|_| steps.len() as u32);
        let sizes: Vec<u32> = count.into_iter().collect();
        let step = self.constant(message::floats(&format!("{name}.step"), &sizes, steps));
        let bytes = if kind == DataType::INT32 { 4 } else { 1 };
        let zeros = vec![0; steps.len() * bytes];
        let zero = self.constant(message::whole(&format!("{name}.zero"), kind, &sizes, zeros));
        let float = format!("{name}:float");
        let axis = axis.map(|axis| attribute("axis", Value::Int(axis)));
        let output = (float.as_str(), DataType::FLOAT, crate::sizes::of_numbers(dims));
        let inputs = vec![whole, step, zero];
        self.node_of("DequantizeLinear", &float, inputs, axis.into_iter().collect(), &[output]);
        self.of_float(float, dims)
    }
}

/// The nearest multiple of a step, within those of a kernel.
fn multiple(tap: f32, step: f32) -> i8 {
    let multiple = (f64::from(tap) / f64::from(step)).round_ties_even();
    multiple.clamp(-KERNEL_MAX, KERNEL_MAX) as i8
}
