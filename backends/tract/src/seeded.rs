//! Inputs that a seed determines, so that a recorded check needs no tensor for them.

use nas_ir::Tensor;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A tensor for each of `shapes`, of standard normal elements: ChaCha8 seeded with `seed`, stream
/// `i` for shape `i`, and the transform of Box and Muller (1958) in 64 bits. The same seed gives
/// the same bits on every platform, and a tensor does not depend on the other shapes.
#[must_use]
pub fn seeded_inputs<S: AsRef<[u32]>>(shapes: &[S], seed: u64) -> Vec<Tensor> {
    (0..).zip(shapes).map(|(stream, shape)| normal(shape.as_ref(), seed, stream)).collect()
}

fn normal(dims: &[u32], seed: u64, stream: u64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    let elements: usize = dims.iter().map(|&d| d as usize).product();
    let mut data = Vec::with_capacity(elements + 1);
    while data.len() < elements {
        let radius = (-2.0 * libm::log(1.0 - uniform(&mut rng))).sqrt();
        let angle = std::f64::consts::TAU * uniform(&mut rng);
        data.extend([libm::cos(angle), libm::sin(angle)].map(|side| (radius * side) as f32));
    }
    data.truncate(elements);
    Tensor::of_floats(dims, data)
}

/// A multiple of 2^-53 in `[0, 1)`.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_never_change() {
        let tensors = seeded_inputs(&[vec![1, 3], vec![1, 1, 2, 2]], 7);
        let bits: Vec<u32> =
            tensors.iter().filter_map(Tensor::floats).flatten().map(|x| x.to_bits()).collect();
        assert_eq!(tensors[1].dims, [1, 1, 2, 2]);
        // A recorded check names these by their seed alone.
        let expected = [
            1_049_877_974,
            1_057_131_718,
            3_194_536_849,
            1_078_384_426,
            1_043_669_296,
            3_217_654_778,
            3_197_097_989,
        ];
        assert_eq!(bits, expected);
    }

    #[test]
    fn streams_are_independent_of_other_shapes() {
        let pair = seeded_inputs(&[[5], [4]], 1);
        assert_eq!(seeded_inputs(&[[9], [4]], 1)[1], pair[1]);
        assert_ne!(seeded_inputs(&[[4], [4]], 1)[0], pair[1]);
        assert_ne!(seeded_inputs(&[[5]], 2)[0], pair[0]);
    }

    #[test]
    fn elements_are_standard_normal() {
        let data = seeded_inputs(&[[100_000]], 3).remove(0).into_floats().unwrap();
        let mean = |power| data.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / 1e5;
        // Five standard errors of each moment.
        assert!(mean(1).abs() < 0.016, "{}", mean(1));
        assert!((mean(2) - 1.0).abs() < 0.023, "{}", mean(2));
        assert!((mean(4) - 3.0).abs() < 0.16, "{}", mean(4));
    }
}
