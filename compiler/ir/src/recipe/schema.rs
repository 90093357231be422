//! How the settings of a recipe are declared: which there are, what values each takes, and what it
//! is where it is not given. The front end reads a `search` item against such a declaration;
//! diagnostics and the reference read the same rows.

use super::anneal::{Anneal, number};
pub use super::bounds::Bounds;

/// A search strategy, as far as recipes know of it: its name and all settings of its recipes.
/// Names are unique among those that a compiler is given.
#[derive(Debug)]
pub struct StrategySchema {
    /// The word after `strategy`.
    pub name: &'static str,
    /// What it does, with the paper that it is from.
    pub doc: &'static str,
    /// The sections of its recipes, in the order in which the reference shows them. Those that all
    /// recipes have are taken from [`super::common`], which a strategy may add fields to.
    pub sections: &'static [Section],
    /// What must hold between settings.
    pub relations: &'static [Relation],
}

impl PartialEq for StrategySchema {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// A section of a recipe.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Its name: `weights`.
    pub name: &'static str,
    /// What may stand after the name.
    pub kinds: Kinds,
    /// What it is about.
    pub doc: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

/// What may stand between a section's name and its brace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    /// Nothing.
    None,
    /// One of these words; left out, it is the first.
    OneOf(&'static [&'static str]),
    /// A word of this field of the section; it may stand there or in the braces.
    Field(&'static str),
    /// Any name; it is for people and changes nothing.
    AnyName,
    /// The name of a strategy, of which these are the settings.
    Strategy,
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name: `epochs`.
    pub name: &'static str,
    /// What values it takes, and which one where none is given.
    pub kind: Kind,
    /// What it means, with its unit.
    pub doc: &'static str,
}

/// What values a setting takes, and its default.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A whole number.
    Count {
        /// The least.
        least: u32,
        /// The greatest.
        most: u32,
        /// What it is where it is not given.
        default: CountDefault,
    },
    /// A whole number of 64 bits.
    Seed {
        /// What it is where it is not given.
        default: u64,
    },
    /// A number.
    Real {
        /// Its range.
        bounds: Bounds,
        /// What it is where it is not given.
        default: f64,
    },
    /// A number that may move over the epochs.
    Anneal {
        /// The range of both ends.
        bounds: Bounds,
        /// What it is where it is not given.
        default: Anneal,
    },
    /// `true` or `false`.
    Flag {
        /// What it is where it is not given.
        default: bool,
    },
    /// Height and width, at least 1.
    Size {
        /// What holds where it is not given, in words.
        otherwise: &'static str,
    },
    /// `low..high`.
    Range {
        /// The range of both ends.
        bounds: Bounds,
        /// What holds where it is not given, in words.
        otherwise: &'static str,
    },
    /// A path in quotes.
    Path {
        /// What it is where it is not given.
        default: &'static str,
    },
    /// A text in quotes that is not empty.
    Text {
        /// What holds where it is not given, in words.
        otherwise: &'static str,
        /// A text that it takes.
        example: &'static str,
    },
    /// A text in quotes with placeholders in braces.
    Template {
        /// The names of the placeholders that it knows.
        placeholders: &'static [&'static str],
        /// A text that it takes, as it is written.
        example: &'static str,
    },
    /// One of these words, the first where none is given.
    Word(&'static [&'static str]),
    /// Some of these words, each once, in brackets; the first alone where none is given.
    Words(&'static [&'static str]),
    /// A list of numbers, or one of these words; the first word where nothing is given.
    Numbers {
        /// The range of each number.
        bounds: Bounds,
        /// The words.
        words: &'static [&'static str],
        /// A list that it takes.
        example: &'static str,
    },
}

/// What a count is when it is not given.
#[derive(Debug, Clone, Copy)]
pub enum CountDefault {
    /// This number.
    Is(u32),
    /// What another count makes it.
    Of {
        /// In words.
        words: &'static str,
        /// Section and name of the other count.
        other: (&'static str, &'static str),
        /// From the other to this one.
        rule: fn(u32) -> u32,
    },
}

/// What must hold between two settings of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `schedule.warmup` is below `schedule.epochs`: an epoch is left for the choices.
    WarmupEnds,
    /// `derive.keep` is at most `derive.sample`.
    KeepsOfSample,
    /// `score.command` is given where `score.by = command`.
    CommandGiven,
}

impl StrategySchema {
    /// The section of this name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&'static Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// All settings, each with its section.
    pub fn fields(&self) -> impl Iterator<Item = (&'static Section, &'static Field)> + use<> {
        self.sections
            .iter()
            .flat_map(|section| section.fields.iter().map(move |field| (section, field)))
    }
}

