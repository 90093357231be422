//! A recipe as `recipe.json` holds it: every setting with its value, section by section.

use nas_ir::recipe::common::{DATA, LOSS, METRICS, RETRAIN, SCHEDULE, STRATEGY, WEIGHTS};
use nas_ir::recipe::{Recipe, schema};
use serde::Serialize;
use serde_json::{Map, Value};

use super::layout::{damaged, names};
use crate::error::RunError;

/// The strategy of a recipe that names none: the layout is older than any other strategy.
const UNNAMED: &str = "gumbel";
/// The key of the name of a strategy, among its settings.
const NAME: &str = "name";

/// The recipe as it is written. A setting that can have but one value is left out.
pub(super) fn written(recipe: &Recipe) -> Result<Value, RunError> {
    let mut all = Map::new();
    all.insert(NAME.to_owned(), Value::from(recipe.name.as_str()));
    for section in recipe.strategy.sections {
        all.insert(section.name.to_owned(), Value::Object(fields(recipe, section)?));
        if section.name == STRATEGY {
            all.insert("objective".to_owned(), json(&recipe.objective)?);
        }
    }
    all.insert("seed".to_owned(), Value::from(recipe.seed));
    Ok(Value::Object(all))
}

/// The strategy of a recipe as it was written.
pub(super) fn strategy(written: &Value) -> String {
    let name = written.get(STRATEGY).and_then(|section| section.get(NAME)?.as_str());
    name.unwrap_or(UNNAMED).to_owned()
}

/// The settings of a section: those of all recipes, then those of the strategy.
fn fields(recipe: &Recipe, section: &schema::Section) -> Result<Map<String, Value>, RunError> {
    let common = match section.name {
        name if name == DATA.name => json(&recipe.data)?,
        name if name == WEIGHTS.name => json(&recipe.weights)?,
        name if name == LOSS.name => json(&recipe.loss)?,
        name if name == METRICS.name => json(&recipe.metrics)?,
        name if name == RETRAIN.name => json(&recipe.retrain)?,
        SCHEDULE => json(&recipe.schedule)?,
        _ => Value::Null,
    };
    let mut fields = if let Value::Object(common) = common { common } else { Map::new() };
    if section.name == STRATEGY && recipe.strategy.name != UNNAMED {
        fields.insert(NAME.to_owned(), Value::from(recipe.strategy.name));
    }
    for field in section.fields {
        if let Some(value) = recipe.settings.get(section.name, field.name) {
            fields.insert(field.name.to_owned(), json(value)?);
        }
    }
    Ok(fields)
}

fn json(value: &impl Serialize) -> Result<Value, RunError> {
    serde_json::to_value(value).map_err(|e| damaged(names::RECIPE, e))
}
