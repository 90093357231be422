//! The cross-entropy of enlarged logits against loops in double precision, and its gradient against differences of these.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use nas_kernels::{CrossEntropy, Enlarged, Level, Map, Processor, Serial, cross_entropy};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const IGNORED: i64 = 255;

#[derive(Clone, Debug)]
struct Case {
    map: Map,
    to: [usize; 2],
    align_corners: bool,
    logits: Vec<f32>,
    labels: Vec<i64>,
}

impl Case {
    fn enlarged(&self) -> Enlarged<'_> {
        let Self { logits, map, to, align_corners, .. } = self;
        Enlarged { logits, map: *map, to: *to, align_corners: *align_corners }
    }

    fn computed(&self, level: Level) -> (CrossEntropy, Vec<f32>) {
        let processor = Processor { level, pool: &Serial };
        let mut gradient = vec![f32::NAN; self.logits.len()];
        let found =
            cross_entropy(processor, &self.enlarged(), &self.labels, IGNORED, &mut gradient);
        (found.unwrap(), gradient)
    }

    /// The place in the map of a row or column of the result, as PyTorch has it.
    fn place(&self, at: usize, axis: usize) -> (usize, usize, f64) {
        let from = [self.map.height, self.map.width][axis];
        let to = self.to[axis];
        let place = match self.align_corners {
            true if to > 1 => at as f64 * (from - 1) as f64 / (to - 1) as f64,
            true => 0.0,
            false => ((at as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0),
        };
        let low = (place as usize).min(from - 1);
        (low, (low + 1).min(from - 1), (place - low as f64).min(1.0))
    }

    /// The sum, and its gradient.
    fn wanted(&self) -> (f64, Vec<f64>) {
        let Map { images, height, width, channels } = self.map;
        let mut gradient = vec![0.0; self.logits.len()];
        let mut sum = 0.0;
        for image in 0..images {
            for y in 0..self.to[0] {
                for x in 0..self.to[1] {
                    let label = self.labels[(image * self.to[0] + y) * self.to[1] + x];
                    if label == IGNORED {
                        continue;
                    }
                    let ((y0, y1, v), (x0, x1, h)) = (self.place(y, 0), self.place(x, 1));
                    let corners = [
                        (y0, x0, (1.0 - v) * (1.0 - h)),
                        (y0, x1, (1.0 - v) * h),
                        (y1, x0, v * (1.0 - h)),
                        (y1, x1, v * h),
                    ];
                    let at = |y: usize, x: usize| ((image * height + y) * width + x) * channels;
                    let logit = |class: usize| -> f64 {
                        let of = |&(y, x, share): &(usize, usize, f64)| {
                            share * f64::from(self.logits[at(y, x) + class])
                        };
                        corners.iter().map(of).sum()
                    };
                    let logits: Vec<f64> = (0..channels).map(logit).collect();
                    let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let total: f64 = logits.iter().map(|x| (x - greatest).exp()).sum();
                    sum += total.ln() + greatest - logits[label as usize];
                    for (class, logit) in logits.iter().enumerate() {
                        let own = (logit - greatest).exp() / total;
                        let own = own - f64::from(u8::from(class == label as usize));
                        for (y, x, share) in corners {
                            gradient[at(y, x) + class] += share * own;
                        }
                    }
                }
            }
        }
        (sum, gradient)
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let sizes = (1..3_usize, 1..6_usize, 1..6_usize, 2..36_usize);
    let to = (1..20_usize, 1..20_usize);
    let scale = prop_oneof![Just(1.0_f32), Just(12.0), Just(300.0)];
    (sizes, to, any::<bool>(), scale, any::<u64>()).prop_map(|(sizes, to, corners, scale, seed)| {
        let (images, height, width, channels) = sizes;
        let map = Map { images, height, width, channels };
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1_u64 << 24) as f32
        };
        let logits = (0..map.len()).map(|_| scale * (2.0 * next() - 1.0)).collect();
        let to = [to.0, to.1];
        let label = |x: f32| match (x * 1.2 * channels as f32) as i64 {
            class if class < channels as i64 => class,
            _ => IGNORED,
        };
        let labels = (0..images * to[0] * to[1]).map(|_| label(next())).collect();
        Case { map, to, align_corners: corners, logits, labels }
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default()
    })]

    #[test]
    fn it_is_that_of_the_enlarged_logits(case in cases()) {
        let (sum, gradient) = case.wanted();
        let labelled = case.labels.iter().filter(|&&label| label != IGNORED).count() as u64;
        for level in Level::available() {
            let (found, own) = case.computed(level);
            prop_assert_eq!(found.labelled, labelled);
            let near = (found.sum - sum).abs() <= 2e-6 * sum.abs() + 1e-6 * labelled as f64;
            prop_assert!(near, "{:?}: {} and not {sum}", level, found.sum);
            for (own, wanted) in own.iter().zip(&gradient) {
                // Logits in the hundreds are right to 1e-5, and so are what exponentials are of.
                let near = (f64::from(*own) - wanted).abs() <= 1e-4 * (1.0 + wanted.abs());
                prop_assert!(near, "{:?}: {own} and not {wanted}", level);
            }
        }
    }
}

fn small() -> Case {
    let map = Map { images: 1, height: 2, width: 2, channels: 3 };
    let logits = (0..12_u8).map(|i| f32::from(i).sin()).collect();
    Case { map, to: [4, 4], align_corners: false, logits, labels: vec![1; 16] }
}

#[test]
fn a_label_that_is_no_class_is_told() {
    let processor = Processor { level: Level::detected(), pool: &Serial };
    for wrong in [-1, 3, i64::MAX] {
        let mut case = small();
        case.labels[7] = wrong;
        let mut gradient = vec![0.0; 12];
        let told = cross_entropy(processor, &case.enlarged(), &case.labels, IGNORED, &mut gradient);
        assert_eq!(told, Err(wrong));
    }
}

#[test]
fn what_is_not_a_number_stays_so() {
    let mut case = small();
    case.logits[5] = f32::NAN;
    for level in Level::available() {
        assert!(case.computed(level).0.sum.is_nan(), "{level:?}");
    }
}

#[test]
fn nothing_that_is_labelled_is_nothing() {
    let mut case = small();
    case.labels.fill(IGNORED);
    let (found, gradient) = case.computed(Level::detected());
    assert_eq!(found, CrossEntropy { sum: 0.0, labelled: 0 });
    assert_eq!(gradient, [0.0; 12]);
}
