//! Standard error, and the terminal that it may be. What is told there and cannot be written is no
//! failure, for there is no place left to say so.

use std::env;
use std::ffi::OsStr;
use std::fmt::Arguments;
use std::io::{self, IsTerminal, Write};

use nas_grammar::visible;

/// Tells text on standard error.
pub fn tell(text: Arguments<'_>) {
    tell_as_is(&visible(&text.to_string()));
}

/// Tells what was made for the terminal on standard error.
pub(crate) fn tell_as_is(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Whether standard error is a terminal that moves its cursor.
#[must_use]
pub fn has_cursor() -> bool {
    moves(io::stderr().is_terminal(), env::var_os("TERM").as_deref())
}

/// Whether standard error shows colours, and they are not declined.
#[must_use]
pub fn has_colours() -> bool {
    has_cursor() && !declines(env::var_os("NO_COLOR").as_deref())
}

/// Whether a stream with this `TERM` moves its cursor.
fn moves(is_terminal: bool, term: Option<&OsStr>) -> bool {
    is_terminal && term.is_none_or(|term| term != "dumb")
}

/// Whether this value of `NO_COLOR` declines colours; by the convention, any but an empty one.
fn declines(no_color: Option<&OsStr>) -> bool {
    no_color.is_some_and(|value| !value.is_empty())
}

/// Tells a line on standard error as `eprintln!` does; nothing where it cannot.
#[macro_export]
macro_rules! tell {
    ($($text:tt)*) => {
        $crate::render::terminal::tell(format_args!("{}\n", format_args!($($text)*)))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_movements_can_be_declined() {
        assert!(moves(true, None) && moves(true, Some(OsStr::new("xterm"))));
        assert!(!moves(true, Some(OsStr::new("dumb"))) && !moves(false, None));
        assert!(declines(Some(OsStr::new("1"))) && !declines(Some(OsStr::new(""))));
        assert!(!declines(None));
    }
}
