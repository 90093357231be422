//! What a recipe is where nothing is said.

use super::{
    Adam, Anneal, CountDefault, Data, Derive, Field, Gumbel, Kind, MINIMIZE, Mixing, Recipe,
    Retrain, SECTIONS, Schedule, Section, Sgd,
};

impl Recipe {
    /// The recipe of a space whose file has no `search` item: every setting at its default.
    #[must_use]
    pub fn default_for(space: &str) -> Self {
        let mut recipe = blank(space);
        fill_fixed(&mut recipe);
        fill_computed(&mut recipe, |_, _| false);
        recipe
    }
}

/// A recipe whose values mean nothing: the table gives every one of them its default.
pub fn blank(name: &str) -> Recipe {
    let zero = Anneal::constant(0.0);
    Recipe {
        name: name.to_owned(),
        strategy: Gumbel { temperature: zero, prune_below: 0.0, mixing: Mixing::Soft },
        objective: MINIMIZE.default,
        data: Data {
            path: String::new(),
            crop: None,
            flip: false,
            scale: None,
            batch: 0,
            workers: 0,
        },
        weights: Sgd { rate: zero, momentum: 0.0, decay: 0.0 },
        choices: Adam { rate: 0.0, beta1: 0.0, beta2: 0.0, decay: 0.0 },
        schedule: Schedule { epochs: 0, warmup: 0, split: 0.0 },
        derive: Derive { sample: 0, keep: 0 },
        retrain: Retrain {
            epochs: 0,
            rate: zero,
            momentum: 0.0,
            decay: 0.0,
            batch: 0,
            drop_path: zero,
        },
        seed: 0,
    }
}

/// All settings, each with its section.
pub fn rows() -> impl Iterator<Item = (&'static Section, &'static Field)> {
    SECTIONS.iter().flat_map(|section| section.fields.iter().map(move |field| (section, field)))
}

/// Sets what has a default of its own.
pub fn fill_fixed(recipe: &mut Recipe) {
    for (_, field) in rows() {
        match &field.kind {
            Kind::Count(_, _, CountDefault::Is(default), slot) => *slot(recipe) = *default,
            Kind::Count(_, _, CountDefault::From(..), _) => {}
            Kind::Seed(default, slot) => *slot(recipe) = *default,
            Kind::Real(_, default, slot) => *slot(recipe) = *default,
            Kind::Anneal(_, default, slot) => *slot(recipe) = *default,
            Kind::Flag(default, slot) => *slot(recipe) = *default,
            Kind::Size(_, slot) => *slot(recipe) = None,
            Kind::Range(_, _, slot) => *slot(recipe) = None,
            Kind::Path(default, slot) => *slot(recipe) = (*default).to_owned(),
            Kind::Word(_, set) => set(recipe, 0),
        }
    }
}

/// Sets what other settings decide, where it is not given.
pub fn fill_computed(recipe: &mut Recipe, is_given: impl Fn(&str, &str) -> bool) {
    for (section, field) in rows() {
        if let Kind::Count(_, _, CountDefault::From(_, default), slot) = &field.kind
            && !is_given(section.name, field.name)
        {
            let value = default(recipe);
            *slot(recipe) = value;
        }
    }
}
