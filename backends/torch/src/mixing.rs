//! What a decision does in one step: the mixture of its candidates, or one of them.
//!
//! `w = softmax((theta + g) / T)`, theta the logits, with Gumbel noise `g` over the candidates that are not pruned
//! (Jang, Gu and Poole 2017, equation 2).
//!
//! - Soft: `y = sum over j of w_j * candidate_j(x)`, with noise of its own for each picture.
//! - Hard: the candidate k of the largest `w` runs for the whole batch, one draw for all
//!   pictures. In choice steps `y = candidate_k(x) * (w_k + (1 - w_k).detach())`: the value is that of
//!   the candidate, and the gradient of `w_k` is straight-through (Jang et al. 2017, section 2.2),
//!   restricted to what ran, as in GDAS (Dong and Yang 2019, equation 7). A softmax over the
//!   candidates carries it to all of the logits.
//!
//! A select may depend on several decisions. Soft, the weight of an operand is the sum over the
//! ways to it of the product of the weights on the way. Hard, the factors of the decisions on the
//! way are multiplied, but for those on which the shape of the result depends: values of several
//! shapes have no sum, and it is where they meet in one shape that the decision counts, once.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use nas_ir::diagram::{Diagram, Selectors, Top};
use nas_search::shared::Mixing;
use tch::{Device, TchError, Tensor};

use crate::choices::Choices;
use crate::error::TorchError;
use crate::lower::Value;
use crate::program::{Program, Select};
use crate::random::{Moment, Purpose, gumbel, stream};

/// What a decision, or a select, does in one step.
#[derive(Debug)]
pub(crate) enum Mix {
    /// A weighted sum.
    Soft {
        /// The candidates that run.
        candidates: Vec<usize>,
        /// Their weights: one tensor `[N]` each.
        weights: Vec<Tensor>,
    },
    /// One candidate.
    One {
        /// Which.
        candidate: usize,
        /// The factor 1 `[1]` that carries the gradient to the logits; none where it is not wanted.
        factor: Option<Tensor>,
    },
}

impl Mix {
    /// The candidates that run.
    pub(crate) fn candidates(&self) -> Vec<usize> {
        match self {
            Self::Soft { candidates, .. } => candidates.clone(),
            Self::One { candidate, .. } => vec![*candidate],
        }
    }

    /// The weight of the candidate at this place among those that run; none where it is 1.
    fn weight(&self, at: usize) -> Option<&Tensor> {
        match self {
            Self::Soft { weights, .. } => weights.get(at),
            Self::One { .. } => None,
        }
    }
}

/// How the mixtures of a step are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw {
    pub(crate) mixing: Mixing,
    pub(crate) temperature: f64,
    pub(crate) seed: u64,
    pub(crate) moment: Moment,
    /// Pictures in the batch.
    pub(crate) batch: i64,
    pub(crate) device: Device,
}

impl Draw {
    /// The mixture of each decision. `logits` holds the logits of all decisions, one after the
    /// other; gradients reach it if it requires them.
    pub(crate) fn mixes(&self, choices: &Choices, logits: &Tensor) -> Result<Vec<Mix>, TorchError> {
        let mut start = 0;
        let mut mixes = Vec::new();
        for (decision, candidates) in choices.alive().into_iter().enumerate() {
            let own = logits.f_narrow(0, start, choices.len(decision) as i64)?;
            start += choices.len(decision) as i64;
            mixes.push(self.mix(decision, candidates, &own)?);
        }
        Ok(mixes)
    }

    fn mix(
        &self,
        decision: usize,
        candidates: Vec<usize>,
        logits: &Tensor,
    ) -> Result<Mix, TorchError> {
        if let [candidate] = *candidates {
            return Ok(Mix::One { candidate, factor: None });
        }
        let rows = match self.mixing {
            Mixing::Soft => self.batch,
            Mixing::Hard => 1,
        };
        let count = candidates.len() as i64;
        let purpose = Purpose::Noise { moment: self.moment, decision };
        let mut rng = stream(self.seed, purpose);
        let noise = gumbel(&mut rng, (rows * count) as usize);
        let noise =
            Tensor::f_from_slice(&noise)?.f_view([rows, count])?.f_to_device(self.device)?;
        let kept: Vec<i64> = candidates.iter().map(|&candidate| candidate as i64).collect();
        let kept = Tensor::f_from_slice(&kept)?.f_to_device(self.device)?;
        let noisy = logits.f_index_select(0, &kept)?.f_add(&noise)?;
        let weights = noisy.f_div_scalar(self.temperature)?.f_softmax(1, logits.kind())?;
        match self.mixing {
            Mixing::Soft => Ok(Mix::Soft { candidates, weights: weights.f_unbind(1)? }),
            Mixing::Hard => one(&candidates, &weights),
        }
    }
}

fn one(candidates: &[usize], weights: &Tensor) -> Result<Mix, TorchError> {
    let best = weights.f_argmax(1, false)?.f_int64_value(&[0])?;
    let candidate = candidates.get(best as usize).copied().unwrap_or_default();
    Ok(Mix::One { candidate, factor: straight_through(weights, best)? })
}

