//! The values of settings, by name.

use miette::Diagnostic;
use nas_grammar::Source;
use nas_grammar::ast::Span;
use serde::Serialize;
use thiserror::Error;

use super::anneal::Anneal;
use super::optimizer::{OPTIMIZER, Optimizer};
use super::patience::{MIN_DELTA, PATIENCE, Patience};
use super::schema::{CountDefault, Field, Kind, StrategySchema};
use super::template::Template;

/// The value of a setting. It serialises as what it holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Of [`Kind::Count`].
    Count(u32),
    /// Of [`Kind::Seed`].
    Seed(u64),
    /// Of [`Kind::Real`].
    Real(f64),
    /// Of [`Kind::Anneal`].
    Anneal(Anneal),
    /// Of [`Kind::Flag`].
    Flag(bool),
    /// Height and width, of [`Kind::Size`]; `None` where it is not given.
    Size(Option<[u32; 2]>),
    /// The low and the high end, of [`Kind::Range`]; `None` where it is not given.
    Range(Option<[f64; 2]>),
    /// Of [`Kind::Path`].
    Path(String),
    /// Of [`Kind::Text`]; `None` where it is not given.
    Text(Option<String>),
    /// Of [`Kind::Template`]; `None` where it is not given.
    Template(Option<Template>),
    /// Of [`Kind::Word`], or the word of a [`Kind::Numbers`].
    Word(&'static str),
    /// Of [`Kind::Words`].
    Words(Vec<&'static str>),
    /// Of [`Kind::Numbers`].
    Numbers(Vec<f64>),
}

/// A setting that whoever reads a recipe does not find, or not with a value of its kind: reader and
/// schema disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Diagnostic)]
#[error("the setting `{section}.{field}` has no value that fits")]
#[diagnostic(
    code(nas::internal::setting),
    help("this is a fault of nasc; please report it with the recipe")
)]
pub struct NoSetting {
    /// The section.
    pub section: &'static str,
    /// The field in it.
    pub field: &'static str,
}

/// A setting with its value.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    section: &'static str,
    field: &'static str,
    value: Value,
}

/// Values of settings, by section and field. Those of the same values are equal wherever they are written.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    rows: Vec<Row>,
    /// Where those are written that are.
    places: Vec<Written>,
}

