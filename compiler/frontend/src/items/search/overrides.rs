//! Settings from the command line: `--set schedule.epochs=3`.

use nas_diagnostics::Place;
use nas_grammar::ast::{ItemKind, Search, Setting};
use nas_grammar::{Problem, Source, parse};

use super::errors::OverrideForm;

/// The name of the source that a setting from the command line stands in.
pub(super) const OVERRIDES: &str = "--set";

/// A setting from the command line, parsed; it wins over the recipe's own.
///
/// It stands in a source of its own named `--set`: the setting as a `.nas` file would hold it.
#[derive(Debug, Clone)]
pub struct Override {
    pub(super) search: Search,
    pub(super) source: Source,
}

impl Override {
    /// Parses `section.field=value`, or `minimize=objective`. The value is a `.nas` expression as
    /// in a file, with the law of an annealed value after it.
    ///
    /// # Errors
    /// The text has another form, or its value does not parse.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let (key, value) = text.split_once('=').ok_or_else(|| wrong_form(text))?;
        let (key, value) = (key.trim(), value.trim());
        if value.is_empty() {
            return Err(wrong_form(text));
        }
        let setting = match key.split_once('.') {
            Some((section, field)) if is_name(section) && is_name(field) => {
                format!("{section} {{ {field} = {value} }}")
            }
            None if key == "minimize" => format!("minimize {value}"),
            _ => return Err(wrong_form(text)),
        };
        let source = Source::new(OVERRIDES, format!("search set of this {{\n    {setting}\n}}\n"));
        let parsed = parse(&source);
        if !parsed.problems.is_empty() {
            return Err(parsed.problems);
        }
        let mut items = parsed.file.items.into_iter();
        match (items.next().map(|item| item.kind), items.next()) {
            (Some(ItemKind::Search(search)), None) if is_one_setting(&search) => {
                Ok(Self { search, source })
            }
            _ => Err(wrong_form(text)),
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether no value smuggled in another setting.
fn is_one_setting(search: &Search) -> bool {
    match search.settings.as_slice() {
        [Setting::Minimize(..)] => true,
        [Setting::Section(section)] => section.kind.is_none() && section.fields.len() == 1,
        _ => false,
    }
}

fn wrong_form(text: &str) -> Vec<Problem> {
    let source = Source::new(OVERRIDES, text);
    let all = nas_grammar::ast::Span::new(0, text.len());
    let place = Place::new(&source, all, "one setting and its value are needed")
        .advice("write it as `--set schedule.epochs=3`");
    vec![OverrideForm::at(place, text)]
}