/// The factor 1 `[1]` that carries the gradient to a weight of `[1, n]`; none if they want none.
pub(crate) fn straight_through(weights: &Tensor, of: i64) -> Result<Option<Tensor>, TchError> {
    if !weights.requires_grad() {
        return Ok(None);
    }
    let weight = weights.f_select(1, of)?;
    let rest = weight.f_detach()?.f_neg()?.f_add_scalar(1.0)?;
    Ok(Some(weight.f_add(&rest)?))
}

/// What each select of a program does where the decisions do this.
pub(crate) fn of_selects(program: &Program, decisions: &[Mix]) -> Result<Vec<Mix>, TorchError> {
    let selects = program.selects.iter();
    let mixes = selects.map(|select| of_select(select, &program.selectors, decisions));
    Ok(mixes.collect::<Result<_, TchError>>()?)
}

fn of_select(select: &Select, selectors: &Selectors, decisions: &[Mix]) -> Result<Mix, TchError> {
    let mut here = select.selector;
    let mut product: Option<Tensor> = None;
    while let Some(Top::Branch(decision, children)) = selectors.top(here) {
        let Some(Mix::One { candidate, factor }) = decisions.get(decision.index()) else {
            return weighted(here, selectors, decisions);
        };
        let counts = select.mixes.contains(&decision);
        if let Some(factor) = factor.as_ref().filter(|_| counts) {
            product = Some(times(product.as_ref(), factor)?);
        }
        let Some(&child) = children.get(*candidate) else { break };
        here = child;
    }
    Ok(Mix::One { candidate: leaf(selectors, here), factor: product })
}

fn leaf(selectors: &Selectors, row: Diagram) -> usize {
    match selectors.top(row) {
        Some(Top::Leaf(&operand)) => operand as usize,
        _ => 0,
    }
}

fn times(product: Option<&Tensor>, factor: &Tensor) -> Result<Tensor, TchError> {
    product.map_or_else(|| Ok(factor.shallow_clone()), |product| product.f_mul(factor))
}

/// The weights of the operands below a row: each row passes its own on to its children, highest
/// decision first, so that each is visited once.
fn weighted(top: Diagram, selectors: &Selectors, decisions: &[Mix]) -> Result<Mix, TchError> {
    let key = |row: Diagram| (Reverse(selectors.decision(row)), row);
    // The weight of the top is 1.
    let mut open: BTreeMap<_, Option<Tensor>> = BTreeMap::from([(key(top), None)]);
    let mut operands: BTreeMap<usize, Option<Tensor>> = BTreeMap::new();
    while let Some(((_, row), weight)) = open.pop_first() {
        let Some(Top::Branch(decision, children)) = selectors.top(row) else {
            operands.insert(leaf(selectors, row), weight);
            continue;
        };
        let Some(mix) = decisions.get(decision.index()) else { continue };
        for (at, candidate) in mix.candidates().into_iter().enumerate() {
            let Some(&child) = children.get(candidate) else { continue };
            let way = match mix.weight(at) {
                Some(own) => Some(times(weight.as_ref(), own)?),
                None => weight.as_ref().map(Tensor::shallow_clone),
            };
            let slot = open.entry(key(child)).or_default();
            *slot = match (slot.take(), way) {
                (Some(before), Some(way)) => Some(before.f_add(&way)?),
                (before, way) => before.or(way),
            };
        }
    }
    let (candidates, weights): (Vec<usize>, Vec<Option<Tensor>>) = operands.into_iter().unzip();
    Ok(match (candidates.as_slice(), weights.into_iter().collect::<Option<Vec<_>>>()) {
        (&[candidate], _) => Mix::One { candidate, factor: None },
        (_, weights) => Mix::Soft { candidates, weights: weights.unwrap_or_default() },
    })
}

/// The value of a select; `operand` gives the value of a candidate.
pub(crate) fn mixed(mix: &Mix, mut operand: impl FnMut(usize) -> Value) -> Result<Value, TchError> {
    match mix {
        Mix::One { candidate, factor } => match (operand(*candidate), factor) {
            (Value::Tensor { tensor, .. }, Some(factor)) => {
                let tensor = tensor.f_mul(&along(factor, &tensor)?)?;
                Ok(Value::Tensor { tensor, fresh: true })
            }
            (value, _) => Ok(value),
        },
        Mix::Soft { candidates, weights } => {
            let mut sum: Option<Tensor> = None;
            for (&candidate, weight) in candidates.iter().zip(weights) {
                let Value::Tensor { tensor, .. } = operand(candidate) else { continue };
                let weight = along(weight, &tensor)?;
                sum = Some(match sum {
                    None => tensor.f_mul(&weight)?,
                    Some(mut sum) => sum.f_addcmul_(&tensor, &weight)?,
                });
            }
            Ok(sum.map_or(Value::Zero, |tensor| Value::Tensor { tensor, fresh: true }))
        }
    }
}

/// A factor for each picture, or one for all, as it multiplies `[N, C, H, W]` or `[N, C]`.
fn along(factor: &Tensor, like: &Tensor) -> Result<Tensor, TchError> {
    let mut sizes = vec![1; like.dim()];
    if let Some(first) = sizes.first_mut() {
        *first = -1;
    }
    factor.f_view(sizes.as_slice())
}