impl Section {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Kind {
    /// The largest count or side; no training takes longer, and products of counts stay far from
    /// overflow.
    pub const MOST: u32 = 1_000_000;
    /// The longest side of a crop: a picture of such sides in floats has 768 MiB.
    pub const MOST_PIXELS: u32 = 8192;

    /// A whole number with a default.
    #[must_use]
    pub const fn count(least: u32, default: u32) -> Self {
        Self::Count { least, most: Self::MOST, default: CountDefault::Is(default) }
    }

    /// Whether it can have but one value, so that a recipe need not hold it.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Word([_]))
    }

    /// What values it takes, in words: "a whole number".
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Count { .. } | Self::Seed { .. } => "a whole number".to_owned(),
            Self::Real { .. } => "a number".to_owned(),
            Self::Anneal { .. } => "a number, or two with `->` between them and a law".to_owned(),
            Self::Flag { .. } => "`true` or `false`".to_owned(),
            Self::Size { .. } => "height and width".to_owned(),
            Self::Range { .. } => "a range of numbers".to_owned(),
            Self::Path { .. } => "a path in quotes".to_owned(),
            Self::Text { .. } | Self::Template { .. } => "a text in quotes".to_owned(),
            Self::Word(words) => quoted(words, " or "),
            Self::Words(words) => format!("a list of some of {}", quoted(words, ", ")),
            Self::Numbers { words, .. } => format!("{}, or a list of numbers", quoted(words, ", ")),
        }
    }

    /// Whether a text would be one of its values if it stood without quotes.
    #[must_use]
    pub fn takes_unquoted(&self, text: &str) -> bool {
        let is_number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
        match self {
            Self::Count { .. } | Self::Seed { .. } | Self::Size { .. } => {
                text.parse::<u64>().is_ok()
            }
            Self::Real { .. } | Self::Anneal { .. } => is_number(text),
            Self::Range { .. } => {
                text.split_once("..").is_some_and(|(low, high)| is_number(low) && is_number(high))
            }
            Self::Flag { .. } => matches!(text, "true" | "false"),
            Self::Word(words) | Self::Numbers { words, .. } => words.contains(&text),
            Self::Path { .. } | Self::Text { .. } | Self::Template { .. } | Self::Words(_) => false,
        }
    }

    /// Its range, in words; `None` where its kind says all.
    #[must_use]
    pub fn range(&self) -> Option<String> {
        match self {
            Self::Count { least, most, .. } => Some(format!("at least {least} and at most {most}")),
            Self::Seed { .. } => Some(format!("at least 0 and at most {}", u64::MAX)),
            Self::Real { bounds, .. }
            | Self::Anneal { bounds, .. }
            | Self::Numbers { bounds, .. }
            | Self::Range { bounds, .. } => Some(bounds.to_string()),
            Self::Size { .. } => Some(format!("at least 1 and at most {}", Self::MOST_PIXELS)),
            Self::Flag { .. }
            | Self::Path { .. }
            | Self::Text { .. }
            | Self::Template { .. }
            | Self::Word(_)
            | Self::Words(_) => None,
        }
    }

    /// The default as it is written, or in words where other settings make it.
    #[must_use]
    pub fn default(&self) -> String {
        match self {
            Self::Count { default: CountDefault::Of { words, .. }, .. } => (*words).to_owned(),
            Self::Size { otherwise }
            | Self::Range { otherwise, .. }
            | Self::Text { otherwise, .. } => (*otherwise).to_owned(),
            Self::Template { .. } => "nothing".to_owned(),
            _ => self.example(),
        }
    }

    /// A value that it takes: the default where that is one.
    #[must_use]
    pub fn example(&self) -> String {
        match self {
            Self::Count { least, default, .. } => match default {
                CountDefault::Is(default) => default.to_string(),
                CountDefault::Of { .. } => (*least).max(5).to_string(),
            },
            Self::Seed { default } => default.to_string(),
            Self::Real { default, .. } => number(*default),
            Self::Anneal { default, .. } => default.to_string(),
            Self::Flag { default } => default.to_string(),
            Self::Size { .. } => "(64, 64)".to_owned(),
            Self::Range { .. } => "0.5..2.0".to_owned(),
            Self::Path { default } => format!("\"{default}\""),
            Self::Text { example, .. } | Self::Template { example, .. } => {
                format!("\"{example}\"")
            }
            Self::Word(words) | Self::Numbers { words, .. } => {
                words.first().copied().unwrap_or_default().to_owned()
            }
            Self::Words(words) => format!("[{}]", words.first().copied().unwrap_or_default()),
        }
    }
}

/// Each in code quotes, with this between them.
fn quoted(words: &[&str], between: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(between)
}
