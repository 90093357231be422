//! The tensors of an operator's parameters: what they hold, and what they begin with.

/// What a tensor of an operator's parameters holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A kernel: `[out, in / groups, kh, kw]` of a convolution, `[in, out / groups, kh, kw]` of a
    /// transposed one, `[out, in]` of a linear layer.
    Kernel,
    /// A bias `[out]`.
    Bias,
    /// Batch norm's factor, gamma `[channels]`.
    Scale,
    /// Batch norm's offset, beta `[channels]`.
    Shift,
    /// Slopes below zero `[channels]`.
    Slope,
    /// Batch norm's running mean `[channels]`; not trainable.
    RunningMean,
    /// Batch norm's running variance `[channels]`; not trainable.
    RunningVariance,
}

impl Role {
    /// Whether the optimiser changes it; only such tensors count as `params`.
    #[must_use]
    pub fn is_trainable(self) -> bool {
        match self {
            Role::Kernel | Role::Bias | Role::Scale | Role::Shift | Role::Slope => true,
            Role::RunningMean | Role::RunningVariance => false,
        }
    }

    /// The last part of the tensor's name, as in PyTorch: `weight`, `running_mean`.
    #[must_use]
    pub fn tensor_name(self) -> &'static str {
        match self {
            Role::Kernel | Role::Scale | Role::Slope => "weight",
            Role::Bias | Role::Shift => "bias",
            Role::RunningMean => "running_mean",
            Role::RunningVariance => "running_var",
        }
    }
}

/// What a tensor of parameters holds before training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initial {
    /// This number in every element.
    Constant(f32),
    /// Normal numbers of mean 0.
    Normal {
        /// Their standard deviation.
        std: f64,
    },
}

/// One tensor of an operator's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// What it holds.
    pub role: Role,
    /// Its sizes.
    pub dims: Vec<u32>,
    /// What its elements are before training.
    pub initial: Initial,
}

impl Weight {
    /// A kernel, whose elements are drawn with this variance.
    pub(super) fn kernel(dims: Vec<u32>, variance: f64) -> Self {
        Self { role: Role::Kernel, dims, initial: Initial::Normal { std: variance.sqrt() } }
    }

    /// One number for each channel, all of them the same before training.
    pub(super) fn each(role: Role, channels: u32, value: f32) -> Self {
        Self { role, dims: vec![channels], initial: Initial::Constant(value) }
    }

    /// Number of elements.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.dims.iter().map(|&d| u64::from(d)).fold(1, u64::saturating_mul)
    }
}

/// What a trained operator does to one channel: `y = factor * x + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// By what each element is multiplied.
    pub factor: f64,
    /// What is added to it then.
    pub offset: f64,
}
