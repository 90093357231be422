//! What can be wrong with a recipe.

use nas_diagnostics::diagnostics;

diagnostics! {
    /// A section that no recipe has.
    Error UnknownSection [nas::recipe::unknown_section] "unknown section `{name}`" { name: String }

    /// A field that its section does not have.
    Error UnknownField [nas::recipe::unknown_field] "`{section}` has no field `{name}`" {
        section: String,
        name: String,
    }

    /// A setting that other strategies have, and not this one.
    Error OtherStrategy [nas::recipe::other_strategy] "`{setting}` is a setting of {others}, and this search is `strategy {strategy}`" {
        setting: String,
        others: String,
        strategy: String,
    }

    /// A section, a field or `minimize` more than once.
    Error Repeated [nas::recipe::repeated] "{what} is given twice" { what: String }

    /// A section of a kind that there is not.
    Error UnknownKind [nas::recipe::unknown_kind] "`{section}` cannot be `{kind}`" {
        section: String,
        kind: String,
    }

    /// A kind or a name after a section that has none.
    Error StrayKind [nas::recipe::stray_kind] "`{section}` has no kinds: nothing stands before its `{{`" {
        section: String,
    }

    /// A value of the wrong kind.
    Error WrongValue [nas::recipe::wrong_value] "`{field}` takes {expected}" {
        field: String,
        expected: String,
    }

    /// A value outside its range.
    Error OutOfRange [nas::recipe::out_of_range] "`{field}` must be {range}" {
        field: String,
        range: String,
    }

    /// A range whose low end is above its high end.
    Error EmptyRange [nas::recipe::empty_range] "nothing lies in the range of `{field}`" {
        field: String,
    }

    /// A word that is none of those that a field takes.
    Error UnknownWord [nas::recipe::unknown_word] "`{field}` cannot be `{word}`" {
        field: String,
        word: String,
    }

    /// A law of annealing that there is not.
    Error UnknownLaw [nas::recipe::unknown_law] "unknown law `{law}`" { law: String }

    /// A law after a value that does not move.
    Error StrayLaw [nas::recipe::stray_law] "`{law}` says how a value moves, and this one stays" {
        law: String,
    }

    /// A law that goes by factors with an end at zero or below.
    Error ExponentialEnd [nas::recipe::exponential_end] "`{law}` goes by factors and never reaches {end}" {
        law: String,
        end: String,
    }

    /// An argument of a law that it does not take.
    Error LawArgument [nas::recipe::law_argument] "`{law}` takes {needs}" {
        law: String,
        needs: String,
    }

    /// A setting that does nothing as long as another is what it is.
    Warning IdleSetting [nas::recipe::idle_setting] "`{setting}` does nothing without `{needs}`" {
        setting: &'static str,
        needs: &'static str,
    }

    /// A setting of other optimisers.
    Error OtherOptimizer [nas::recipe::other_optimizer] "`{setting}` is a setting of {others}, and `{section}` learns by `{optimizer}`" {
        setting: String,
        others: String,
        section: String,
        optimizer: String,
    }

    /// A warm-up of the rate that takes all epochs.
    Error LongRise [nas::recipe::long_rise] "a warm-up of {warmup} of {epochs} epochs leaves none at the full rate" {
        warmup: u32,
        epochs: u32,
    }

    /// An objective that is not computed from metrics and measures.
    Error NoFormula [nas::recipe::no_formula] "the objective cannot be computed" {}

    /// A name in an objective that is neither metric nor measure.
    Error UnknownMeasure [nas::recipe::unknown_measure] "unknown metric or measure `{name}`" { name: String }

    /// An objective of costs alone.
    Error NoMetric [nas::recipe::no_metric] "the objective does not say what a network should be good at" {}

    /// An objective that rewards cost.
    Error RewardsCost [nas::recipe::rewards_cost] "the objective rewards `{measure}`" { measure: String }

    /// An objective by which a worse score is better.
    Error WorseMetric [nas::recipe::worse_metric] "by this objective a network with {worse} `{metric}` is better" {
        worse: String,
        metric: String,
    }

    /// A warm-up that leaves no epoch for the choices.
    Error LongWarmup [nas::recipe::long_warmup] "a warm-up of {warmup} of {epochs} epochs leaves none for the choices" {
        warmup: u32,
        epochs: u32,
    }

    /// More networks to keep than are drawn.
    Error KeepsTooMany [nas::recipe::keeps_too_many] "{keep} networks are kept of {sample} that are drawn" {
        keep: u32,
        sample: u32,
    }

    /// A placeholder that a template does not know.
    Error UnknownPlaceholder [nas::recipe::unknown_placeholder] "`{field}` has no placeholder `{{{name}}}`" {
        field: String,
        name: String,
    }

    /// Scores of a command, and no command.
    Error NoCommand [nas::recipe::no_command] "networks are scored by a command, and none is given" {}

    /// An override that is not `section.field=value`.
    Error OverrideForm [nas::recipe::override_form] "`{text}` is not `section.field=value`" { text: String }
}
