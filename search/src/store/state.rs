//! States of training as files: tensors, and after how many epochs.

use nas_ir::Weights;

use super::{Store, damaged};
use crate::error::RunError;

/// A state read back.
#[derive(Debug)]
pub(crate) struct State {
    /// Epochs done when it was taken.
    pub(crate) done: u32,
    /// The tensors.
    pub(crate) weights: Weights,
}

/// Writes a state. The file says itself after how many epochs it was taken, so that state and
/// count cannot disagree after a crash, and the SHA-256 of its tensors.
pub(crate) fn write(
    store: &mut Store,
    name: &str,
    weights: &Weights,
    done: u32,
) -> Result<(), RunError> {
    store.write(name, &bytes(name, weights, done)?)
}

/// Begins to write a state, under several names where it is more than one; training may go on meanwhile, and what the
/// store is asked for next waits for it.
pub(crate) fn write_later(
    store: &mut Store,
    names: &[&'static str],
    weights: Weights,
    done: u32,
) -> Result<(), RunError> {
    let name = names.first().copied().unwrap_or_default();
    store.write_later(names, move || bytes(name, &weights, done))
}

fn bytes(name: &str, weights: &Weights, done: u32) -> Result<Vec<u8>, RunError> {
    let note = format!("{done} {}", digest(name, weights)?);
    nas_safetensors::to_bytes(weights, Some(&note)).map_err(|e| damaged(name, e))
}

/// Reads a state; `None` if there is none.
pub(crate) fn read(store: &Store, name: &str) -> Result<Option<State>, RunError> {
    let Some(bytes) = store.read(name)? else { return Ok(None) };
    let (done, written) = note(name, &bytes)?;
    let weights = nas_safetensors::floats_from_bytes(&bytes).map_err(|e| damaged(name, e))?;
    if digest(name, &weights)? != written {
        return Err(damaged(name, "its tensors are not those that were written"));
    }
    Ok(Some(State { done, weights }))
}

/// After how many epochs a state was taken; 0 if there is none.
pub(crate) fn done(store: &Store, name: &str) -> Result<u32, RunError> {
    store.read(name)?.map_or(Ok(0), |bytes| Ok(note(name, &bytes)?.0))
}

/// What tells tensors from others: the hash of their file without a note.
fn digest(name: &str, weights: &Weights) -> Result<String, RunError> {
    let bytes = nas_safetensors::to_bytes(weights, None).map_err(|e| damaged(name, e))?;
    Ok(nas_files::sha256(&bytes))
}

/// After how many epochs a state was taken, and the digest of its tensors.
fn note(name: &str, bytes: &[u8]) -> Result<(u32, String), RunError> {
    let note = nas_safetensors::note(bytes).map_err(|e| damaged(name, e))?.unwrap_or_default();
    let (done, digest) = note.split_once(' ').unwrap_or_default();
    let done = done.parse().map_err(|_| {
        damaged(name, "it does not say after how many epochs it was taken, and of what")
    })?;
    Ok((done, digest.to_owned()))
}
