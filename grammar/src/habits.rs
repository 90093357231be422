//! The help of a syntax error: what people write who know other languages, and what it is here.

use crate::ast::Span;
use crate::brackets::{blanks, open_brackets};
use crate::fix::{Edit, Fix, Help};
use crate::rules::Rule;
use crate::scan::{ITEM_WORDS, Scanner, TokenKind, leading_word};
use crate::source::{At, Source};
use crate::words::{is_item_expected, is_name_expected, is_reserved, is_shown};

/// A place where something else was expected.
#[derive(Clone, Copy)]
pub(crate) struct Unexpected<'t> {
    /// The file.
    pub(crate) source: &'t Source,
    /// Where the item begins.
    pub(crate) start: usize,
    /// The item up to the place.
    pub(crate) before: &'t str,
    /// The text from the place on.
    pub(crate) rest: &'t str,
    /// What was expected.
    pub(crate) rules: &'t [Rule],
}

impl<'t> Unexpected<'t> {
    fn wants(&self, any: &[Rule]) -> bool {
        any.iter().any(|rule| self.rules.contains(rule))
    }

    fn wants_value(&self) -> bool {
        self.wants(&[Rule::expr, Rule::operand, Rule::primary, Rule::element, Rule::arg])
    }

    /// The item up to the place, without the blanks at its end.
    fn words_before(&self) -> &'t str {
        self.before.trim_end_matches([' ', '\t'])
    }

    /// The word before the place, with nothing but blanks between.
    fn word_before(&self) -> &'t str {
        last_word(self.words_before())
    }

    /// Whether the value of a candidate is expected.
    fn is_candidate(&self) -> bool {
        self.wants_value()
            && self.before.trim_end().ends_with(':')
            && matches!(open_brackets(self.before).pop(), Some((_, '{')))
            && !self.line_has("input")
    }

    /// The words of the line before the place.
    fn line_has(&self, word: &str) -> bool {
        let line = self.before.rsplit('\n').next().unwrap_or_default();
        line.split(|c: char| !c.is_ascii_alphanumeric()).any(|w| w == word)
    }

    /// The type between a colon at the place and a `=`.
    fn type_before_equals(&self) -> Option<&'t str> {
        let of_type =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ' | '[' | ']' | ',');
        let after = self.rest.trim_start_matches(':').trim_start_matches(of_type);
        let length = self.rest.len() - after.len();
        after.starts_with('=').then(|| self.rest.get(..length))?
    }

    /// Whether a bracket closes at the place that nothing opens.
    fn is_stray_closer(&self) -> bool {
        let opening = match self.rest.chars().next() {
            Some(')') => '(',
            Some(']') => '[',
            Some('}') => '{',
            _ => return false,
        };
        !open_brackets(self.before).iter().any(|(_, bracket)| *bracket == opening)
    }

    /// A part of the item up to the place and of what stands there, from offsets in the item.
    pub(crate) fn at(&self, from: usize, to: usize) -> At<'t> {
        self.source.at(Span::new(self.start + from, self.start + to))
    }

    /// So many bytes from the place on.
    fn found(&self, bytes: usize) -> At<'t> {
        self.at(self.before.len(), self.before.len() + bytes)
    }

    /// "write `…`" in place of so many bytes.
    fn write(&self, bytes: usize, text: impl Into<String>) -> Help {
        Fix::write(self.found(bytes), text).into()
    }

    /// Other words about this in place of so many bytes.
    fn replace(&self, bytes: usize, text: &str, says: impl FnOnce(&str) -> String) -> Help {
        Fix::replace(self.found(bytes), text, says).into()
    }

    /// These words about so many bytes that go.
    fn remove(&self, bytes: usize, words: &str) -> Help {
        Fix::remove(self.found(bytes), |_| words.to_owned()).into()
    }
}

