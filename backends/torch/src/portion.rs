//! Some images of a batch.

use tch::Tensor;

use crate::error::TorchError;

/// Images in a row of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Portion {
    from: i64,
    count: i64,
    /// Images of the batch.
    of: i64,
}

impl Portion {
    /// All images of a batch.
    #[cfg(test)]
    pub(crate) fn all(of: i64) -> Self {
        Self { from: 0, count: of, of }
    }

    /// The images of a batch in so many parts of as many, or of one less where they do not go up.
    pub(crate) fn cut(of: i64, parts: usize) -> Vec<Self> {
        let parts = (parts.max(1) as i64).min(of.max(1));
        let end = |part: i64| of * part / parts;
        (0..parts)
            .map(|part| Self { from: end(part), count: end(part + 1) - end(part), of })
            .collect()
    }

    /// How many of the images they are, of 1.
    pub(crate) fn share(self) -> f64 {
        self.count as f64 / self.of.max(1) as f64
    }

    /// Whether they are all.
    pub(crate) fn is_all(self) -> bool {
        self.count == self.of
    }

    /// What a tensor `[N, …]` has of them; one that has something else than a row for each image is for all of them.
    pub(crate) fn of(self, tensor: &Tensor) -> Result<Tensor, TorchError> {
        let is_each = tensor.size().first() == Some(&self.of);
        if self.is_all() || !is_each {
            return Ok(tensor.shallow_clone());
        }
        Ok(tensor.f_narrow(0, self.from, self.count)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_all_images_and_as_many() {
        let counts = |of, parts| -> Vec<i64> {
            let cut = Portion::cut(of, parts);
            let next = cut.iter().scan(0, |next, part| {
                let is_next = part.from == *next;
                *next += part.count;
                Some(is_next)
            });
            assert!(next.into_iter().all(|is_next| is_next), "{cut:?}");
            assert!((cut.iter().map(|part| part.share()).sum::<f64>() - 1.0).abs() < 1e-12);
            cut.iter().map(|part| part.count).collect()
        };
        assert_eq!(counts(8, 1), [8]);
        assert_eq!(counts(8, 4), [2; 4]);
        assert_eq!(counts(7, 3), [2, 2, 3]);
        assert_eq!(counts(2, 5), [1, 1]);
    }

    #[test]
    fn what_is_for_all_images_is_for_each_part() {
        let part = Portion::cut(4, 2).remove(1);
        let each = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0]);
        let own = Vec::<f64>::try_from(part.of(&each).unwrap()).unwrap();
        assert_eq!(own, [3.0, 4.0]);
        let one = Tensor::from_slice(&[5.0]);
        assert_eq!(part.of(&one).unwrap().size(), [1]);
    }
}
