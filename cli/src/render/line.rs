//! A line of what another program wrote, as a message shows it.

use nas_grammar::visible_name;

/// A line of at most this many characters, those that do not show written out.
#[must_use]
pub(crate) fn cut(line: &str, most: usize) -> String {
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", visible_name(line.get(..end).unwrap_or_default())),
        None => visible_name(line).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_plain() {
        assert_eq!(cut("a\u{1b}[2J\u{202e}b", 80), "a\\u{1b}[2J\\u{202e}b");
        assert_eq!((&*cut("äöü", 2), &*cut("äöü", 3)), ("äö…", "äöü"));
    }
}