/// The name, number or word that a text ends with; it may be empty.
fn last_word(text: &str) -> &str {
    text.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// What helps against the text that stands where something else was expected, where something is
/// likely.
pub(crate) fn help(unexpected: Unexpected<'_>) -> Option<Help> {
    let word = leading_word(unexpected.rest);
    if unexpected.wants(&[Rule::close_string]) {
        return Some(Help::advice(r#"after a backslash stands `\\`, `"`, `{` or `n`"#));
    }
    if matches!(word, "let" | "var" | "for") && unexpected.is_candidate() {
        return Some(Help::advice(STATEMENTS));
    }
    if word_for_name(unexpected).is_some() {
        return Some(Help::advice(format!("use another name, such as `{word}_`")));
    }
    if is_item_expected(unexpected.rules) {
        return if unexpected.wants(&[Rule::operator]) {
            within(unexpected)
        } else {
            at_item(unexpected)
        };
    }
    within(unexpected)
}

/// The word of the language that stands where a name is expected.
pub(crate) fn word_for_name<'t>(unexpected: Unexpected<'t>) -> Option<&'t str> {
    let word = leading_word(unexpected.rest);
    (is_reserved(word) && is_name_expected(unexpected.rules)).then_some(word)
}

fn at_item(unexpected: Unexpected<'_>) -> Option<Help> {
    let word = leading_word(unexpected.rest);
    let lower = word.to_ascii_lowercase();
    Some(match word {
        "def" | "fn" | "func" | "function" | "class" | "module" => {
            Help::advice("a block is written `block name(x) { … }`")
        }
        "import" | "from" | "include" => {
            Help::advice("an import is written `use std.blocks.{name}`")
        }
        "let" | "var" => unexpected.replace(word.len(), "const", |new| {
            format!("a value of the file is written `{new} NAME = …`")
        }),
        "pub" | "export" | "public" => {
            let after = unexpected.rest.get(word.len()..).unwrap_or_default();
            let words = format!("leave `{word}` out; other files can import every item");
            unexpected.remove(word.len() + blanks(after), &words)
        }
        "if" | "for" | "input" | "output" | "task" | "require" => {
            Help::advice(format!("`{word}` stands in the braces of a block or a space"))
        }
        _ if ITEM_WORDS.contains(&lower.as_str()) => unexpected.write(word.len(), lower),
        _ => return by_mark(unexpected),
    })
}

fn within(unexpected: Unexpected<'_>) -> Option<Help> {
    let word = leading_word(unexpected.rest);
    if matches!(word, "input" | "output" | "task" | "require")
        && unexpected.wants(&[Rule::statement])
    {
        return Some(Help::advice(format!("`{word}` stands directly in a space")));
    }
    if unexpected.rest.starts_with('.') && unexpected.wants_value() {
        let digits = leading_word(unexpected.rest.get(1..).unwrap_or_default());
        if digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Some(unexpected.write(1 + digits.len(), format!("0.{digits}")));
        }
    }
    if unexpected.wants(&[Rule::percentage]) && word.starts_with(|c: char| c.is_ascii_digit()) {
        let number =
            unexpected.rest.trim_start_matches(|c: char| c.is_ascii_digit() || "._".contains(c));
        let number = unexpected.found(unexpected.rest.len() - number.len());
        return Some(
            Fix::replace(number, format!("{}%", number.text()), |new| format!("write `{new}`"))
                .into(),
        );
    }
    let found =
        by_word(unexpected, word).or_else(|| by_pair(unexpected)).or_else(|| by_mark(unexpected));
    found.or_else(|| after_operator(unexpected)).or_else(|| misspelt(unexpected))
}

/// Words of the language that values begin with, and statements. (Shorter ones are near to what others are called.)
const OF_VALUES: [&str; 3] = ["choose", "elastic", "repeat"];
const OF_STATEMENTS: [&str; 3] = ["input", "output", "require"];

