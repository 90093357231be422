//! How many layers are computed again, so that what training takes fits into what it may take.

use super::recomputed::{order, without};
use super::trained::{Forecast, Pictures, Trained};
use crate::error::TorchError;
use crate::program::Program;

/// How many layers are not kept so that what is forecast of a program fits into so many bytes, and what that is then: as few as
/// do; all, where nothing fits; none, where nothing is said.
///
/// # Errors
/// As `of`.
pub(crate) fn fitted(
    program: &Program,
    pictures: Pictures,
    memory: Option<u64>,
    of: impl Fn(&Trained<'_>) -> Result<Forecast, TorchError>,
) -> Result<(usize, Forecast), TorchError> {
    let all = Trained::new(program, pictures)?;
    let kept = of(&all)?;
    let Some(memory) = memory.filter(|&memory| kept.bytes() > memory) else {
        return Ok((0, kept));
    };
    let with = |layers| {
        let roles = without(layers, program, &all.roles)?;
        of(&Trained { program, pictures, roles })
    };
    // INVARIANT: without `fewest - 1` layers it does not fit; without `most`, it takes `least`.
    let (mut fewest, mut most) = (1, order(program, &all.roles)?.len());
    let mut least = with(most)?;
    if least.bytes() > memory {
        return Ok((most, least));
    }
    while fewest < most {
        let middle = fewest.midpoint(most);
        let found = with(middle)?;
        if found.bytes() > memory {
            fewest = middle + 1;
        } else {
            (most, least) = (middle, found);
        }
    }
    Ok((most, least))
}
