//! The weights to begin with, where the recipe names some: `weights_from`.

use std::path::Path;

use nas_ir::recipe::Recipe;
use nas_ir::{Network, Weights};
use nas_torch::{Beginnings, Fitting, TorchBackend};
use nasc::render::report::{Failure, counted};
use nasc::services::sources::within;
use nasc::services::weights_file;
use nasc::tell;

/// Files by name, as a run keeps them.
type Files = Vec<(String, Vec<u8>)>;

/// Reads the weights that a recipe names, from the folder of its file.
///
/// # Errors
/// A file cannot be read, or holds no weights.
pub(crate) fn read(recipe: &Recipe, folder: &Path) -> Result<(Beginnings, Files), Failure> {
    let mut files = Files::new();
    let mut weights = |name: &Option<String>| -> Result<Option<Weights>, Failure> {
        let Some(name) = name else { return Ok(None) };
        let path = folder.join(name);
        let shown = path.display().to_string();
        let bytes =
            nas_files::read(&path).map_err(|error| Failure::input(format!("{shown}: {error}")))?;
        let weights = weights_file::tensors(&bytes, &shown)?;
        let kept = within(Path::new(name));
        if !files.iter().any(|(other, _)| *other == kept) {
            files.push((kept, bytes));
        }
        Ok(Some(weights))
    };
    let Recipe { weights: supernet, retrain, .. } = recipe;
    let begins_with = Beginnings {
        weights: weights(&supernet.weights_from)?,
        retrain: weights(&retrain.training.weights_from)?,
    };
    Ok((begins_with, files))
}

/// Tells how much of what is trained begins with them: of a network, or of a search and its networks.
///
/// # Errors
/// Nothing of them fits.
pub(crate) fn tell(
    backend: &TorchBackend,
    begins_with: &Beginnings,
    network: Option<&Network>,
) -> Result<(), Failure> {
    let Beginnings { weights, retrain } = begins_with;
    let weights = weights.as_ref().filter(|_| network.is_none());
    for (section, weights) in [("weights", weights), ("retrain", retrain.as_ref())] {
        let Some(weights) = weights else { continue };
        let fitting = backend.fitting(network, weights).map_err(Failure::problem)?;
        tell!("{section}.weights_from: {}", sentence(&fitting));
    }
    Ok(())
}

/// "120 tensors taken; 2 begin fresh, such as `a.weight`; 1 of the file is not used, such as `b`".
fn sentence(Fitting { taken, fresh, unused }: &Fitting) -> String {
    let mut sentence = format!("{} taken", counted(*taken, "tensor"));
    let mut add = |what: &str, names: &[String]| {
        if let Some(first) = names.first() {
            sentence.push_str(&format!("; {} {what}, such as `{first}`", names.len()));
        }
    };
    add("not in the file begin fresh", fresh);
    add("of the file not used", unused);
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_told() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut fitting = Fitting { taken: 1, fresh: Vec::new(), unused: Vec::new() };
        assert_eq!(sentence(&fitting), "1 tensor taken");
        fitting.fresh = names(&["a.weight", "b"]);
        fitting.unused = names(&["c"]);
        assert_eq!(
            sentence(&fitting),
            "1 tensor taken; 2 not in the file begin fresh, such as `a.weight`; 1 of the file not used, such as `c`"
        );
    }
}