/// A word before the place, of the last two in the line, that is nearly one of the language which may stand there.
fn misspelt(unexpected: Unexpected<'_>) -> Option<Help> {
    let mut end = unexpected.words_before().len();
    for _ in 0..2 {
        let word = last_word(unexpected.before.get(..end)?);
        let start = end - word.len();
        let before = unexpected.before.get(..start)?.trim_end_matches([' ', '\t']);
        let begins_statement = before.is_empty() || before.ends_with(['\n', '{']);
        let known = if begins_statement { OF_STATEMENTS } else { OF_VALUES };
        let begins_value =
            begins_statement || before.ends_with(['>', '=', '(', '[', ',', ':', '+']);
        let near = known.into_iter().filter(|_| begins_value).find(|known| {
            let most = known.len().max(word.len()) / 3;
            (1..=most).contains(&strsim::osa_distance(word, known))
        });
        if let Some(known) = near {
            return Some(Fix::meant(unexpected.at(start, end), known).into());
        }
        end = unexpected.before.get(..start)?.trim_end_matches([' ', '\t']).len();
    }
    None
}

/// Operators that end with others stand before those.
const OPERATORS: [&str; 17] =
    ["->", "<=", ">=", "==", "!=", "..", "<", ">", "=", "+", "-", "*", "/", "%", "^", "and", "or"];

/// The help where what an operator stands in ends behind it.
fn after_operator(unexpected: Unexpected<'_>) -> Option<Help> {
    let is_end = unexpected.rest.starts_with([')', ']', '}', ',']) && unexpected.wants_value();
    let before = unexpected.before.trim_end();
    let operator = OPERATORS.into_iter().find(|operator| before.ends_with(operator))?;
    let what = if operator == "->" { "step" } else { "value" };
    is_end.then(|| Help::advice(format!("write a {what} after the `{operator}`")))
}

fn by_word(unexpected: Unexpected<'_>, word: &str) -> Option<Help> {
    let is_digits = word.starts_with(|c: char| c.is_ascii_digit())
        && word.contains(|c: char| !c.is_ascii_digit());
    Some(match word {
        "expect" if unexpected.wants(&[Rule::statement, Rule::space_statement]) => {
            Help::advice("an `expect` stands in an `arch`, or outside all braces")
        }
        "else" if unexpected.wants(&[Rule::statement, Rule::space_statement]) => {
            Help::advice("an `else` follows the `}` of an `if`")
        }
        "if" if unexpected.wants(&[Rule::operator]) => Help::advice(CONDITION),
        "else" if unexpected.wants(&[Rule::open_body]) => Help::advice(CONDITION),
        "for" if unexpected.wants(&[Rule::kw_of]) => unexpected.write(word.len(), "of"),
        "for" if unexpected.wants(&[Rule::close_bracket]) => {
            Help::advice("a list made by a loop is written `[for i in 0..n { 2 * i }]`")
        }
        _ if unexpected.word_before() == "mut" => mutable(unexpected),
        _ if is_digits && is_name_expected(unexpected.rules) => Help::advice(NAME),
        _ => return None,
    })
}

const CONDITION: &str = "a value by condition is written `if condition { a } else { b }`";
const NAME: &str = "a name is made of the letters a to z, digits and `_`, and begins with no digit";
const STATEMENTS: &str =
    "a candidate is one step or expression; put statements in a `block`, and name that";
const CANDIDATE: &str = "each candidate has a name: `name: step`";

/// `let mut`, which is `var`.
fn mutable(unexpected: Unexpected<'_>) -> Help {
    let says = |word: &str| format!("a value that changes is declared with `{word}`");
    let end = unexpected.words_before().len();
    let before = unexpected.words_before().strip_suffix("mut").unwrap_or_default().trim_end();
    match before.strip_suffix("let") {
        Some(outer) => Fix::replace(unexpected.at(outer.len(), end), "var", says).into(),
        None => Help::advice(says("var")),
    }
}

