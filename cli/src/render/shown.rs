//! A diagnostic as a terminal can show it: wide lines cut around what is marked in them, long marks
//! at their first line, and what does not show written out.

use std::error::Error;
use std::fmt;

use miette::{Diagnostic, LabeledSpan, MietteError, MietteSpanContents, Severity, SourceCode};
use miette::{SourceSpan, SpanContents};
use nas_grammar::{Source, visible, visible_name};

/// The widest line that is shown whole, in characters; renderers count columns in 16 bits.
const WIDEST: usize = 200;
/// How many bytes of a wider line are shown before and after each end of a mark.
const NEAR: usize = 60;
/// The most places of a line that are shown.
const MOST_PLACES: usize = 40;
/// The most lines that one mark spans.
const MOST_LINES: usize = 12;
/// The most lines between marks that are shown.
const STRETCH: usize = 24;
/// The longest word of a message that is shown whole, in characters.
const LONGEST_WORD: usize = 400;
/// Where something is left out.
const CUT: char = '…';

/// A diagnostic for a terminal.
#[derive(Debug)]
pub(super) struct Shown {
    title: String,
    code: Option<String>,
    severity: Option<Severity>,
    help: Option<String>,
    excerpt: Option<Excerpt>,
    labels: Option<Vec<LabeledSpan>>,
    related: Vec<Shown>,
    cause: Option<Box<Shown>>,
}

impl Shown {
    /// A diagnostic, whose places are in its own file.
    pub(super) fn of(problem: &dyn Diagnostic) -> Self {
        Self::within(problem, None)
    }

    /// One that is related to another, whose places may be in the other's file.
    fn within(problem: &dyn Diagnostic, outer: Option<&dyn SourceCode>) -> Self {
        let code = problem.source_code().or(outer);
        let labels = problem.labels().map(Iterator::collect::<Vec<_>>);
        let read = code.zip(labels.clone()).and_then(|(code, labels)| Excerpt::of(code, &labels));
        let (excerpt, labels) = match read {
            Some((excerpt, labels)) => (Some(excerpt), Some(labels)),
            None => (None, labels),
        };
        let related = problem.related().into_iter().flatten();
        Self {
            title: brief(&problem.to_string()),
            code: problem.code().map(|code| visible(&code.to_string()).into_owned()),
            severity: problem.severity(),
            help: problem.help().map(|help| brief(&help.to_string())),
            excerpt,
            labels,
            related: related.map(|related| Self::within(related, code)).collect(),
            cause: problem.source().map(|cause| Box::new(Self::cause(cause))),
        }
    }

    fn cause(error: &dyn Error) -> Self {
        Self {
            title: brief(&error.to_string()),
            code: None,
            severity: None,
            help: None,
            excerpt: None,
            labels: None,
            related: Vec::new(),
            cause: error.source().map(|cause| Box::new(Self::cause(cause))),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl Error for Shown {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.cause.as_deref()?)
    }
}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<Severity> {
        self.severity
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.labels.as_ref().map(|labels| Box::new(labels.iter().cloned()) as Box<_>)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.related.is_empty() {
            return None;
        }
        Some(Box::new(self.related.iter().map(|related| related as &dyn Diagnostic)))
    }
}

/// Words of a message, of which none is too long to be read.
fn brief(text: &str) -> String {
    let text = visible(text);
    let pieces = text.split_inclusive(char::is_whitespace).map(|piece| {
        let count = piece.chars().count();
        if count <= LONGEST_WORD {
            return piece.to_owned();
        }
        let begin: String = piece.chars().take(NEAR).collect();
        let end: String = piece.chars().skip(count - NEAR).collect();
        format!("{begin}{CUT}{end}")
    });
    pieces.collect()
}

/// What is shown of a file.
#[derive(Debug)]
struct Excerpt {
    /// The lines as they are shown.
    source: Source,
    /// How many lines of the file are above them.
    above: usize,
    /// Where marks begin in the lines as they are shown, and their columns in the file.
    columns: Vec<(usize, usize)>,
}

impl Excerpt {
    /// The lines around some marks, and the marks as they stand in what is shown of these.
    fn of(code: &dyn SourceCode, labels: &[LabeledSpan]) -> Option<(Self, Vec<LabeledSpan>)> {
        let start = labels.iter().map(LabeledSpan::offset).min()?;
        let end = labels.iter().map(|label| label.offset().saturating_add(label.len())).max()?;
        let read = code.read_span(&(start, end - start).into(), 1, 1).ok()?;
        let text = std::str::from_utf8(read.data()).ok()?;
        let first = read.span().offset();
        let marks: Vec<Mark> = labels
            .iter()
            .map(|label| Mark::of(label, text, label.offset() - first, read.line()))
            .collect();
        let mut lines = Lines::new(marks.iter().flat_map(|mark| [mark.start, mark.end]).collect());
        text.split_inclusive('\n').for_each(|line| lines.add(line));
        lines.pass(usize::MAX);
        let mut columns = Vec::new();
        let mut moved = Vec::new();
        for (mark, label) in marks.iter().zip(labels) {
            let (start, end) = (lines.place(mark.start), lines.place(mark.end));
            let place = code.read_span(&(label.offset(), 0).into(), 0, 0).ok()?;
            columns.push((start, place.column()));
            moved.push(relabelled(label, mark.words.clone(), start, end));
        }
        let name = visible_name(read.name().unwrap_or_default()).into_owned();
        Some((Self { source: Source::new(name, lines.shown), above: read.line(), columns }, moved))
    }
}

