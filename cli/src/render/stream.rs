//! Standard output. What names of files and of candidates hold is shown as text: nothing in it is
//! obeyed by a terminal. Output that cannot be written is a failure.

use std::fmt::{Arguments, Write as _};
use std::io::{self, Write};

use nas_grammar::visible;
use nas_grammar::visible::is_hidden;
use serde::Serialize;

use super::report::Failure;

/// Writes text to standard output.
///
/// # Errors
/// It is full or closed.
pub fn out(text: Arguments<'_>) -> Result<(), Failure> {
    write_out(&visible(&text.to_string()))
}

/// Writes bytes to standard output as they are: what was asked for is data.
///
/// # Errors
/// As [`out`].
pub fn write_out(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| unwritten(&error))
}

/// Why standard output could not be written.
pub(crate) fn unwritten(error: &io::Error) -> Failure {
    Failure::input(format!("cannot write to standard output: {error}"))
}

/// Writes a value as JSON to standard output, and a line end.
///
/// # Errors
/// As [`out`].
pub fn json(value: &impl Serialize, is_pretty: bool) -> Result<(), Failure> {
    let to_string = if is_pretty { serde_json::to_string_pretty } else { serde_json::to_string };
    let text = to_string(value).map_err(|error| Failure::input(error.to_string()))?;
    write_out(&format!("{}\n", plain_json(&text)))
}

/// JSON with what does not show as escapes, too: outside strings there is none of it.
#[must_use]
pub fn plain_json(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        // All of them are below U+10000. The layout of the text has line ends.
        if is_hidden(c) && c != '\n' {
            let _ = write!(plain, "\\u{:04x}", u32::from(c));
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Writes to standard output as `print!` does; a failure where it cannot.
#[macro_export]
macro_rules! out {
    ($($text:tt)*) => { $crate::render::stream::out(format_args!($($text)*)) };
}

/// Writes a line to standard output as `println!` does; a failure where it cannot.
#[macro_export]
macro_rules! outln {
    ($($text:tt)*) => {
        $crate::render::stream::out(format_args!("{}\n", format_args!($($text)*)))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_nothing_that_a_terminal_obeys_and_says_the_same() {
        let value = serde_json::json!({"a\u{9b}\u{7f}": ["\u{1b}[31m", "\u{202e}", "ä\n"]});
        let text = plain_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.chars().any(|c| is_hidden(c) && c != '\n'), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
