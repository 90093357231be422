//! What cannot be opened label by label: decisions that there are not, or more parts than there are epochs.

use miette::{Diagnostic, SourceSpan};
use nas_diagnostics::nearest;
use nas_grammar::Source;
use nas_ir::recipe::{NoSetting, Recipe};
use nas_ir::{Decision, Space};
use thiserror::Error;

use super::schema::labels;
use crate::error::Refusal;

/// A setting `shrink` that makes no stages.
#[derive(Debug, Error, Diagnostic)]
#[error("`schedule.shrink = \"{written}\"` cannot be done: {why}")]
#[diagnostic(code(nas::search::shrink))]
struct NoStages {
    written: String,
    why: String,
    #[source_code]
    file: Source,
    #[label("this decision is called `{called}`")]
    at: Option<SourceSpan>,
    called: String,
    #[help]
    help: String,
}

/// What of the setting `shrink` of a recipe cannot be done in a space.
pub(in crate::strategies) fn refused(
    space: &Space,
    recipe: &Recipe,
) -> Result<Vec<Refusal>, NoSetting> {
    let labels = labels(recipe)?;
    let mut refused = Vec::new();
    for (place, label) in labels.iter().enumerate() {
        let (why, help) = if labels.iter().take(place).any(|before| before == label) {
            (format!("`{label}` stands there twice"), "name each label once".to_owned())
        } else if space.decisions.iter().all(|decision| decision.label != *label) {
            (format!("no decision of `{}` is called `{label}`", space.name), known(space, label))
        } else {
            continue;
        };
        refused.push(refusal(space, &labels, label, why, help));
    }
    let (parts, epochs) = (labels.len() + 1, recipe.schedule.epochs);
    if let Some(label) = labels.first().filter(|_| parts > epochs as usize) {
        let why = format!("it makes {parts} parts of {epochs} epochs");
        let help = format!("write `schedule {{ epochs = {parts} }}` at least, or fewer labels");
        refused.push(refusal(space, &labels, label, why, help));
    }
    Ok(refused)
}

fn refusal(space: &Space, labels: &[String], label: &str, why: String, help: String) -> Refusal {
    let of = |name: &str| space.decisions.iter().find(|decision| decision.label == name);
    let near = nearest(label, space.decisions.iter().map(|decision| decision.label.as_str()));
    let shown = of(label).or(near.and_then(of)).or(space.decisions.first());
    let origin = shown.and_then(|shown: &Decision| space.origin(shown.origin));
    let file = origin.and_then(|origin| space.origins.sources.get(origin.source)).cloned();
    let file = file.unwrap_or_else(|| Source::new("", ""));
    let at = origin.map(|origin| origin.span.into());
    let called = shown.map(|shown| shown.label.clone()).unwrap_or_default();
    Refusal::new(NoStages { written: labels.join(", "), why, file, at, called, help })
}

/// Which labels there are.
fn known(space: &Space, label: &str) -> String {
    let mut all: Vec<&str> = Vec::new();
    for decision in &space.decisions {
        if !all.contains(&decision.label.as_str()) {
            all.push(&decision.label);
        }
    }
    match nearest(label, all.iter().copied()) {
        Some(near) => format!("write `{near}`"),
        None if all.is_empty() => "leave it out: there is nothing to decide".to_owned(),
        None => {
            let all: Vec<String> = all.iter().map(|label| format!("`{label}`")).collect();
            format!("its decisions are called {}", all.join(", "))
        }
    }
}
