//! A line of what another program wrote, as a message shows it.

/// A line with at most this many characters, and none that moves a terminal's cursor.
#[must_use]
pub(crate) fn cut(line: &str, most: usize) -> String {
    let mut shown = String::new();
    for c in line.chars().take(most) {
        match c.is_control() {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    if line.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_plain() {
        assert_eq!(cut("a\u{1b}[2Jb", 80), "a\\u{1b}[2Jb");
        assert_eq!((&*cut("äöü", 2), &*cut("äöü", 3)), ("äö…", "äöü"));
    }
}
