//! Values of instructions, and the pictures that they are computed for.

use nas_ir::Shape;
use nas_kernels::Activation;
use tch::{Device, Kind, Tensor};

use crate::error::TorchError;
use crate::fused::{Chain, Identity};

/// The value of an instruction.
#[derive(Debug)]
pub(crate) enum Value {
    /// Zeros that no tensor is made for: beside a residual they cost nothing.
    Zero,
    /// A tensor `[N, C, H, W]`, or `[N, C]` for a vector.
    Tensor {
        /// The values.
        tensor: Tensor,
        /// Whether it may be overwritten once its last reader has it: nothing else refers to its
        /// memory, autograd included.
        fresh: bool,
        /// What all that read it have in common.
        identity: Identity,
    },
    /// What is computed by what reads it.
    Chain(Chain),
}

impl Value {
    /// A tensor that nothing else refers to.
    pub(crate) fn fresh(tensor: Tensor) -> Self {
        Self::Tensor { tensor, fresh: true, identity: Identity::default() }
    }

    /// A tensor that autograd keeps, or that shares its memory.
    pub(crate) fn kept(tensor: Tensor) -> Self {
        Self::Tensor { tensor, fresh: false, identity: Identity::default() }
    }

    /// The value for a reader that is not its last. Neither may overwrite it, for autograd may keep
    /// it.
    pub(crate) fn share(&mut self) -> Result<Self, TorchError> {
        if let Self::Chain(_) = self {
            *self = std::mem::replace(self, Self::Zero).plain()?;
        }
        if let Self::Tensor { tensor, fresh, identity } = self {
            *fresh = false;
            let (tensor, identity) = (tensor.shallow_clone(), identity.clone());
            return Ok(Self::Tensor { tensor, fresh: false, identity });
        }
        Ok(Self::Zero)
    }

    /// Its tensor, which there must be, and what it has in common with others.
    pub(crate) fn settled(self) -> Result<(Tensor, Identity), TorchError> {
        match self {
            Self::Tensor { tensor, identity, .. } => Ok((tensor, identity)),
            Self::Chain(chain) => Ok((chain.settled()?, Identity::default())),
            Self::Zero => Err(TorchError::broken("zeros without a shape are read")),
        }
    }

    /// What layers may follow.
    pub(crate) fn chain(self) -> Result<Chain, TorchError> {
        match self {
            Self::Chain(chain) if chain.goes_on() => Ok(chain),
            value => value.activated(Activation::NONE),
        }
    }

    /// The same with an activation that is applied as it is read.
    pub(crate) fn activated(self, activation: Activation) -> Result<Chain, TorchError> {
        let (map, identity) = self.settled()?;
        Chain::begin(&map, identity, activation)
    }

    /// The same as a tensor, or zeros.
    pub(crate) fn plain(self) -> Result<Self, TorchError> {
        match self {
            Self::Chain(chain) if chain.is_needed_later() => Ok(Self::kept(chain.settled()?)),
            Self::Chain(chain) => Ok(Self::fresh(chain.settled()?)),
            plain @ (Self::Zero | Self::Tensor { .. }) => Ok(plain),
        }
    }

    /// Whether each of its elements is a finite number.
    pub(crate) fn is_finite(&self) -> Result<bool, TorchError> {
        match self {
            Self::Tensor { tensor, .. } => {
                Ok(tensor.f_isfinite()?.f_all()?.f_int64_value(&[])? != 0)
            }
            // INVARIANT: values are looked at where nothing is fused.
            Self::Zero | Self::Chain(_) => Ok(true),
        }
    }
}

/// The pictures of one evaluation: what the first input is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pictures {
    /// How many there are.
    pub(crate) count: i64,
    /// Their size, where it is another than the program was made for.
    pub(crate) crop: Option<Crop>,
    /// Where tensors are made.
    pub(crate) device: Device,
    /// Of what precision.
    pub(crate) kind: Kind,
}

/// Pictures of another size than the program was made for: crops, in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crop {
    /// Height and width.
    pub(crate) size: [i64; 2],
    /// Height and width of the input that the program was made for.
    pub(crate) checked: [i64; 2],
}

impl Pictures {
    /// What is given to inputs of these shapes.
    ///
    /// # Errors
    /// Nothing is given.
    pub(crate) fn of(
        given: &[Tensor],
        inputs: &[Shape],
        device: Device,
    ) -> Result<Self, TorchError> {
        let missing = || TorchError::broken("a program is given no input");
        let sizes = given.first().ok_or_else(missing)?.size();
        let checked = inputs.first().ok_or_else(missing)?.plane();
        let count = *sizes.first().ok_or_else(missing)?;
        let crop = match (sizes.as_slice(), checked) {
            (&[_, _, h, w], Some(checked)) => {
                Some(Crop { size: [h, w], checked: checked.map(i64::from) })
            }
            _ => None,
        };
        let kind = given.first().map_or(Kind::Float, Tensor::kind);
        Ok(Self { count, crop: crop.filter(|crop| crop.size != crop.checked), device, kind })
    }

