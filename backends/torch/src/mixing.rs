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
//! - Masked: soft, but of a decision on numbers of channels the candidate k of the most runs, and what joins the channels
//!   reads `candidate_k(x) * sum over j of w_j * 1_j`, where `1_j` has ones for the channels of candidate j (FBNetV2, Wan et
//!   al. 2020, equations 2 to 4).
//!   Of a decision on the sizes of maps each candidate runs for itself, the others being mixed alike, and the outputs are
//!   summed with its weights: a value has no sum with one of another size (section 3.2 of the paper).
//! - Softmax: the same as soft without noise, the weights being one for all pictures (DARTS, Liu et al. 2019,
//!   equation 2).
//! - Two paths: a step of the weights runs one candidate, drawn from the probabilities. In one of the choices two
//!   candidates are drawn likewise, and one of them by its share `p = softmax` of their two logits: its gate is 1 and that
//!   of the other 0, and the gradient of a gate is that of its `p` (ProxylessNAS, Cai et al. 2019, equations 2 to 4).
//!
//! - Reinforce: the same for the weights; the choices learn by the losses of whole networks ([`crate::reinforce`]).
//!
//! A select may depend on several decisions. Soft, the weight of an operand is the sum over the
//! ways to it of the product of the weights on the way. Hard, the factors of the decisions on the
//! way are multiplied, but for those on which the shape of the result depends: values of several
//! shapes have no sum, and it is where they meet in one shape that the decision counts, once.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use nas_ir::diagram::{Diagram, Selectors, Top};
use nas_ir::{Assignment, DecisionId, Space};
use nas_search::shared::Mixing;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor};

use crate::choices::Choices;
use crate::error::TorchError;
use crate::fused;
use crate::layout::{on, values};
use crate::portion::Portion;
use crate::program::{Id, Program, Select, SelectId};
use crate::random::{Moment, Purpose, gumbel, stream};
use crate::value::Value;

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
    /// Of a decision on numbers of channels: the candidate of the most runs, and masks weigh its channels.
    Masked {
        /// Which.
        candidate: usize,
        /// The candidates that the masks are of.
        candidates: Vec<usize>,
        /// Their weights: one tensor `[N]` each.
        weights: Vec<Tensor>,
    },
}

/// The candidates that count, each with its weight; none where that is 1.
type Weighted<'a> = Vec<(usize, Option<&'a Tensor>)>;

impl Mix {
    /// What a select does, by what all selects of its program do.
    ///
    /// # Errors
    /// Nothing says it: a fault of this crate.
    pub(crate) fn of(selects: &[Mix], select: SelectId) -> Result<&Self, TorchError> {
        let missing = || TorchError::broken(format!("nothing says what {select} does"));
        selects.get(select.index()).ok_or_else(missing)
    }

    /// The same for some images of the batch.
    pub(crate) fn of_images(&self, images: Portion) -> Result<Self, TorchError> {
        let each = |weights: &[Tensor]| {
            let own = weights.iter().map(|weights| images.of(weights));
            own.collect::<Result<Vec<_>, _>>()
        };
        Ok(match self {
            Self::Soft { candidates, weights } => {
                Self::Soft { candidates: candidates.clone(), weights: each(weights)? }
            }
            Self::One { candidate, factor } => {
                let factor = factor.as_ref().map(|factor| images.of(factor)).transpose()?;
                Self::One { candidate: *candidate, factor }
            }
            Self::Masked { candidate, candidates, weights } => {
                let (candidate, candidates) = (*candidate, candidates.clone());
                Self::Masked { candidate, candidates, weights: each(weights)? }
            }
        })
    }

    /// The candidates that run.
    pub(crate) fn candidates(&self) -> Vec<usize> {
        match self {
            Self::Soft { candidates, .. } => candidates.clone(),
            Self::One { candidate, .. } | Self::Masked { candidate, .. } => vec![*candidate],
        }
    }

    /// The candidate that runs alone, with its factor.
    fn only(&self) -> Option<(usize, Option<&Tensor>)> {
        match self {
            Self::Soft { .. } => None,
            Self::One { candidate, factor } => Some((*candidate, factor.as_ref())),
            Self::Masked { candidate, .. } => Some((*candidate, None)),
        }
    }

