//! What cannot be tried network by network: a space that has too many.

use miette::Diagnostic;
use nas_ir::recipe::schema::Kind;
use nas_ir::{Checked, Space};
use thiserror::Error;

use crate::error::Refusal;

/// More networks than a search may try.
#[derive(Debug, Error, Diagnostic)]
#[error("`{space}` has {networks}, and `strategy grid` tries every one")]
#[diagnostic(
    code(nas::search::grid),
    help("`strategy random {{ }}` with `derive {{ sample = … }}` tries some of them")
)]
struct TooMany {
    space: String,
    networks: String,
}

/// How many networks the search of a space tries, at most.
pub(super) fn networks(space: &Checked<Space>) -> Result<u32, Refusal> {
    let too_many = |networks: String| Refusal::new(TooMany { space: space.name.clone(), networks });
    let Ok(count) = nas_analysis::count(space) else {
        return Err(too_many("networks that cannot be counted".to_owned()));
    };
    match u32::try_from(&count) {
        Ok(few) if few <= Kind::MOST => Ok(few),
        _ => Err(too_many(format!("{count} networks"))),
    }
}
