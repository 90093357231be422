//! The figure in what a command printed. What could be read in two ways is none: a wrong latency is
//! worse than none.

use regex::{Regex, RegexBuilder};

use super::table::{TIMES, time};

/// The most figures that are named.
const NAMED: usize = 6;
/// The longest line that is shown, in characters.
const SHOWN: usize = 120;
/// What parts words, beside spaces and commas outside numbers.
const MARKS: &str = ":=();|[]{}<>\"";
/// Words that join two numbers.
const JOINS: [&str; 3] = ["to", "and", "or"];

/// A pattern of `--pattern`, which has one group: the number.
///
/// # Errors
/// It is no regular expression, or has no group or several.
pub(super) fn pattern(text: &str) -> Result<Regex, String> {
    let pattern = RegexBuilder::new(text).multi_line(true).build().map_err(|e| e.to_string())?;
    match pattern.captures_len() {
        2 => Ok(pattern),
        _ => Err("put the number, and nothing else, into parentheses: 'Median: (\\S+) ms'".into()),
    }
}

/// The milliseconds in a text: what the pattern finds; without one, the only number before `ms`, or,
/// where there is none, the last line that is a number alone.
///
/// # Errors
/// There is no such figure, there are several, or it is no time; as what a command did.
pub(super) fn milliseconds(text: &str, pattern: Option<&Regex>) -> Result<f64, String> {
    match pattern {
        Some(pattern) => matched(text, pattern),
        None => told(text),
    }
}

fn matched(text: &str, pattern: &Regex) -> Result<f64, String> {
    let found: Vec<&str> = pattern
        .captures_iter(text)
        .filter_map(|captures| captures.get(1))
        .map(|group| group.as_str().trim())
        .collect();
    match found.as_slice() {
        [] => Err("printed nothing that `--pattern` matches".to_owned()),
        [figure] => number(figure),
        several => Err(format!("printed {} texts that `--pattern` matches", several.len())),
    }
}

fn told(text: &str) -> Result<f64, String> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let alone: Vec<Vec<&str>> = lines().filter_map(numbers).collect();
    let units: Vec<(&str, Vec<Written<'_>>)> = lines()
        .map(|line| (line, before_units(line)))
        .filter(|(_, figures)| !figures.is_empty())
        .collect();
    match (units.as_slice(), alone.as_slice()) {
        ([], []) => Err("printed no number of milliseconds".to_owned()),
        ([], [.., last]) => match last.as_slice() {
            [figure] => number(figure),
            figures => Err(format!("printed {} numbers in one line", figures.len())),
        },
        ([(_, figures)], []) => match figures.as_slice() {
            [Written::Number(figure)] => number(figure),
            [Written::Several(text)] => Err(format!("printed several numbers: `{}`", cut(text))),
            figures => Err(format!("printed {} numbers in one line", figures.len())),
        },
        (units, alone) => {
            let told = units.iter().map(|(line, _)| (*line).to_owned());
            let told: Vec<String> = told.chain(alone.iter().map(|words| words.join(" "))).collect();
            let named: Vec<String> =
                told.iter().take(NAMED).map(|line| format!("`{}`", cut(line))).collect();
            let more = if told.len() > NAMED { ", …" } else { "" };
            Err(format!("printed several figures: {}{more}", named.join(", ")))
        }
    }
}

/// What stands before `ms`.
#[derive(Debug, PartialEq)]
enum Written<'t> {
    /// One word.
    Number(&'t str),
    /// Two numbers that belong together: `5.0 ± 0.3`, `1 000`.
    Several(&'t str),
}

/// What stands before each `ms` of a line, if it begins as a number does.
fn before_units(line: &str) -> Vec<Written<'_>> {
    let is_unit = |&(at, unit): &(usize, &str)| {
        let after = line.get(at + unit.len()..).unwrap_or_default();
        !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
    };
    let units = line.match_indices("ms").filter(is_unit);
    let written = units.filter_map(|(at, _)| {
        let before = line.get(..at)?.trim_end();
        let word = last_word(before);
        if !is_numeric(word) {
            return None;
        }
        let rest = before.get(..before.len() - word.len()).unwrap_or_default();
        Some(joined(rest).map_or(Written::Number(word), |start| {
            Written::Several(before.get(start..).unwrap_or_default())
        }))
    });
    written.collect()
}