    /// What a select sums.
    fn summed(&self) -> Weighted<'_> {
        match self {
            Self::Soft { candidates, weights } => {
                candidates.iter().copied().zip(weights.iter().map(Some)).collect()
            }
            Self::One { candidate, .. } | Self::Masked { candidate, .. } => {
                vec![(*candidate, None)]
            }
        }
    }

    /// What a mask is of.
    fn masked(&self) -> Weighted<'_> {
        match self {
            Self::Masked { candidates, weights, .. } => {
                candidates.iter().copied().zip(weights.iter().map(Some)).collect()
            }
            Self::Soft { .. } | Self::One { .. } => self.summed(),
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
        let (mut start, numbers) = (0, values(&logits.f_to_kind(Kind::Float)?)?);
        let mut mixes = Vec::new();
        for (decision, (count, kept)) in choices.kept().enumerate() {
            let own = logits.f_narrow(0, start as i64, count as i64)?;
            let numbers = numbers.get(start..start + count).unwrap_or_default();
            start += count;
            let mix = self.mix(decision, kept, Logits { tensor: &own, numbers })?;
            mixes.push(match (mix, choices.widest(decision)) {
                (Mix::Soft { candidates, weights }, Some(candidate)) => {
                    Mix::Masked { candidate, candidates, weights }
                }
                (mix, _) => mix,
            });
        }
        Ok(mixes)
    }

    /// The mixture of a decision of which these candidates are left.
    fn mix(
        &self,
        decision: usize,
        candidates: Vec<usize>,
        logits: Logits<'_>,
    ) -> Result<Mix, TorchError> {
        if let [candidate] = *candidates {
            return Ok(Mix::One { candidate, factor: None });
        }
        match self.mixing {
            Mixing::Soft | Mixing::Masked => {
                let noise = self.noise(decision, self.batch, candidates.len());
                let logits = self.noisy(&logits.of(&candidates)?, &noise)?;
                let weights = self.softmax(&logits)?;
                Ok(Mix::Soft { candidates, weights: weights.f_unbind(1)? })
            }
            Mixing::Softmax => {
                let weights = self.softmax(&logits.of(&candidates)?.f_view([1, -1])?)?;
                Ok(Mix::Soft { candidates, weights: weights.f_unbind(1)? })
            }
            Mixing::TwoPaths if self.moment.choices => {
                gates(&candidates, logits, &mut self.stream(decision))
            }
            Mixing::Hard | Mixing::TwoPaths | Mixing::Reinforce { .. } => {
                let noise = self.noise(decision, 1, candidates.len());
                let place = greatest(logits.numbers_of(&candidates).zip(&noise));
                let missing = || TorchError::broken("a decision without candidates");
                let candidate = *candidates.get(place).ok_or_else(missing)?;
                if !logits.tensor.requires_grad() {
                    return Ok(Mix::One { candidate, factor: None });
                }
                let weights = self.softmax(&self.noisy(&logits.of(&candidates)?, &noise)?)?;
                let factor = straight_through(&weights, place as i64)?;
                Ok(Mix::One { candidate, factor })
            }
        }
    }

    /// The Gumbel noise of so many candidates in each of so many rows, one row after the other.
    fn noise(&self, decision: usize, rows: i64, candidates: usize) -> Vec<f32> {
        gumbel(&mut self.stream(decision), rows as usize * candidates)
    }

    /// Logits `[n]` with the noise of each row.
    fn noisy(&self, logits: &Tensor, noise: &[f32]) -> Result<Tensor, TorchError> {
        let noise = Tensor::f_from_slice(noise)?.f_view([-1, logits.numel() as i64])?;
        Ok(logits.f_add(&on(self.device, noise)?)?)
    }

    /// Where the noise of a decision comes from.
    fn stream(&self, decision: usize) -> ChaCha8Rng {
        stream(self.seed, Purpose::Noise { moment: self.moment, decision })
    }

    fn softmax(&self, logits: &Tensor) -> Result<Tensor, TorchError> {
        Ok(logits.f_div_scalar(self.temperature)?.f_softmax(1, logits.kind())?)
    }
}

/// The logits of all candidates of a decision, `[n]`: those that gradients reach, and what they are, so that no choice waits
/// for a GPU.
#[derive(Clone, Copy)]
struct Logits<'a> {
    tensor: &'a Tensor,
    numbers: &'a [f32],
}