    /// The size of a map here that has this size in the checked network: in proportion to the
    /// pictures.
    pub(crate) fn scaled(&self, size: [i64; 2]) -> [i64; 2] {
        let Some(Crop { size: [height, width], checked }) = self.crop else { return size };
        let ([h, w], [of_height, of_width]) = (size, checked);
        [scaled(h, height, of_height), scaled(w, width, of_width)]
    }

    /// Zeros for a value of this shape.
    pub(crate) fn zeros(&self, shape: Shape) -> Result<Tensor, TorchError> {
        let mut sizes = vec![self.count, i64::from(shape.channels())];
        match shape.plane() {
            Some(size) => sizes.extend(self.scaled(size.map(i64::from))),
            None => sizes.extend(shape.spatial().iter().map(|&size| i64::from(size))),
        }
        Ok(Tensor::f_zeros(sizes, (self.kind, self.device))?)
    }
}

/// A size as it is where something of `of` pixels has `actual` instead: the same where both agree.
pub(crate) fn scaled(size: i64, actual: i64, of: i64) -> i64 {
    // INVARIANT: no map of a checked network is empty.
    let of = of.max(1);
    ((size * actual + of / 2) / of).max(1)
}

/// The operands of an operator, with the shapes that they have in the checked network.
pub(crate) struct Operands<'a> {
    pub(crate) values: Vec<Value>,
    pub(crate) shapes: &'a [Shape],
    pub(crate) pictures: &'a Pictures,
}

impl Operands<'_> {
    /// The only operand.
    pub(crate) fn only(self) -> Result<Value, TorchError> {
        let [value] =
            <[Value; 1]>::try_from(self.values).map_err(|values| miscounted(&values, 1))?;
        Ok(value)
    }

    /// Whether the first operand is computed by what reads it.
    pub(crate) fn is_chain(&self) -> bool {
        matches!(self.values.first(), Some(Value::Chain(_)))
    }

    /// The only operand; zeros as a tensor.
    pub(crate) fn value(self) -> Result<Value, TorchError> {
        if let ([Value::Zero], [shape]) = (self.values.as_slice(), self.shapes) {
            return Ok(Value::fresh(self.pictures.zeros(*shape)?));
        }
        self.only()
    }

    /// The only operand as a tensor, whatever it is.
    pub(crate) fn settled(self) -> Result<Tensor, TorchError> {
        Ok(self.value()?.settled()?.0)
    }

    /// Whether there is one picture of one pixel.
    pub(crate) fn is_single_pixel(&self) -> bool {
        let is_single = |plane: [u32; 2]| plane == [1, 1];
        self.pictures.count == 1
            && self.shapes.first().and_then(|shape| shape.plane()).is_some_and(is_single)
    }

    /// The only operand as a tensor.
    pub(crate) fn tensor(self) -> Result<Tensor, TorchError> {
        Ok(self.tensor_and_freshness()?.0)
    }

    /// The only operand as a tensor, and whether it may be overwritten.
    pub(crate) fn tensor_and_freshness(self) -> Result<(Tensor, bool), TorchError> {
        let (shapes, pictures) = (self.shapes, self.pictures);
        match (self.only()?, shapes) {
            (Value::Tensor { tensor, fresh, .. }, _) => Ok((tensor, fresh)),
            (Value::Zero, [shape]) => Ok((pictures.zeros(*shape)?, true)),
            (Value::Zero, _) => Err(TorchError::broken("an operand without a shape")),
            (Value::Chain(chain), _) => Ok((chain.settled()?, false)),
        }
    }

    /// All operands as tensors.
    pub(crate) fn tensors(self) -> Result<Vec<Tensor>, TorchError> {
        let Self { values, shapes, pictures } = self;
        if values.len() != shapes.len() {
            return Err(miscounted(&values, shapes.len()));
        }
        let shaped = values.into_iter().zip(shapes);
        let made = shaped.map(|(value, &shape)| pictures.tensor(value, shape));
        made.collect()
    }
}

impl Pictures {
    /// The tensor of a value of this shape, zeros made if need be.
    pub(crate) fn tensor(&self, value: Value, shape: Shape) -> Result<Tensor, TorchError> {
        match value {
            Value::Zero => self.zeros(shape),
            value => Ok(value.settled()?.0),
        }
    }
}

fn miscounted(values: &[Value], wanted: usize) -> TorchError {
    TorchError::broken(format!("{} operands, not {wanted}", values.len()))
}
