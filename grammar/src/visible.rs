//! Text of files as it can be shown: what a terminal would obey, or would not show, is written out.

use std::borrow::Cow;

/// Whether a character does something else than show: it moves a cursor, starts a command of a
/// terminal, or changes the order in which what is beside it is read.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

/// Text of several lines, in which what does not show is written as `\u{1b}`; line ends and tabs
/// stay.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_hidden(c) && c != '\n' && c != '\t')
}

/// A name, which stands in one line: as [`visible`], and line ends and tabs are written out too.
#[must_use]
pub fn visible_name(name: &str) -> Cow<'_, str> {
    escaped(name, is_hidden)
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_escaped(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(visible("a\u{1b}[31mb\u{9b}1m\r\n\tc"), "a\\u{1b}[31mb\\u{9b}1m\\u{d}\n\tc");
        assert_eq!(visible_name("a\n\tb\u{202e}c\u{7f}"), "a\\u{a}\\u{9}b\\u{202e}c\\u{7f}");
        assert!(matches!(visible("plain, ä 好 …\n"), Cow::Borrowed(_)));
    }
}