impl Logits<'_> {
    /// Those of some candidates.
    fn of(self, candidates: &[usize]) -> Result<Tensor, TorchError> {
        if candidates.len() == self.numbers.len() {
            return Ok(self.tensor.shallow_clone());
        }
        let places: Vec<i64> = candidates.iter().map(|&candidate| candidate as i64).collect();
        let places = on(self.tensor.device(), Tensor::f_from_slice(&places)?)?;
        Ok(self.tensor.f_index_select(0, &places)?)
    }

    fn numbers_of<'c>(&'c self, candidates: &'c [usize]) -> impl Iterator<Item = &'c f32> {
        candidates.iter().filter_map(|&candidate| self.numbers.get(candidate))
    }
}

/// Which of some logits is the greatest with its noise, the first of several.
fn greatest<'a>(noisy: impl Iterator<Item = (&'a f32, &'a f32)>) -> usize {
    let sums = noisy.map(|(logit, noise)| logit + noise).enumerate();
    let greatest = sums.reduce(|best, next| if next.1 > best.1 { next } else { best });
    greatest.map_or(0, |(place, _)| place)
}

/// The two candidates of the greatest noisy logits, and the gates of both: the one whose logit is greater with
/// noise of its own is open.
fn gates(candidates: &[usize], logits: Logits<'_>, rng: &mut impl Rng) -> Result<Mix, TorchError> {
    let noise = gumbel(rng, candidates.len());
    let noisy = logits.numbers_of(candidates).zip(noise).map(|(logit, noise)| logit + noise);
    let mut order: Vec<(usize, f32)> = candidates.iter().copied().zip(noisy).collect();
    order.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    order.truncate(2);
    let pair: Vec<usize> = order.into_iter().map(|(candidate, _)| candidate).collect();
    let shares = logits.of(&pair)?.f_softmax(0, logits.tensor.kind())?;
    let noise = gumbel(rng, pair.len());
    let open = greatest(logits.numbers_of(&pair).zip(&noise));
    let mut gates = Vec::new();
    for row in 0..pair.len() {
        let share = shares.f_narrow(0, row as i64, 1)?;
        let rest = share.f_detach()?.f_neg()?.f_add_scalar(f64::from(u8::from(row == open)))?;
        gates.push(share.f_add(&rest)?);
    }
    Ok(Mix::Soft { candidates: pair, weights: gates })
}

/// The factor 1 `[1]` that carries the gradient to a weight of `[1, n]`; none if they want none.
pub(crate) fn straight_through(weights: &Tensor, of: i64) -> Result<Option<Tensor>, TorchError> {
    if !weights.requires_grad() {
        return Ok(None);
    }
    let weight = weights.f_select(1, of)?;
    let rest = weight.f_detach()?.f_neg()?.f_add_scalar(1.0)?;
    Ok(Some(weight.f_add(&rest)?))
}

/// What a program does once in a step.
#[derive(Debug)]
pub(crate) struct Run {
    /// The weight of its outputs, `[N]`; none where it is 1.
    pub(crate) weight: Option<Tensor>,
    /// What each select does.
    pub(crate) mixes: Vec<Mix>,
}

impl Run {
    /// The same for some images of the batch.
    pub(crate) fn of_images(&self, images: Portion) -> Result<Self, TorchError> {
        let weight = self.weight.as_ref().map(|weight| images.of(weight)).transpose()?;
        let mixes = self.mixes.iter().map(|mix| mix.of_images(images));
        Ok(Self { weight, mixes: mixes.collect::<Result<_, _>>()? })
    }
}

/// What runs in a step with these mixtures of the decisions: of a decision on the sizes of maps each candidate for itself.
pub(crate) fn runs(
    program: &Program,
    choices: &Choices,
    mut mixes: Vec<Mix>,
) -> Result<Vec<Run>, TorchError> {
    let apart = choices.apart().and_then(|place| match mixes.get(place)? {
        Mix::Soft { candidates, weights } => {
            let weights: Vec<Tensor> = weights.iter().map(Tensor::shallow_clone).collect();
            Some((place, candidates.clone(), weights))
        }
        Mix::One { .. } | Mix::Masked { .. } => None,
    });
    let Some((place, candidates, weights)) = apart else {
        return Ok(vec![Run { weight: None, mixes: of_selects(program, &mixes)? }]);
    };
    let runs = candidates.into_iter().zip(weights).map(|(candidate, weight)| {
        if let Some(mix) = mixes.get_mut(place) {
            *mix = Mix::One { candidate, factor: None };
        }
        Ok(Run { weight: Some(weight), mixes: of_selects(program, &mixes)? })
    });
    runs.collect()
}