/// Where a number begins that what follows this text belongs to.
fn joined(before: &str) -> Option<usize> {
    let mut rest = before.trim_end();
    loop {
        let word = last_word(rest);
        let start = rest.len() - word.len();
        if word.is_empty() {
            return None;
        }
        if is_numeric(word) {
            return Some(start);
        }
        if word.contains(char::is_alphanumeric) && !JOINS.contains(&word) {
            return None;
        }
        rest = rest.get(..start).unwrap_or_default().trim_end();
    }
}

/// The words of a line of numbers, also those with commas in them.
fn numbers(line: &str) -> Option<Vec<&str>> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_end_matches(|c| is_mark(c) || c == ',');
        if rest.is_empty() {
            words.reverse();
            return Some(words).filter(|words| !words.is_empty());
        }
        let word = last_word(rest);
        word.replace(',', "").parse::<f64>().ok()?;
        words.push(word);
        rest = rest.get(..rest.len() - word.len()).unwrap_or_default();
    }
}

fn is_mark(c: char) -> bool {
    c.is_whitespace() || MARKS.contains(c)
}

/// The end of a text up to what parts words. A comma between digits is a part of its word.
fn last_word(text: &str) -> &str {
    let mut after = ' ';
    let mut start = text.len();
    for (at, c) in text.char_indices().rev() {
        let before = text.get(..at).unwrap_or_default();
        let is_inside = after.is_ascii_digit() && before.ends_with(|c: char| c.is_ascii_digit());
        if is_mark(c) || c == ',' && !is_inside {
            break;
        }
        (after, start) = (c, at);
    }
    text.get(start..).unwrap_or_default()
}

/// Whether a word begins as a number does, or is one of the words that are read as numbers.
fn is_numeric(word: &str) -> bool {
    let digits = word.trim_start_matches(['+', '-', '.']);
    digits.starts_with(|c: char| c.is_ascii_digit()) || word.parse::<f64>().is_ok()
}

fn number(figure: &str) -> Result<f64, String> {
    let shown = cut(figure);
    let figure = figure.parse::<f64>().map_err(|_| {
        let comma = if figure.contains(',') { " (a comma is no decimal point)" } else { "" };
        format!("printed `{shown}`, which is no number{comma}")
    })?;
    match time(figure) {
        Some(_) => Ok(figure),
        None => Err(format!("printed {figure}, which is no time ({TIMES})")),
    }
}

