//! The canonical layout of a file.
//!
//! The syntax tree is printed, not the tokens, so every file with one tree gets nearly one
//! layout; the author's line breaks decide only where the rules say so (`one_line` and
//! `starts_line` in the code). What decides must come out as it went in, or formatting twice
//! would change a file again: that is why what holds braces is laid out alike whether it is
//! broken because the source is or because it did not fit.

mod body;
mod comments;
mod expr;
mod items;
mod layout;
mod nodes;

use pretty::Arena;

use crate::parse::parse;
use crate::problem::Problem;
use crate::source::Source;

use comments::Comments;
use layout::Layout;

/// The text of a file in its canonical layout: 4 spaces a level, 100 columns, all comments kept.
///
/// # Errors
/// What is wrong with the file, if it cannot be parsed.
pub fn format(source: &Source) -> Result<String, Vec<Problem>> {
    let parsed = parse(source);
    if !parsed.problems.is_empty() {
        return Err(parsed.problems);
    }
    let arena = Arena::new();
    let layout = Layout::new(&arena);
    let mut formatter = Formatter { layout, comments: Comments::new(source.text()), flat: false };
    let file = formatter.file(&parsed.file);
    Ok(Layout::print(file))
}

struct Formatter<'a, 's> {
    layout: Layout<'a>,
    comments: Comments<'s>,
    /// Whether all stands on one line, as in the interpolation of a string; comments then wait
    /// for the statement around it.
    flat: bool,
}
