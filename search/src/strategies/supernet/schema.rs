//! What networks have in common: the setting `transforms` of the section `schedule`.

use nas_ir::recipe::common::SCHEDULE;
use nas_ir::recipe::schema::{Field, Kind};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::shared::Sharing;

/// Whether smaller kernels have matrices; a field of the section `schedule` of a supernet.
pub(super) const TRANSFORMS: Field = Field {
    name: "transforms",
    kind: Kind::Flag { default: false },
    doc: "whether a smaller elastic kernel is the centre of the next larger one times a matrix that learns, one for each \
          operator and size, which begins as the identity (once-for-all, Cai et al. 2020, section 3.3). Without it a smaller \
          kernel is the centre of a larger one",
};

/// What the networks of a recipe have in common.
pub(in crate::strategies) fn sharing(recipe: &Recipe) -> Result<Sharing, NoSetting> {
    Ok(Sharing { transforms: recipe.settings.flag(SCHEDULE, TRANSFORMS.name)? })
}
