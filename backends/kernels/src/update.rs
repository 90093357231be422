//! A step of an optimiser in one pass over weights, gradient and what is kept of it.

use crate::work::Processor;

/// Elements of a task.
const GRAIN: usize = 64 * 1024;

/// Stochastic gradient descent with momentum and weight decay, as PyTorch has it: `v = momentum * v + g + decay * w`, then
/// `w = w - rate * v`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// By what the velocity is multiplied before each step.
    pub momentum: f32,
    /// By what weights are multiplied as part of their gradient.
    pub decay: f32,
    /// The learning rate.
    pub rate: f32,
}

impl Sgd {
    /// Makes a step.
    pub fn step(
        self,
        processor: Processor<'_>,
        weights: &mut [f32],
        velocity: &mut [f32],
        gradient: &[f32],
    ) {
        assert!(
            [velocity.len(), gradient.len()] == [weights.len(); 2],
            "a gradient of each weight"
        );
        let parts = weights.chunks_mut(GRAIN).zip(velocity.chunks_mut(GRAIN));
        let parts: Vec<std::sync::Mutex<_>> =
            parts.zip(gradient.chunks(GRAIN)).map(std::sync::Mutex::new).collect();
        processor.pool.run(parts.len(), &|part| {
            let mut part = parts[part].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let ((weights, velocity), gradient) = &mut *part;
            for ((weight, velocity), gradient) in
                weights.iter_mut().zip(velocity.iter_mut()).zip(gradient.iter())
            {
                *velocity = self.momentum * *velocity + (gradient + self.decay * *weight);
                *weight -= self.rate * *velocity;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Level, Serial};

    #[test]
    fn a_step_goes_along_the_velocity() {
        let (mut weights, mut velocity) = (vec![1.0; 3], vec![0.5, 0.0, -1.0]);
        let processor = Processor { level: Level::Portable, pool: &Serial };
        let sgd = Sgd { momentum: 0.5, decay: 0.25, rate: 2.0 };
        sgd.step(processor, &mut weights, &mut velocity, &[1.0, 0.0, 0.75]);
        assert_eq!(velocity, [1.5, 0.25, 0.5]);
        assert_eq!(weights, [-2.0, 0.5, 0.0]);
    }
}