/// Marks of several characters, of which the first may have been read as an operator.
fn by_pair(unexpected: Unexpected<'_>) -> Option<Help> {
    let before = unexpected.words_before();
    let is_assigned = unexpected.rest.starts_with('=')
        && !unexpected.rest.starts_with("==")
        && unexpected.wants_value();
    Some(match unexpected.rest.get(..2).unwrap_or(unexpected.rest) {
        "&&" => unexpected.write(2, "and"),
        "||" => unexpected.write(2, "or"),
        "|>" => unexpected.replace(2, "->", |new| format!("a pipeline is written `x {new} f`")),
        "::" => unexpected.write(2, "."),
        "!=" => return None,
        "==" if unexpected.wants(&[Rule::equals, Rule::assign_op]) => {
            unexpected.replace(2, "=", |new| format!("write `{new}`; `==` compares"))
        }
        "=>" if unexpected.wants(&[Rule::colon]) => {
            unexpected.replace(2, ":", |new| format!("each candidate has a name: `name{new} step`"))
        }
        _ if unexpected.rest.starts_with('*') && before.ends_with('*') => {
            let both = unexpected.at(before.len() - 1, unexpected.before.len() + 1);
            Fix::replace(both, "^", |new| format!("a power is written `a {new} b`")).into()
        }
        _ if unexpected.rest.starts_with('*') && before.ends_with('/') => {
            comment(unexpected, before.len() - 1)
        }
        _ if is_assigned && before.ends_with("..") => {
            Help::advice("a range leaves its end out: `0..4` is 0, 1, 2, 3")
        }
        _ if is_assigned && before.ends_with(['+', '-', '*', '/', '%', '^']) => {
            written_out(unexpected)
        }
        _ if is_assigned
            && (matches!(unexpected.word_before(), "minimize" | "maximize")
                || leading_word(unexpected.before) == "target") =>
        {
            let after = unexpected.rest.get(1..).unwrap_or_default();
            unexpected.remove(1 + blanks(after), "leave the `=` out")
        }
        _ => return None,
    })
}

/// `y += x`, which is `y = y + x`. With another operator, what follows may need parentheses.
fn written_out(unexpected: Unexpected<'_>) -> Help {
    let before = unexpected.words_before();
    let name = before.strip_suffix('+').map(|before| last_word(before.trim_end()));
    match name.filter(|name| !name.is_empty()) {
        Some(name) => {
            let both = unexpected.at(before.len() - 1, unexpected.before.len() + 1);
            let says = |new: &str| format!("write it out: `{name} {new} …`");
            Fix::replace(both, format!("= {name} +"), says).into()
        }
        None => Help::advice("write it out: `x = x + y`"),
    }
}

/// The help where a line opens a bracket that only its comment closes. `line` begins at this offset
/// of the item.
pub(crate) fn commented_closer(
    unexpected: Unexpected<'_>,
    offset: usize,
    line: &str,
    open: char,
    close: char,
) -> Option<Help> {
    let comment = Scanner::new(line).find(|token| token.kind == TokenKind::Comment)?;
    let (start, comment) = (offset + comment.start, line.get(comment.start..)?);
    let is_closed = comment.matches(close).count() > comment.matches(open).count();
    let says = |new: &str| {
        format!("`//` begins a comment; whole numbers are divided by `{new}`, rounded down")
    };
    is_closed.then(|| Fix::replace(unexpected.at(start, start + 2), "/", says).into())
}

/// The mark of a comment in another language, at this offset of the item.
fn comment(unexpected: Unexpected<'_>, offset: usize) -> Help {
    let says = |new: &str| format!("a comment begins with `{new}`");
    let mark = unexpected.at(offset, offset + 1);
    let line = mark.begin().behind().lines().next().unwrap_or_default();
    let Some(text) = line.strip_prefix("/*") else {
        return Fix::replace(mark, "//", says).into();
    };
    // What is behind it in the line would be part of the comment.
    let Some((inside, "")) = text.split_once("*/").map(|(i, rest)| (i, rest.trim())) else {
        return Help::advice(says("//"));
    };
    let start = unexpected.at(offset, offset + 2);
    let end = offset + 2 + inside.trim_end().len();
    let end = unexpected.at(end, offset + line.trim_end().len());
    let help = says("//");
    Fix::of(unexpected.source, vec![Edit::new(start.span, "//"), Edit::new(end.span, "")], help)
        .into()
}