/// Where a setting is written.
#[derive(Debug, Clone)]
struct Written {
    section: &'static str,
    field: &'static str,
    at: (Source, Span),
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl Settings {
    /// All settings of a schema, each at its default.
    ///
    /// # Errors
    /// A default is computed from a setting that the schema does not have.
    pub fn defaults(schema: &StrategySchema) -> Result<Self, NoSetting> {
        let mut settings = Self::default();
        settings.complete(schema)?;
        Ok(settings)
    }

    /// Gives each setting of a schema that has no value its default; those that are computed from
    /// other settings come last.
    ///
    /// # Errors
    /// A default is computed from a setting that the schema does not have.
    pub fn complete(&mut self, schema: &StrategySchema) -> Result<(), NoSetting> {
        let missing = schema.fields().filter(|(section, field)| {
            !field.kind.is_settled() && self.get(section.name, field.name).is_none()
        });
        let missing: Vec<(&'static str, &'static Field)> =
            missing.map(|(section, field)| (section.name, field)).collect();
        let mut computed = Vec::new();
        for (section, field) in missing {
            let optimizer = self.word(section, OPTIMIZER.name, &Optimizer::NAMED);
            let kind = optimizer.map_or(field.kind, |optimizer| optimizer.kind(field));
            match fixed(&kind) {
                Ok(value) => self.set(section, field.name, value),
                Err(other) => computed.push((section, field.name, other)),
            }
        }
        for (section, field, ((from, name), rule)) in computed {
            let value = rule(self.count(from, name)?);
            self.set(section, field, Value::Count(value));
        }
        Ok(())
    }

    /// Gives a setting a value, in place of the one that it has.
    pub fn set(&mut self, section: &'static str, field: &'static str, value: Value) {
        let row = self.rows.iter_mut().find(|row| (row.section, row.field) == (section, field));
        match row {
            Some(row) => row.value = value,
            None => self.rows.push(Row { section, field, value }),
        }
    }

    /// Notes where a setting is written, in place of where it was before.
    pub fn write_at(&mut self, section: &'static str, field: &'static str, at: (Source, Span)) {
        self.places.retain(|written| (written.section, written.field) != (section, field));
        self.places.push(Written { section, field, at });
    }

    /// Where a setting is written, if it is.
    #[must_use]
    pub fn place(&self, section: &str, field: &str) -> Option<&(Source, Span)> {
        let mut places = self.places.iter();
        places.find_map(|written| {
            ((written.section, written.field) == (section, field)).then_some(&written.at)
        })
    }

    /// The value of a setting.
    #[must_use]
    pub fn get(&self, section: &str, field: &str) -> Option<&Value> {
        let row = self.rows.iter().find(|row| (row.section, row.field) == (section, field));
        row.map(|row| &row.value)
    }

    /// Without the settings of which this holds.
    #[must_use]
    pub fn without(mut self, is_other: impl Fn(&str, &str) -> bool) -> Self {
        self.rows.retain(|row| !is_other(row.section, row.field));
        self
    }

    fn read<T>(
        &self,
        section: &'static str,
        field: &'static str,
        value: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, NoSetting> {
        self.get(section, field).and_then(value).ok_or(NoSetting { section, field })
    }

    /// The value of a [`Kind::Count`].
    ///
    /// # Errors
    /// There is none, or one of another kind; so too below.
    pub fn count(&self, section: &'static str, field: &'static str) -> Result<u32, NoSetting> {
        let value = |value: &Value| if let Value::Count(n) = value { Some(*n) } else { None };
        self.read(section, field, value)
    }

    /// The value of a [`Kind::Seed`].
    ///
    /// # Errors
    /// As [`Settings::count`].
    pub fn seed(&self, section: &'static str, field: &'static str) -> Result<u64, NoSetting> {
        let value = |value: &Value| if let Value::Seed(n) = value { Some(*n) } else { None };
        self.read(section, field, value)
    }

    /// The value of a [`Kind::Real`].
    ///
    /// # Errors
    /// As [`Settings::count`].
    pub fn real(&self, section: &'static str, field: &'static str) -> Result<f64, NoSetting> {
        let value = |value: &Value| if let Value::Real(x) = value { Some(*x) } else { None };
        self.read(section, field, value)
    }

    /// The value of a [`Kind::Anneal`].
    ///
    /// # Errors
    /// As [`Settings::count`].
    pub fn anneal(&self, section: &'static str, field: &'static str) -> Result<Anneal, NoSetting> {
        let value = |value: &Value| if let Value::Anneal(a) = value { Some(*a) } else { None };
        self.read(section, field, value)
    }

    /// The values of [`PATIENCE`] and [`MIN_DELTA`] in a section.
    ///
    /// # Errors
    /// As [`Settings::count`].
    pub fn patience(&self, section: &'static str) -> Result<Patience, NoSetting> {
        let epochs = self.count(section, PATIENCE.name)?;
        Ok(Patience { epochs, min_delta: self.real(section, MIN_DELTA.name)? })
    }

    /// The value of a [`Kind::Flag`].
    ///
    /// # Errors
    /// As [`Settings::count`].
    pub fn flag(&self, section: &'static str, field: &'static str) -> Result<bool, NoSetting> {
        let value = |value: &Value| if let Value::Flag(flag) = value { Some(*flag) } else { None };
        self.read(section, field, value)
    }

    /// The value of a [`Kind::Size`].
    ///
    /// # Errors
    /// As [`Settings::count`].
    pub fn size(
        &self,
        section: &'static str,
        field: &'static str,
    ) -> Result<Option<[u32; 2]>, NoSetting> {
        let value = |value: &Value| if let Value::Size(size) = value { Some(*size) } else { None };
        self.read(section, field, value)
    }

    /// The value of a [`Kind::Range`].
    ///
    /// # Errors
    /// As [`Settings::count`].
    pub fn range(
        &self,
        section: &'static str,
        field: &'static str,
    ) -> Result<Option<[f64; 2]>, NoSetting> {
        let value = |value: &Value| if let Value::Range(ends) = value { Some(*ends) } else { None };
        self.read(section, field, value)
    }

    /// The value of a [`Kind::Path`].
    ///
    /// # Errors
    /// As [`Settings::count`].
    pub fn path(&self, section: &'static str, field: &'static str) -> Result<String, NoSetting> {
        let value =
            |value: &Value| if let Value::Path(path) = value { Some(path.clone()) } else { None };
        self.read(section, field, value)
    }

    /// The value of a [`Kind::Text`].
    ///
    /// # Errors
    /// As [`Settings::count`].
    pub fn text(
        &self,
        section: &'static str,
        field: &'static str,
    ) -> Result<Option<String>, NoSetting> {
        let value =
            |value: &Value| if let Value::Text(text) = value { Some(text.clone()) } else { None };
        self.read(section, field, value)
    }

    /// The value of a [`Kind::Template`].
    ///
    /// # Errors
    /// As [`Settings::count`].
    pub fn template(
        &self,
        section: &'static str,
        field: &'static str,
    ) -> Result<Option<Template>, NoSetting> {
        let value = |value: &Value| {
            if let Value::Template(template) = value { Some(template.clone()) } else { None }
        };
        self.read(section, field, value)
    }

    /// What a [`Kind::Word`] names, by a list of words and what each of them names.
    ///
    /// # Errors
    /// As [`Settings::count`], or the list lacks the word.
    pub fn word<T: Copy>(
        &self,
        section: &'static str,
        field: &'static str,
        named: &[(&str, T)],
    ) -> Result<T, NoSetting> {
        self.read(section, field, |value| {
            let Value::Word(word) = value else { return None };
            named.iter().find(|(name, _)| name == word).map(|(_, named)| *named)
        })
    }

    /// What [`Kind::Words`] name, in the order in which they are written.
    ///
    /// # Errors
    /// As [`Settings::word`].
    pub fn words<T: Copy>(
        &self,
        section: &'static str,
        field: &'static str,
        named: &[(&str, T)],
    ) -> Result<Vec<T>, NoSetting> {
        self.read(section, field, |value| {
            let Value::Words(words) = value else { return None };
            let of = |word: &&str| named.iter().find(|(name, _)| name == word).map(|(_, of)| *of);
            words.iter().map(of).collect()
        })
    }
}

/// A default that is computed: from which setting, and how.
type Computed = ((&'static str, &'static str), fn(u32) -> u32);

/// The default of a setting, where no other setting decides it.
fn fixed(kind: &Kind) -> Result<Value, Computed> {
    Ok(match *kind {
        Kind::Count { default: CountDefault::Is(default), .. } => Value::Count(default),
        Kind::Count { default: CountDefault::Of { other, rule, .. }, .. } => {
            return Err((other, rule));
        }
        Kind::Seed { default } => Value::Seed(default),
        Kind::Real { default, .. } => Value::Real(default),
        Kind::Anneal { default, .. } => Value::Anneal(default),
        Kind::Flag { default } => Value::Flag(default),
        Kind::Size { .. } => Value::Size(None),
        Kind::Range { .. } => Value::Range(None),
        Kind::Path { default } => Value::Path(default.to_owned()),
        Kind::Text { .. } => Value::Text(None),
        Kind::Template { .. } => Value::Template(None),
        Kind::Word(words) | Kind::Numbers { words, .. } => {
            Value::Word(words.first().copied().unwrap_or_default())
        }
        Kind::Words(words) => Value::Words(words.first().copied().into_iter().collect()),
    })
}
