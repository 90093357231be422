//! What can be wrong with a recipe.

use nas_diagnostics::diagnostics;

diagnostics! {
    /// A section that no recipe has.
    error UnknownSection [nas::recipe::unknown_section] "unknown section `{name}`" { name: String }

    /// A field that its section does not have.
    error UnknownField [nas::recipe::unknown_field] "`{section}` has no field `{name}`" {
        section: String,
        name: String,
    }

    /// A setting that other strategies have, and not this one.
    error OtherStrategy [nas::recipe::other_strategy] "`{setting}` is a setting of {others}, and this search is `strategy {strategy}`" {
        setting: String,
        others: String,
        strategy: String,
    }

    /// A section, a field or `minimize` more than once.
    error Repeated [nas::recipe::repeated] "{what} is given twice" { what: String }

    /// A section of a kind that there is not.
    error UnknownKind [nas::recipe::unknown_kind] "`{section}` cannot be `{kind}`" {
        section: String,
        kind: String,
    }

    /// A kind or a name after a section that has none.
    error StrayKind [nas::recipe::stray_kind] "`{section}` has no kinds: nothing stands before its `{{`" {
        section: String,
    }

    /// A value of the wrong kind.
    error WrongValue [nas::recipe::wrong_value] "`{field}` takes {expected}" {
        field: String,
        expected: String,
    }

    /// A value outside its range.
    error OutOfRange [nas::recipe::out_of_range] "`{field}` must be {range}" {
        field: String,
        range: String,
    }

    /// A range whose low end is above its high end.
    error EmptyRange [nas::recipe::empty_range] "nothing lies in the range of `{field}`" {
        field: String,
    }

    /// A word that is none of those that a field takes.
    error UnknownWord [nas::recipe::unknown_word] "`{field}` cannot be `{word}`" {
        field: String,
        word: String,
    }

    /// A law of annealing that there is not.
    error UnknownLaw [nas::recipe::unknown_law] "unknown law `{law}`" { law: String }

    /// A law after a value that does not move.
    error StrayLaw [nas::recipe::stray_law] "`{law}` says how a value moves, and this one stays" {
        law: String,
    }

    /// An exponential with an end at zero or below.
    error ExponentialEnd [nas::recipe::exponential_end] "an exponential never reaches {end}" {
        end: String,
    }

    /// An objective that is not a sum of multiples.
    error NotLinear [nas::recipe::not_linear] "the objective is not `cross_entropy + factor * measure`" {}

    /// A name in an objective that is no measure.
    error UnknownMeasure [nas::recipe::unknown_measure] "unknown measure `{name}`" { name: String }

    /// An objective without the task loss.
    error NoCrossEntropy [nas::recipe::no_cross_entropy] "the objective does not minimise `cross_entropy`" {}

    /// An objective with two measures.
    error TwoMeasures [nas::recipe::two_measures] "the objective weighs two measures" {}

    /// A constant in an objective.
    error ConstantTerm [nas::recipe::constant_term] "a constant in the objective changes nothing" {}

    /// An objective that rewards cost.
    error RewardsCost [nas::recipe::rewards_cost] "the objective rewards `{measure}`" { measure: String }

    /// A warm-up that leaves no epoch for the choices.
    error LongWarmup [nas::recipe::long_warmup] "a warm-up of {warmup} of {epochs} epochs leaves none for the choices" {
        warmup: u32,
        epochs: u32,
    }

    /// More networks to keep than are drawn.
    error KeepsTooMany [nas::recipe::keeps_too_many] "{keep} networks are kept of {sample} that are drawn" {
        keep: u32,
        sample: u32,
    }

    /// An override that is not `section.field=value`.
    error OverrideForm [nas::recipe::override_form] "`{text}` is not `section.field=value`" { text: String }
}