/// A string in other quotes.
fn string(unexpected: Unexpected<'_>) -> Help {
    let says = |new: &str| format!("strings stand in double quotes: `{new}`");
    let line = unexpected.rest.lines().next().unwrap_or_default();
    let mut parts = line.splitn(3, ['\'', '“', '”', '‘', '’']);
    let (Some(_), Some(inside), Some(behind)) = (parts.next(), parts.next(), parts.next()) else {
        return Help::advice(says("\"…\""));
    };
    if inside.contains(['"', '{', '}', '\\']) {
        return Help::advice(says("\"…\""));
    }
    unexpected.replace(line.len() - behind.len(), &format!("\"{inside}\""), says)
}

/// `;`, in whose place a new line stands where more follows.
fn semicolon(unexpected: Unexpected<'_>) -> Help {
    let after = unexpected.rest.get(1..).unwrap_or_default();
    let next = after.lines().next().unwrap_or_default().trim();
    if next.is_empty() || next.starts_with("//") || next.starts_with('}') {
        return unexpected.remove(1, "remove it: a new line is enough");
    }
    let line = unexpected.before.rsplit('\n').next().unwrap_or_default();
    let indentation = line.get(..blanks(line)).unwrap_or_default();
    let new_line = format!("\n{indentation}");
    unexpected.replace(1 + blanks(after), &new_line, |_| "write a new line instead".to_owned())
}

