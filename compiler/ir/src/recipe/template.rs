//! Texts with places that are filled in later: a command line of the user's, for one network after another.

use std::fmt;

use serde::{Serialize, Serializer};

/// A text with placeholders. It prints, and serialises, as it is written in a string of the language:
/// `python train.py --arch {json}`, and a brace of its own as `\{`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    parts: Vec<Part>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text that stays as it is.
    Text(String),
    /// The name of what is filled in.
    Placeholder(&'static str),
}

impl Template {
    /// The template of these parts, in order; texts that follow each other are one.
    #[must_use]
    pub fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        let mut joined: Vec<Part> = Vec::new();
        for part in parts {
            match (joined.last_mut(), part) {
                (Some(Part::Text(last)), Part::Text(text)) => last.push_str(&text),
                (_, part) => joined.push(part),
            }
        }
        Self { parts: joined }
    }

    /// Its parts, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether something of this name is filled in.
    #[must_use]
    pub fn has(&self, placeholder: &str) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Placeholder(name) if *name == placeholder))
    }

    /// Whether it holds nothing but space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(text) if text.trim().is_empty()))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => f.write_str(&text.replace('\\', "\\\\").replace('{', "\\{"))?,
                Part::Placeholder(name) => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_prints_as_it_is_written() {
        let text = |text: &str| Part::Text(text.to_owned());
        let template = Template::new(vec![text("a{b}\\ "), Part::Placeholder("json"), text(" c")]);
        assert_eq!(template.to_string(), r"a\{b}\\ {json} c");
        assert!(template.has("json") && !template.has("onnx") && !template.is_blank());
        assert!(Template::new([text("  ")]).is_blank());
        assert_eq!(Template::new([text("a"), text("b")]), Template::new([text("ab")]));
    }
}