/// What each select of a program does in the network of an assignment.
pub(crate) fn assigned(
    program: &Program,
    space: &Space,
    assignment: &Assignment,
) -> Result<Vec<Mix>, TorchError> {
    let choice = |id| Mix::One { candidate: assignment.get(id), factor: None };
    let choices: Vec<Mix> = space.decision_ids().map(|(id, _)| choice(id)).collect();
    of_selects(program, &choices)
}

/// What each select of a program does where the decisions do this.
pub(crate) fn of_selects(program: &Program, decisions: &[Mix]) -> Result<Vec<Mix>, TorchError> {
    let selects = program.selects.rows().iter();
    selects.map(|select| of_select(select, &program.selectors, decisions)).collect()
}

fn of_select(select: &Select, selectors: &Selectors, decisions: &[Mix]) -> Result<Mix, TorchError> {
    if !select.channels.is_empty() {
        return weighted(select.selector, selectors, decisions, Mix::masked);
    }
    let mut here = select.selector;
    let mut product: Option<Tensor> = None;
    loop {
        let (decision, children) = match selectors.top(here) {
            Top::Leaf(operand) => {
                return Ok(Mix::One { candidate: *operand as usize, factor: product });
            }
            Top::Branch(decision, children) => (decision, children),
        };
        let Some((candidate, factor)) = decided(decisions, decision)?.only() else {
            return weighted(here, selectors, decisions, Mix::summed);
        };
        let counts = select.mixes.contains(&decision);
        if let Some(factor) = factor.filter(|_| counts) {
            product = Some(times(product.as_ref(), factor)?);
        }
        here = child(children, candidate, decision)?;
    }
}

fn decided(decisions: &[Mix], decision: DecisionId) -> Result<&Mix, TorchError> {
    let missing = || TorchError::broken(format!("nothing says what {decision} does"));
    decisions.get(decision.index()).ok_or_else(missing)
}

fn child(
    children: &[Diagram],
    candidate: usize,
    decision: DecisionId,
) -> Result<Diagram, TorchError> {
    let missing = || TorchError::broken(format!("{decision} has no candidate {candidate}"));
    children.get(candidate).copied().ok_or_else(missing)
}

fn times(product: Option<&Tensor>, factor: &Tensor) -> Result<Tensor, TorchError> {
    match product {
        Some(product) => Ok(product.f_mul(factor)?),
        None => Ok(factor.shallow_clone()),
    }
}

/// The weights of the operands below a row, by those `of` each decision: each row passes its own on to its children, highest
/// decision first, so that each is visited once.
fn weighted(
    top_row: Diagram,
    selectors: &Selectors,
    decisions: &[Mix],
    of: fn(&Mix) -> Weighted<'_>,
) -> Result<Mix, TorchError> {
    let key = |row: Diagram| (Reverse(selectors.decision(row)), row);
    // The weight of the top is 1.
    let mut open: BTreeMap<_, Option<Tensor>> = BTreeMap::from([(key(top_row), None)]);
    let mut operands: BTreeMap<usize, Option<Tensor>> = BTreeMap::new();
    while let Some(((_, row), weight)) = open.pop_first() {
        let (decision, children) = match selectors.top(row) {
            Top::Leaf(operand) => {
                operands.insert(*operand as usize, weight);
                continue;
            }
            Top::Branch(decision, children) => (decision, children),
        };
        for (candidate, own) in of(decided(decisions, decision)?) {
            let way = match own {
                Some(own) => Some(times(weight.as_ref(), own)?),
                None => weight.as_ref().map(Tensor::shallow_clone),
            };
            let slot = open.entry(key(child(children, candidate, decision)?)).or_default();
            *slot = match (slot.take(), way) {
                (Some(before), Some(way)) => Some(before.f_add(&way)?),
                (before, way) => before.or(way),
            };
        }
    }
    let (candidates, weights): (Vec<usize>, Vec<Option<Tensor>>) = operands.into_iter().unzip();
    if let [candidate] = *candidates {
        return Ok(Mix::One { candidate, factor: None });
    }
    // INVARIANT: where ways part, those that lead apart are weighted.
    let unweighted = || TorchError::broken("several operands, and one without a weight");
    let weights = weights.into_iter().collect::<Option<_>>().ok_or_else(unweighted)?;
    Ok(Mix::Soft { candidates, weights })
}