// A table: one row for each mark and place.
fn by_mark(unexpected: Unexpected<'_>) -> Option<Help> {
    let first = unexpected.rest.chars().next()?;
    let after = unexpected.rest.get(first.len_utf8()..).unwrap_or_default();
    let wants_brace =
        unexpected.wants(&[Rule::open_body, Rule::open_block, Rule::open_space, Rule::open_arms]);
    Some(match first {
        ')' | ']' | '}' if unexpected.is_stray_closer() => {
            unexpected.remove(1, "remove it: nothing opens it")
        }
        '-' if unexpected.rest.starts_with("->")
            && unexpected.before.trim_end().ends_with("->")
            && unexpected.wants_value() =>
        {
            let blanks = blanks(after.get(1..).unwrap_or_default());
            Fix::remove(unexpected.found(2 + blanks), |gone| format!("remove `{gone}`")).into()
        }
        '}' if unexpected.wants(&[Rule::use_names, Rule::ident])
            && leading_word(unexpected.before) == "use" =>
        {
            Help::advice("name what is imported: `{a, b}`")
        }
        '{' if unexpected.rules == [Rule::params] || unexpected.rules == [Rule::open_params] => {
            Help::advice("a block has its tensors as parameters: `block name(x) { … }`")
        }
        ';' => semicolon(unexpected),
        '\'' | '“' | '”' | '‘' | '’' => string(unexpected),
        '#' => comment(unexpected, unexpected.before.len()),
        '/' if unexpected.rest.starts_with("/*") => comment(unexpected, unexpected.before.len()),
        '&' => unexpected.write(1, "and"),
        '|' => unexpected.write(1, "or"),
        '!' => unexpected.write(1, "not "),
        '~' | '≈' => unexpected.replace(first.len_utf8(), "~=", |new| {
            format!("a claim about a published figure is written `macs {new} 3.01G`")
        }),
        '?' => Help::advice(CONDITION),
        ':' if wants_brace => Help::advice("a body stands in braces: `{ … }`"),
        ':' if unexpected.wants(&[Rule::close_bracket, Rule::open_start]) => {
            unexpected.replace(1, "..", |new| format!("a slice is written `list[1{new}3]`"))
        }
        ':' if unexpected.wants(&[Rule::assign_op]) => unexpected
            .replace(1, " =", |new| format!("an argument by name is written `name {new} value`")),
        ':' if unexpected.wants(&[Rule::equals]) => {
            if unexpected.wants(&[Rule::close_paren]) {
                Help::advice("parameters have no types; a default is written `name = value`")
            } else if let Some(written) = unexpected.type_before_equals() {
                unexpected.replace(written.len(), " ", |_| {
                    "leave the type out: `name = value`".to_owned()
                })
            } else {
                unexpected.replace(1, " =", |new| format!("write `{new}`"))
            }
        }
        '=' if unexpected.wants(&[Rule::colon]) => unexpected.write(1, ":"),
        '=' if unexpected.wants(&[Rule::open_section]) => {
            Help::advice("a setting stands in its section: `schedule { epochs = 10 }`")
        }
        '=' if unexpected.wants(&[Rule::operator]) => equals_in_expression(unexpected),
        '(' | ',' | '}' if unexpected.wants(&[Rule::colon]) => Help::advice(CANDIDATE),
        '{' if unexpected.line_has("elif") => {
            let start = unexpected.before.rfind("elif").unwrap_or_default();
            Fix::write(unexpected.at(start, start + "elif".len()), "else if").into()
        }
        '{' if unexpected.line_has("while") => {
            Help::advice("there is no `while`; a loop is `for i in 0..n { … }`")
        }
        '{' if unexpected.line_has("fn") || unexpected.line_has("def") => {
            Help::advice("a block stands outside all braces: `block name(x) { … }`")
        }
        '{' if unexpected.word_before() == "if" => Help::advice("write a condition after the `if`"),
        '{' if unexpected.word_before() == "repeat" => {
            Help::advice("say how often: `repeat 3 { … }`")
        }
        '{' if unexpected.wants(&[Rule::values]) => Help::advice(
            "`elastic` decides a value, as in `elastic [3, 5]`; steps stand behind `choose`",
        ),
        '{' if unexpected.is_candidate() => Help::advice(STATEMENTS),
        '{' if unexpected.wants_value() => Help::advice("a list stands in `[ ]`, a tuple in `( )`"),
        '*' if unexpected.wants(&[Rule::use_names]) => {
            Help::advice("name what is imported: `{a, b}`")
        }
        '"' if unexpected.wants(&[Rule::close_brace]) => {
            Help::advice(r"a brace in a string is written `\{`")
        }
        '-' if unexpected.before.ends_with(|c: char| c.is_ascii_alphanumeric()) => {
            Help::advice(NAME)
        }
        '\r' | '\n' if unexpected.rules == [Rule::args] => {
            Help::advice("write its arguments, as in `segmentation(19)`")
        }
        c if c.is_alphabetic() && !c.is_ascii() => Help::advice(NAME),
        c if c.is_whitespace() && !c.is_ascii() => {
            unexpected.replace(c.len_utf8(), " ", |_| "write a plain space".to_owned())
        }
        c if !is_shown(c) && !c.is_whitespace() => {
            unexpected.remove(c.len_utf8(), "remove it: it does not show, and means nothing")
        }
        _ => return None,
    })
}

/// In `x.conv(8, kernel = 3)` the parser sees a field and a parenthesis.
fn equals_in_expression(unexpected: Unexpected<'_>) -> Help {
    let open = open_brackets(unexpected.before).pop();
    let callee = open.and_then(|(at, _)| unexpected.before.get(..at)).unwrap_or_default();
    let name = callee.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if unexpected.wants(&[Rule::close_paren]) && name.len() < callee.len() && name.ends_with('.') {
        let says = |new: &str| format!("a step is written `x {new} conv(8, kernel = 3)`");
        Fix::replace(unexpected.at(name.len() - 1, name.len()), " -> ", says).into()
    } else {
        unexpected.replace(1, "==", |new| format!("`{new}` compares two values"))
    }
}