/// A label with other words at another place.
fn relabelled(label: &LabeledSpan, words: Option<String>, start: usize, end: usize) -> LabeledSpan {
    let span = (start, end.saturating_sub(start));
    if label.primary() {
        LabeledSpan::new_primary_with_span(words, span)
    } else {
        LabeledSpan::new_with_span(words, span)
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.source.read_span(span, context_lines_before, context_lines_after)?;
        let of_mark = self.columns.iter().find(|(start, _)| *start == span.offset());
        let of_mark = of_mark.filter(|_| context_lines_before == 0);
        let column = of_mark.map_or(read.column(), |(_, column)| *column);
        // By it, the renderer judges whether two marks are shown in one frame.
        let is_short = self.source.text().matches('\n').count() <= STRETCH;
        let count = if is_short {
            self.above + read.line_count()
        } else {
            read.data().iter().filter(|&&byte| byte == b'\n').count()
        };
        let (line, name) = (self.above + read.line(), self.source.name().to_owned());
        let contents =
            MietteSpanContents::new_named(name, read.data(), *read.span(), line, column, count);
        Ok(Box::new(contents))
    }
}

/// A label in an excerpt: where it starts and ends, and what it says.
struct Mark {
    start: usize,
    end: usize,
    words: Option<String>,
}

impl Mark {
    /// A label of the text from some line on; a long one as one of its first line.
    fn of(label: &LabeledSpan, text: &str, start: usize, line: usize) -> Self {
        let words = label.label().map(brief);
        let marked = text.get(start..start + label.len()).unwrap_or_default();
        let lines = marked.matches('\n').count();
        if lines < MOST_LINES {
            return Self { start, end: start + label.len(), words };
        }
        let first = marked.lines().next().unwrap_or_default();
        let above = text.get(..start).unwrap_or_default().matches('\n').count();
        let until = format!("up to line {}", line + above + lines + 1);
        let words = words.map_or(until.clone(), |words| format!("{words} ({until})"));
        Self { start, end: start + first.len(), words: Some(words) }
    }
}

/// Lines as they are shown, while they are written.
struct Lines {
    shown: String,
    /// How many bytes of the text were passed.
    passed: usize,
    /// Places of the text, in order, which what is shown is asked for.
    places: Vec<usize>,
    /// Where the first of them are in what is shown.
    moved: Vec<usize>,
}

impl Lines {
    fn new(mut places: Vec<usize>) -> Self {
        places.sort_unstable();
        places.dedup();
        Self { shown: String::new(), passed: 0, places, moved: Vec::new() }
    }

    /// The places up to this one are where what is shown ends now.
    fn pass(&mut self, place: usize) {
        let open = self.places.get(self.moved.len()..).unwrap_or_default();
        let count = open.iter().take_while(|&&open| open <= place).count();
        self.moved.extend(std::iter::repeat_n(self.shown.len(), count));
    }

    /// Where a place of the text is in what is shown.
    fn place(&self, place: usize) -> usize {
        let moved = self.places.binary_search(&place).ok().and_then(|i| self.moved.get(i));
        moved.copied().unwrap_or(self.shown.len())
    }

    /// Adds a line with its end.
    fn add(&mut self, line: &str) {
        let begin = self.passed;
        let content =
            line.strip_suffix('\n').map_or(line, |it| it.strip_suffix('\r').unwrap_or(it));
        let mut until = 0;
        for (from, to) in self.kept(content) {
            if from > until {
                self.pass(begin + until);
                self.shown.push(CUT);
            }
            for (i, c) in content.get(from..to).unwrap_or_default().char_indices() {
                self.pass(begin + from + i);
                match c {
                    '\t' => self.shown.push(c),
                    _ => self.shown += &visible_name(c.encode_utf8(&mut [0; 4])),
                }
            }
            until = to;
        }
        self.pass(begin + until);
        if until < content.len() {
            self.shown.push(CUT);
        }
        for (i, c) in line.get(content.len()..).unwrap_or_default().char_indices() {
            self.pass(begin + content.len() + i);
            self.shown.push(c);
        }
        self.passed += line.len();
    }

