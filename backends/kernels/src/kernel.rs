//! Kernels of 1x1 convolutions, and how their weights lie in panels.

use crate::tiles::{Panel, padded_width, panels};

/// A kernel `[outputs][inputs / groups]`.
#[derive(Debug, Clone, Copy)]
pub struct Kernel<'a> {
    /// Row-major.
    pub values: &'a [f32],
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Groups of channels.
    pub groups: usize,
}

impl<'a> Kernel<'a> {
    pub(crate) fn check(&self) {
        let Self { values, inputs, outputs, groups } = *self;
        assert!(groups > 0 && inputs % groups == 0 && outputs % groups == 0, "groups");
        assert_eq!(values.len(), outputs * inputs / groups, "weights");
    }

    /// The weights of an output, and the first input that they are of.
    pub(crate) fn row(&self, output: usize) -> (&'a [f32], usize) {
        let (inputs, outputs) = (self.inputs / self.groups, self.outputs / self.groups);
        let first = output / outputs.max(1) * inputs;
        (&self.values[output * inputs..][..inputs], first)
    }

    /// `[inputs][width]` for each panel of outputs.
    pub(crate) fn by_outputs(&self) -> Vec<f32> {
        let mut packed = vec![0.0; self.inputs * padded_width(self.outputs)];
        for Panel { first, columns, width } in panels(self.outputs) {
            let own = &mut packed[self.inputs * first..];
            for column in 0..columns {
                let (row, from) = self.row(first + column);
                let places = own[from * width + column..].iter_mut().step_by(width);
                for (place, weight) in places.zip(row) {
                    *place = *weight;
                }
            }
        }
        packed
    }

    /// `[outputs][width]` for each panel of inputs.
    pub(crate) fn by_inputs(&self) -> Vec<f32> {
        let mut packed = vec![0.0; self.outputs * padded_width(self.inputs)];
        for Panel { first, columns, width } in panels(self.inputs) {
            let own = &mut packed[self.outputs * first..];
            for (output, place) in own.chunks_exact_mut(width).take(self.outputs).enumerate() {
                let (row, from) = self.row(output);
                let (begin, end) = (from.max(first), (from + row.len()).min(first + columns));
                if begin < end {
                    place[begin - first..end - first]
                        .copy_from_slice(&row[begin - from..end - from]);
                }
            }
        }
        packed
    }
}
