//! What everything that is written as SVG shares.

use nas_grammar::visible_name;

/// Text between tags, with what no XML may hold, and what does not show, written out.
#[must_use]
pub fn escaped(text: &str) -> String {
    let is_character = |c: char| !matches!(c, '\u{fffe}' | '\u{ffff}');
    let text: String = visible_name(text).chars().filter(|&c| is_character(c)).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn any_text_is_xml() {
        let all: String = ('\0'..=char::MAX).collect();
        let xml = format!("<text>{}</text>", escaped(&all));
        let read = roxmltree::Document::parse(&xml).unwrap();
        assert!(read.root_element().text().unwrap().starts_with("\\u{0}\\u{1}"));
    }
}
