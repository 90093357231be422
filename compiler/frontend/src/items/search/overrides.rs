//! Settings from the command line: `--set schedule.epochs=3`.

use nas_diagnostics::Place;
use nas_grammar::ast::{Setting, Span};
use nas_grammar::{Problem, Source, parse_setting};

use super::errors::OverrideForm;

/// The name of the source that a setting from the command line stands in.
pub(super) const OVERRIDES: &str = "--set";

/// A setting from the command line, parsed; it wins over the recipe's own.
#[derive(Debug, Clone)]
pub struct Override {
    pub(super) setting: Setting,
    /// The text, under the name `--set`.
    pub(super) source: Source,
}

impl Override {
    /// Parses `section.field=value`, `minimize=formula` or `maximize=formula`. The value is a `.nas` expression as
    /// in a file, with the law of an annealed value after it.
    ///
    /// # Errors
    /// The text has another form, or its value does not parse.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let source = Source::new(OVERRIDES, text);
        match parse_setting(&source) {
            Ok(setting) => Ok(Self { setting, source }),
            // What is wrong with a value is best said by the parser.
            Err(misread) if value(text).is_some_and(|start| misread.at >= start) => {
                Err(vec![misread.problem])
            }
            Err(_) => Err(vec![wrong_form(&source)]),
        }
    }
}

/// Where the value begins, if there is one.
fn value(text: &str) -> Option<usize> {
    let start = text.find('=')? + 1;
    let is_given = text.get(start..).is_some_and(|value| !value.trim().is_empty());
    is_given.then_some(start)
}

fn wrong_form(source: &Source) -> Problem {
    let text = source.text();
    let place =
        Place::new(source, Span::new(0, text.len()), "one setting and its value are needed")
            .advice("write it as `--set schedule.epochs=3`");
    OverrideForm::at(place, text.to_string())
}