/// A line as a message shows it.
pub(super) fn cut(line: &str) -> String {
    crate::render::line::cut(line, SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_figure_counts() {
        let good = [
            ("12.5\n", 12.5),
            ("warming up\n3 runs\n  7 ms  \nbye\n", 7.0),
            ("1\n2\n3\n", 3.0),
            ("median: 1.25ms (10 runs)", 1.25),
            ("latency=4e-1 ms", 0.4),
            ("run 1: 5 ms", 5.0),
            ("run 1, 5 ms", 5.0),
            ("took 5 ms.", 5.0),
            ("latency,5 ms", 5.0),
            ("3.2 ms/iter", 3.2),
            ("100%\n2026-11-29\n900000 ms", 900_000.0),
            ("5 frames in 20 rooms\n(3.2 ms)", 3.2),
        ];
        for (text, figure) in good {
            assert_eq!(milliseconds(text, None), Ok(figure), "{text}");
        }
    }

    #[test]
    fn other_answers_are_told_apart() {
        let bad = [
            ("", "no number"),
            ("took 12 s\n", "no number"),
            ("12 us", "no number"),
            ("1 2", "2 numbers"),
            ("1, 2", "2 numbers"),
            ("min 1 ms, max 2 ms", "2 numbers"),
            ("-3 ms", "-3, which is no time"),
            ("0", "0, which is no time"),
            ("NaN", "NaN, which"),
            ("inf ms", "inf, which"),
            ("1e9 ms", "1000000000, which is no time"),
            ("900000.1 ms", "which is no time"),
            ("1e-9", "which is no time"),
            // A comma is no decimal point, and no part of a number that is left out.
            ("3,2 ms", "`3,2`, which is no number (a comma is no decimal point)"),
            ("3,2", "`3,2`, which is no number"),
            ("took 1,000.5ms", "`1,000.5`, which is no number"),
            ("Median: 4,97 ms\n", "`4,97`, which is no number"),
            // Numbers that belong together are not the last of them.
            ("5.02 ± 0.31 ms", "several numbers: `5.02 ± 0.31`"),
            ("3.1 - 3.5 ms", "several numbers"),
            ("3 to 5 ms", "several numbers"),
            ("3.1-3.5 ms", "`3.1-3.5`, which is no number"),
            ("1 000 ms", "several numbers: `1 000`"),
            ("min/avg/max: 3.1/4.2/5.3 ms", "`3.1/4.2/5.3`, which is no number"),
            // Which of several is meant, nobody knows.
            ("Average inference time: 3.2 ms / Total time: 3200 ms", "2 numbers"),
            ("Average inference time: 3.2 ms\nTotal time: 3200 ms", "several figures"),
            ("5.1 ms\n5.2 ms\n", "several figures: `5.1 ms`, `5.2 ms`"),
            ("5.1 ms\n100\n", "several figures: `5.1 ms`, `100`"),
            ("total 10 ms, 5 ms/iter", "2 numbers"),
        ];
        for (text, why) in bad {
            let answer = milliseconds(text, None).unwrap_err();
            assert!(answer.contains(why), "{text}: {answer}");
        }
    }

    #[test]
    fn a_pattern_says_which() {
        let text = "Median: 4.97 ms\nAverage: 5.02 ms\nMin: 4.71 ms\nMax: 9.10 ms\n";
        let why = milliseconds(text, None).unwrap_err();
        assert_eq!(
            why,
            "printed several figures: `Median: 4.97 ms`, `Average: 5.02 ms`, `Min: 4.71 ms`, `Max: 9.10 ms`"
        );
        let by = |text: &str, by: &str| milliseconds(text, Some(&pattern(by).unwrap()));
        assert_eq!(by(text, r"Median: (\S+) ms"), Ok(4.97));
        assert_eq!(by(text, r"^Min:\s*([0-9.]+)"), Ok(4.71));
        assert_eq!(by("latency (ms) = 3.5", r"= (.*)$"), Ok(3.5));
        let bad = [
            (text, "Mean: (.*) ms", "nothing that `--pattern` matches"),
            (text, "M..: (.*) ms", "2 texts that"),
            ("Median: 4,97 ms", "Median: (.*) ms", "`4,97`, which is no number"),
            ("Median: -1 ms", "Median: (.*) ms", "-1, which is no time"),
        ];
        for (text, with, why) in bad {
            let answer = by(text, with).unwrap_err();
            assert!(answer.contains(why), "{text}: {answer}");
        }
        for faulty in ["(", "Median: .* ms", "(a)|(b)"] {
            assert!(pattern(faulty).is_err(), "{faulty}");
        }
    }

    #[test]
    fn long_lines_are_cut() {
        let long = format!("{} ms", "9".repeat(1 << 20));
        assert!(milliseconds(&long, None).unwrap_err().len() < 1000);
        let many = "x 5 ms\n".repeat(1 << 17);
        assert!(milliseconds(&many, None).unwrap_err().len() < 1000);
    }
}
