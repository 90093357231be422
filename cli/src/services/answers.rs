//! What a file answers in the place of outputs, computed of the outputs themselves.

use nas_ir::{Elements, Tensor};
use nas_onnx::Answer;

/// What is answered of an output `[N, C, …]` of floats, which are as many tensors as the file has outputs for it.
#[must_use]
pub fn answered(output: &Tensor, answer: Answer) -> Vec<Tensor> {
    match answer {
        Answer::Values => vec![output.clone()],
        Answer::Softmax => {
            let soft = along_channels(output, |column| softmax(&column));
            vec![Tensor::of_floats(output.dims.clone(), soft)]
        }
        Answer::ArgMax => {
            let first = along_channels(output, |column| {
                descending(&column).into_iter().take(1).map(|channel| channel as i64).collect()
            });
            let mut dims = output.dims.clone();
            if dims.len() > 1 {
                dims.remove(1);
            }
            vec![Tensor { dims, elements: Elements::I64(first) }]
        }
        Answer::Top(most) => {
            let most = most.get();
            let mut dims = output.dims.clone();
            dims.iter_mut().skip(1).take(1).for_each(|channels| *channels = most);
            let take = |column: &[f32]| descending(column).into_iter().take(most as usize);
            let values = along_channels(output, |column| {
                take(&column).filter_map(|channel| column.get(channel).copied()).collect()
            });
            let indices = along_channels(output, |column| {
                take(&column).map(|channel| channel as i64).collect()
            });
            vec![
                Tensor::of_floats(dims.clone(), values),
                Tensor { dims, elements: Elements::I64(indices) },
            ]
        }
    }
}

/// The channels of a column, that of the largest value first, of equal ones the earlier.
fn descending(column: &[f32]) -> Vec<usize> {
    let mut order: Vec<(usize, f32)> = column.iter().copied().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    order.into_iter().map(|(channel, _)| channel).collect()
}

/// exp(x - max) over its sum, in 64 bits.
fn softmax(column: &[f32]) -> Vec<f32> {
    let most = column.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = column.iter().map(|&x| (f64::from(x) - f64::from(most)).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| (power / sum) as f32).collect()
}

/// For each image and position of `[N, C, …]` what is made of its channels, put back along the channels.
fn along_channels<T: Copy>(tensor: &Tensor, of: impl Fn(Vec<f32>) -> Vec<T>) -> Vec<T> {
    let floats = tensor.floats().unwrap_or_default();
    let channels = tensor.dims.get(1).map_or(1, |&channels| channels as usize).max(1);
    let positions: usize = tensor.dims.iter().skip(2).map(|&size| size as usize).product();
    let mut all = Vec::new();
    for image in floats.chunks((channels * positions).max(1)) {
        let columns: Vec<Vec<T>> = (0..positions)
            .map(|at| of(image.iter().skip(at).step_by(positions.max(1)).copied().collect()))
            .collect();
        let rows = columns.first().map_or(0, Vec::len);
        all.extend(
            (0..rows).flat_map(|row| columns.iter().filter_map(move |c| c.get(row).copied())),
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    /// Two images of three channels and two positions.
    fn output() -> Tensor {
        let data = vec![1.0, 9.0, 2.0, 0.0, 3.0, 0.0, 5.0, 5.0, 5.0, 6.0, 0.0, 0.0];
        Tensor::of_floats([2, 3, 2], data)
    }

    #[test]
    fn the_largest_channels_are_told_position_by_position() {
        let [first] = answered(&output(), Answer::ArgMax).try_into().unwrap();
        assert_eq!(first, Tensor { dims: vec![2, 2], elements: Elements::I64(vec![2, 0, 0, 1]) });
        let two = Answer::Top(NonZeroU32::new(2).unwrap());
        let [values, indices] = answered(&output(), two).try_into().unwrap();
        assert_eq!(
            (values.dims.as_slice(), indices.dims.as_slice()),
            (&[2, 2, 2][..], &[2, 2, 2][..])
        );
        assert_eq!(values.floats().unwrap(), [3.0, 9.0, 2.0, 0.0, 5.0, 6.0, 5.0, 5.0]);
        assert_eq!(indices.elements, Elements::I64(vec![2, 0, 1, 1, 0, 1, 1, 0]));
    }

    #[test]
    fn probabilities_of_a_position_are_one_together() {
        let [soft] = answered(&output(), Answer::Softmax).try_into().unwrap();
        let p = soft.floats().unwrap();
        assert!((p[0] + p[2] + p[4] - 1.0).abs() < 1e-6);
        assert!((p[4] / p[2] - 1.0_f32.exp()).abs() < 1e-5);
    }
}