/// The value of a select; `operand` gives the value of a candidate.
pub(crate) fn mixed(
    mix: &Mix,
    mut operand: impl FnMut(usize) -> Result<Value, TorchError>,
) -> Result<Value, TorchError> {
    match mix {
        Mix::One { candidate, factor } => match (operand(*candidate)?, factor) {
            (Value::Chain(chain), Some(factor)) => match chain.weighted(factor) {
                Ok(chain) => Ok(Value::Chain(chain)),
                Err(chain) => {
                    let tensor = chain.settled()?;
                    Ok(Value::fresh(tensor.f_mul(&along(factor, &tensor)?)?))
                }
            },
            (Value::Tensor { tensor, .. }, Some(factor)) => {
                Ok(Value::fresh(tensor.f_mul(&along(factor, &tensor)?)?))
            }
            (value, _) => Ok(value),
        },
        Mix::Masked { candidate, .. } => operand(*candidate),
        Mix::Soft { candidates, weights } => {
            let (mut sum, mut chains): (Option<Tensor>, _) = (None, Vec::new());
            for (&candidate, weight) in candidates.iter().zip(weights) {
                let tensor = match operand(candidate)? {
                    Value::Zero => continue,
                    Value::Chain(chain) => match chain.weighted(weight) {
                        Ok(chain) => {
                            chains.push(chain);
                            continue;
                        }
                        Err(chain) => chain.settled()?,
                    },
                    value @ Value::Tensor { .. } => value.settled()?.0,
                };
                let weight = along(weight, &tensor)?;
                sum = Some(match sum {
                    None => tensor.f_mul(&weight)?,
                    Some(mut sum) => sum.f_addcmul_(&tensor, &weight)?,
                });
            }
            if !chains.is_empty() {
                return Ok(Value::fresh(fused::sum(sum.as_ref(), chains)?));
            }
            // A mixture of zeros is zero.
            Ok(sum.map_or(Value::Zero, Value::fresh))
        }
    }
}

/// A value whose channels are masked: each times the sum of the weights of the numbers of channels with which there is such
/// a channel. `channels` has a row `[C]` of ones and zeros for each number.
pub(crate) fn masked(mix: &Mix, value: Value, channels: &Tensor) -> Result<Value, TorchError> {
    let (Mix::Soft { candidates, weights }, Value::Tensor { tensor, .. }) = (mix, &value) else {
        return Ok(value);
    };
    let rows: Vec<i64> = candidates.iter().map(|&row| row as i64).collect();
    let rows = on(channels.device(), Tensor::f_from_slice(&rows)?)?;
    let mut sizes = tensor.size();
    let most = sizes.get(1).copied().unwrap_or_default();
    let rows = channels.f_index_select(0, &rows)?.f_narrow(1, 0, most)?;
    let weights = Tensor::f_stack(weights, 1)?;
    let mask = weights.f_matmul(&rows.f_to_kind(weights.kind())?)?;
    sizes.iter_mut().skip(2).for_each(|size| *size = 1);
    if let Some(first) = sizes.first_mut() {
        *first = -1;
    }
    Ok(Value::fresh(tensor.f_mul(&mask.f_view(sizes.as_slice())?)?))
}

/// A factor for each picture, or one for all, as it multiplies `[N, C, H, W]` or `[N, C]`.
pub(crate) fn along(factor: &Tensor, like: &Tensor) -> Result<Tensor, TorchError> {
    let mut sizes = vec![1; like.dim()];
    if let Some(first) = sizes.first_mut() {
        *first = -1;
    }
    Ok(factor.f_view(sizes.as_slice())?)
}
