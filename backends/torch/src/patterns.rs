//! Patterns of the names of weights, such as `stem/**`.

use crate::error::TorchError;

/// Patterns, of which one must match: `*` stands for anything but a `/`, `**` for anything.
pub(crate) struct Patterns(Vec<String>);

impl Patterns {
    /// Those of a text, with commas between them.
    pub(crate) fn of(text: &str) -> Self {
        let patterns = text.split(',').map(str::trim).filter(|pattern| !pattern.is_empty());
        Self(patterns.map(str::to_owned).collect())
    }

    /// Whether one of them matches a name.
    pub(crate) fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern, name))
    }

    /// Sees that each of them matches one of these names.
    ///
    /// # Errors
    /// One matches none.
    pub(crate) fn check(&self, names: &[&str]) -> Result<(), TorchError> {
        let idle = self.0.iter().find(|pattern| !names.iter().any(|name| matches(pattern, name)));
        idle.map_or(Ok(()), |pattern| {
            let example = names.first().copied().unwrap_or_default().to_owned();
            Err(TorchError::FreezesNothing { pattern: pattern.clone(), example })
        })
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(before) else { return false };
    let (after, crosses) = match after.strip_prefix('*') {
        Some(after) => (after, true),
        None => (after, false),
    };
    let ends = (0..=name.len()).filter(|&end| name.is_char_boundary(end));
    ends.take_while(|&end| crosses || name.get(..end).is_some_and(|part| !part.contains('/')))
        .any(|end| name.get(end..).is_some_and(|rest| matches(after, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_parts_of_names() {
        let name = "unit.0/op=k3/conv.1.weight";
        for pattern in ["**", "unit.0/**", "unit.*/op=k3/conv.1.weight", "**.weight", "**/conv.*"] {
            assert!(Patterns::of(pattern).matches(name), "{pattern}");
        }
        for pattern in ["*", "unit.0", "unit.0/*", "unit.1/**", "**.bias", "*.weight"] {
            assert!(!Patterns::of(pattern).matches(name), "{pattern}");
        }
        assert!(Patterns::of("head/**, unit.0/**").matches(name));
        let error = Patterns::of("**, stem/**").check(&[name]).unwrap_err();
        let TorchError::FreezesNothing { pattern, .. } = error else { panic!("{error}") };
        assert_eq!(pattern, "stem/**");
    }
}
