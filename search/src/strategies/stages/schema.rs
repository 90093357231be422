//! Which decisions open later: the setting `shrink` of the section `schedule`.

use nas_ir::recipe::common::SCHEDULE;
use nas_ir::recipe::schema::{Field, Kind};
use nas_ir::recipe::{NoSetting, Recipe};

/// Which decisions open later; a field of the section `schedule` of a supernet.
pub(in crate::strategies) const SHRINK: Field = Field {
    name: "shrink",
    kind: Kind::Text {
        otherwise: "all decisions are open from the start",
        example: "kernel, depth, expand",
    },
    doc: "labels of decisions that open one after the other (progressive shrinking, Cai et al. 2020, section 3.3). \
          The epochs are divided evenly: in the first part all of these decisions take what they take in the largest \
          network, the one of most MACs; in the next those of the first label are open, then those of the second too, \
          until in the last part all are. As long as one is closed, the networks need not keep the requirements",
};

/// The labels that open one after the other; none of a recipe whose strategy has no such setting.
pub(in crate::strategies) fn labels(recipe: &Recipe) -> Result<Vec<String>, NoSetting> {
    if recipe.settings.get(SCHEDULE, SHRINK.name).is_none() {
        return Ok(Vec::new());
    }
    let text = recipe.settings.text(SCHEDULE, SHRINK.name)?.unwrap_or_default();
    let labels = text.split(',').map(str::trim).filter(|label| !label.is_empty());
    Ok(labels.map(str::to_owned).collect())
}
