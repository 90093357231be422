//! Names that were probably meant.

use nas_grammar::source::At;
use nas_grammar::{Fix, Help};

/// No longer name is mistaken for another, as comparing takes the product of the lengths.
const LONGEST_WORD: usize = 64;

/// The name that was probably meant: near in spelling, at most a third of the letters of the
/// longer name away.
#[must_use]
pub fn nearest<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let is_word = |name: &str| name.len() <= LONGEST_WORD;
    among
        .into_iter()
        .filter(|candidate| is_word(name) && is_word(candidate))
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        .filter(|&(distance, candidate)| {
            distance > 0 && distance <= length.max(candidate.chars().count()) / 3
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Names that have a word in common with another, or are like it in spelling, the most alike first.
#[must_use]
pub fn similar<'a>(name: &str, among: &[&'a str]) -> Vec<&'a str> {
    const MOST: usize = 4;
    const LIKENESS: f64 = 0.8;
    let shares_word = |known: &str| known.split('_').any(|word| name.split('_').any(|n| n == word));
    let likeness = |known: &str| {
        let spelling = strsim::jaro_winkler(name, known);
        if shares_word(known) { 1.0 + spelling } else { spelling }
    };
    let is_word = |name: &str| name.len() <= LONGEST_WORD;
    let near = among.iter().copied().filter(|known| is_word(name) && is_word(known));
    let mut near: Vec<(f64, &str)> = near.map(|known| (likeness(known), known)).collect();
    near.retain(|(likeness, _)| *likeness >= LIKENESS);
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.into_iter().take(MOST).map(|(_, known)| known).collect()
}

/// The name that was probably meant, and all that there are, in words.
pub fn did_you_mean(name: &str, among: &[impl AsRef<str>], lead: &str) -> String {
    match nearest(name, among.iter().map(AsRef::as_ref)) {
        Some(near) => format!("did you mean `{near}`?{}", others(among)),
        None => format!("{lead} {}", listed(among)),
    }
}

/// The name that was probably meant in place of the one that stands there, and all that there are.
pub fn suggested(at: At<'_>, name: &str, among: &[impl AsRef<str>], lead: &str) -> Help {
    match nearest(name, among.iter().map(AsRef::as_ref)) {
        Some(near) => Fix::meant(at, near).and(others(among)).into(),
        None => Help::advice(format!("{lead} {}", listed(among))),
    }
}

/// What to do about something that is there twice: if both are the same, the second one goes.
pub fn one_of(first: At<'_>, again: At<'_>) -> Help {
    let words = "remove one of them";
    if first.text() == again.text() {
        Fix::remove_line(again, |_| words.to_owned()).into()
    } else {
        Help::advice(words)
    }
}

/// What a name is one of, if it is not the only one.
fn others(names: &[impl AsRef<str>]) -> String {
    if names.len() == 1 { String::new() } else { format!(" There are {}", listed(names)) }
}

/// Names in a sentence; of many, the first.
pub fn listed(names: &[impl AsRef<str>]) -> String {
    const MOST: usize = 16;
    let shown = names.iter().take(MOST).map(|name| format!("`{}`", name.as_ref()));
    let mut shown: Vec<String> = shown.collect();
    if names.len() > MOST {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{nearest, similar};

    #[test]
    fn names_are_similar_by_a_word_or_by_spelling() {
        let known = ["avg_pool", "batch_norm", "max_pool", "max_unpool", "relu"];
        assert_eq!(similar("stochastic_pool", &known), ["avg_pool", "max_pool"]);
        assert_eq!(similar("batchify", &known), ["batch_norm"]);
        assert!(similar("fourier", &known).is_empty());
    }

    #[test]
    fn only_near_names_are_suggested() {
        assert_eq!(nearest("stirde", ["stride", "kernel"]), Some("stride"));
        assert_eq!(nearest("foo", ["stride", "kernel"]), None);
    }

    #[test]
    fn a_third_of_the_letters_is_rounded_down() {
        assert_eq!(nearest("ot", ["op", "out"]), Some("out"));
        assert_eq!(nearest("y", ["x"]), None);
        assert_eq!(nearest("conf", ["conv"]), Some("conv"));
        assert_eq!(nearest("core", ["conv"]), None);
    }
}