    /// The stretches of a line that are shown.
    fn kept(&self, line: &str) -> Vec<(usize, usize)> {
        if line.chars().count() <= WIDEST {
            return vec![(0, line.len())];
        }
        let within = self.passed..=self.passed + line.len();
        let places = self.places.iter().filter(|place| within.contains(place));
        let mut kept: Vec<(usize, usize)> = Vec::new();
        for place in places.map(|place| place - self.passed) {
            let from = line.floor_char_boundary(place.saturating_sub(NEAR));
            let to = line.ceil_char_boundary((place + NEAR).min(line.len()));
            match kept.last_mut() {
                Some((_, end)) if from <= *end + CUT.len_utf8() => *end = to,
                _ => kept.push((from, to)),
            }
        }
        kept.truncate(MOST_PLACES);
        if kept.is_empty() {
            kept.push((0, line.floor_char_boundary(2 * NEAR)));
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use miette::MietteDiagnostic;

    use super::super::report::render;
    use super::*;

    /// What is shown of marks in a text.
    fn shown(text: &str, labels: &[(usize, usize, &str)]) -> String {
        let label = |&(start, length, words): &(usize, usize, &str)| {
            LabeledSpan::new(Some(words.to_owned()), start, length)
        };
        let said = MietteDiagnostic::new("said").with_labels(labels.iter().map(label));
        let report = miette::Report::new(said).with_source_code(Source::new("a.nas", text));
        let text = render(report.as_ref(), false);
        text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    #[test]
    fn a_wide_line_is_cut_around_its_marks() {
        let text =
            format!("one\n{}let{}two{}\n", " x".repeat(9_000), "y".repeat(9_000), "z".repeat(9));
        let told = shown(&text, &[(18_004, 3, "first"), (27_007, 3, "second")]);
        let (x, y) = (" x".repeat(30), "y".repeat(60));
        assert!(told.contains("[a.nas:2:18001]"), "{told}");
        assert!(told.contains(&format!(" 2 │ …{x}let{y}…{y}twozzzzzzzzz\n")), "{told}");
        assert!(told.contains("╰── first") && told.contains("╰── second"), "{told}");
    }

    #[test]
    fn a_wide_mark_is_cut_inside() {
        let text = format!("a {} b", "9".repeat(100_000));
        let told = shown(&text, &[(2, 100_000, "here")]);
        let nines = "9".repeat(60);
        assert!(told.contains("[a.nas:1:3]"), "{told}");
        assert!(told.contains(&format!(" 1 │ a {nines}…{nines} b\n")), "{told}");
    }

    #[test]
    fn a_mark_over_many_lines_is_one_of_its_first() {
        let text = format!("a\nb {{\n{}}}\nc\n", "  wide ".repeat(9_000) + &"x\n".repeat(5_000));
        let told = shown(&text, &[(2, text.len() - 5, "here")]);
        assert!(told.contains("[a.nas:2:1]"), "{told}");
        assert!(told.contains("╰── here (up to line 5003)"), "{told}");
        assert!(told.lines().count() < 12, "{told}");
        // Few lines are shown, each cut.
        let wide = "x".repeat(70_000);
        let told = shown(&format!("{wide}\n{wide}\n{wide}\n"), &[(69_999, 70_010, "here")]);
        assert!(told.contains("[a.nas:1:70000]") && told.contains("here"), "{told}");
        assert!(told.lines().all(|line| line.chars().count() < 200), "{told}");
    }

    #[test]
    fn marks_far_apart_have_frames_of_their_own() {
        let text = "line\n".repeat(10_000);
        let told = shown(&text, &[(20_000, 4, "first"), (40_000, 4, "second")]);
        assert!(told.contains("[a.nas:4001:1]") && told.contains("[a.nas:8001:1]"), "{told}");
        assert!(told.lines().count() < 20, "{told}");
    }

    #[test]
    fn what_does_not_show_is_written_out_and_marks_stand_below_it() {
        let told = shown("a\u{1b}[31m b\r\nc\u{202e}d e\r\n", &[(7, 1, "b"), (16, 1, "e")]);
        assert!(told.contains(" 1 │ a\\u{1b}[31m b\n   ·             ┬\n"), "{told}");
        assert!(told.contains(" 2 │ c\\u{202e}d e\n   ·            ┬\n"), "{told}");
        assert!(told.contains("[a.nas:1:8]"), "{told}");
    }

    #[test]
    fn every_place_of_a_text_can_be_marked() {
        let text = format!("ä\r\n{}\u{1b}\n\n{}", "好".repeat(300), "é\t".repeat(200));
        for start in 0..=text.len() {
            for end in [start, start + 1, start + 400].map(|end| end.min(text.len())) {
                let told = shown(&text, &[(start, end - start, "here")]);
                assert!(told.contains("[a.nas:"), "{start} to {end}: {told}");
            }
        }
    }

    #[test]
    fn no_word_is_too_long() {
        let told = brief(&format!("`{}` is too large", "9".repeat(10_000)));
        assert_eq!(told, format!("`{}…{}` is too large", "9".repeat(59), "9".repeat(58)));
    }
}
