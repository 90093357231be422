//! How many layers are computed again, and in how many parts a batch is learned from, so that what training takes fits into what it
//! may take.

use super::recomputed::{Fit, order, without};
use super::trained::{Forecast, Pictures, Trained};
use crate::error::TorchError;
use crate::program::Program;

/// The fewest images of a part, whose batch norms have something to take statistics of.
const FEWEST: u32 = 2;

/// What is done so that what is forecast of a program fits into so many bytes, and what that is then: as few layers as do are computed
/// again; where that is not enough, batches are cut into as few parts of at least two images as do, and again as few layers as do are
/// computed again. Where nothing fits, it is what takes least; where nothing is said, all is kept.
///
/// # Errors
/// As `of`.
pub(crate) fn fitted(
    program: &Program,
    pictures: Pictures,
    memory: Option<u64>,
    of: impl Fn(&Trained<'_>) -> Result<Forecast, TorchError>,
) -> Result<(Fit, Forecast), TorchError> {
    let all = Trained::new(program, pictures)?;
    let kept = of(&all)?;
    let Some(memory) = memory.filter(|&memory| kept.bytes() > memory) else {
        return Ok((Fit::WHOLE, kept));
    };
    let with = |Fit { layers, parts }| {
        let roles = without(layers, program, &all.roles)?;
        of(&Trained { program, pictures: pictures.in_parts(parts), roles })
    };
    let layers = order(program, &all.roles)?.len();
    let mut fit = Fit { layers, parts: 1 };
    let mut least = with(fit)?;
    if least.bytes() <= memory {
        return fewest(fit, least, memory, with);
    }
    let most = pictures.batch / FEWEST;
    // What a part takes falls as its images do, and nothing else falls.
    let is_in_vain = Forecast { step: 0, ..least }.bytes() > memory;
    let mut images = pictures.batch;
    for parts in if is_in_vain { most.max(2)..=most } else { 2..=most } {
        // More parts, of which the largest has as many images, gain nothing.
        let largest = pictures.batch.div_ceil(parts);
        if std::mem::replace(&mut images, largest) == largest {
            continue;
        }
        let in_parts = Fit { layers, parts: parts as usize };
        let found = with(in_parts)?;
        if found.bytes() <= memory {
            return fewest(in_parts, found, memory, with);
        }
        if found.bytes() < least.bytes() {
            (fit, least) = (in_parts, found);
        }
    }
    Ok((fit, least))
}

/// As few layers computed again as still fit; `found` is what these take.
fn fewest(
    fit: Fit,
    mut found: Forecast,
    memory: u64,
    with: impl Fn(Fit) -> Result<Forecast, TorchError>,
) -> Result<(Fit, Forecast), TorchError> {
    // INVARIANT: without `fewest - 1` layers it does not fit, or nothing is left to try; without `most`, it takes `found`.
    let (mut fewest, mut most) = (0, fit.layers);
    while fewest < most {
        let middle = fewest.midpoint(most);
        let less = with(Fit { layers: middle, ..fit })?;
        if less.bytes() > memory {
            fewest = middle + 1;
        } else {
            (most, found) = (middle, less);
        }
    }
    Ok((Fit { layers: most, ..fit }, found))
}
