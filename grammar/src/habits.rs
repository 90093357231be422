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
pub(crate) struct Site<'t> {
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

impl<'t> Site<'t> {
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
pub(crate) fn help(site: Site<'_>) -> Option<Help> {
    let word = leading_word(site.rest);
    if site.wants(&[Rule::close_string]) {
        return Some(Help::advice(r#"after a backslash stands `\\`, `"`, `{` or `n`"#));
    }
    if word_for_name(site).is_some() {
        return Some(Help::advice(format!("use another name, such as `{word}_`")));
    }
    if is_item_expected(site.rules) {
        return if site.wants(&[Rule::operator]) { within(site) } else { at_item(site) };
    }
    within(site)
}

/// The word of the language that stands where a name is expected.
pub(crate) fn word_for_name<'t>(site: Site<'t>) -> Option<&'t str> {
    let word = leading_word(site.rest);
    (is_reserved(word) && is_name_expected(site.rules)).then_some(word)
}

fn at_item(site: Site<'_>) -> Option<Help> {
    let word = leading_word(site.rest);
    let lower = word.to_ascii_lowercase();
    Some(match word {
        "def" | "fn" | "func" | "function" | "class" | "module" => {
            Help::advice("a block is written `block name(x) { … }`")
        }
        "import" | "from" | "include" => {
            Help::advice("an import is written `use std.blocks.{name}`")
        }
        "let" | "var" => site.replace(word.len(), "const", |new| {
            format!("a value of the file is written `{new} NAME = …`")
        }),
        "pub" | "export" | "public" => {
            let after = site.rest.get(word.len()..).unwrap_or_default();
            let words = format!("leave `{word}` out; other files can import every item");
            site.remove(word.len() + blanks(after), &words)
        }
        "if" | "for" | "input" | "output" | "task" | "require" => {
            Help::advice(format!("`{word}` stands in the braces of a block or a space"))
        }
        _ if ITEM_WORDS.contains(&lower.as_str()) => site.write(word.len(), lower),
        _ => return by_mark(site),
    })
}

fn within(site: Site<'_>) -> Option<Help> {
    let word = leading_word(site.rest);
    if matches!(word, "input" | "output" | "task" | "require") && site.wants(&[Rule::statement]) {
        return Some(Help::advice(format!("`{word}` stands directly in a space")));
    }
    if site.rest.starts_with('.') && site.wants_value() {
        let digits = leading_word(site.rest.get(1..).unwrap_or_default());
        if digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Some(site.write(1 + digits.len(), format!("0.{digits}")));
        }
    }
    if site.wants(&[Rule::percentage]) && word.starts_with(|c: char| c.is_ascii_digit()) {
        let number = site.rest.trim_start_matches(|c: char| c.is_ascii_digit() || "._".contains(c));
        let number = site.found(site.rest.len() - number.len());
        return Some(
            Fix::replace(number, format!("{}%", number.text()), |new| format!("write `{new}`"))
                .into(),
        );
    }
    let found = by_word(site, word).or_else(|| by_pair(site)).or_else(|| by_mark(site));
    found.or_else(|| after_operator(site))
}

/// Operators that end with others stand before those.
const OPERATORS: [&str; 17] =
    ["->", "<=", ">=", "==", "!=", "..", "<", ">", "=", "+", "-", "*", "/", "%", "^", "and", "or"];

/// The help where what an operator stands in ends behind it.
fn after_operator(site: Site<'_>) -> Option<Help> {
    let is_end = site.rest.starts_with([')', ']', '}', ',']) && site.wants_value();
    let before = site.before.trim_end();
    let operator = OPERATORS.into_iter().find(|operator| before.ends_with(operator))?;
    let what = if operator == "->" { "step" } else { "value" };
    is_end.then(|| Help::advice(format!("write a {what} after the `{operator}`")))
}

fn by_word(site: Site<'_>, word: &str) -> Option<Help> {
    let is_digits = word.starts_with(|c: char| c.is_ascii_digit())
        && word.contains(|c: char| !c.is_ascii_digit());
    Some(match word {
        "expect" if site.wants(&[Rule::statement, Rule::space_statement]) => {
            Help::advice("an `expect` stands in an `arch`, or outside all braces")
        }
        "else" if site.wants(&[Rule::statement, Rule::space_statement]) => {
            Help::advice("an `else` follows the `}` of an `if`")
        }
        "if" if site.wants(&[Rule::operator]) => Help::advice(CONDITION),
        "else" if site.wants(&[Rule::open_body]) => Help::advice(CONDITION),
        "for" if site.wants(&[Rule::kw_of]) => site.write(word.len(), "of"),
        "for" if site.wants(&[Rule::close_bracket]) => {
            Help::advice("a list made by a loop is written `[for i in 0..n { 2 * i }]`")
        }
        _ if site.word_before() == "mut" => mutable(site),
        _ if is_digits && is_name_expected(site.rules) => Help::advice(NAME),
        _ => return None,
    })
}

const CONDITION: &str = "a value by condition is written `if condition { a } else { b }`";
const NAME: &str = "a name is made of the letters a to z, digits and `_`, and begins with no digit";
const CANDIDATE: &str = "each candidate has a name: `name: step`";

/// `let mut`, which is `var`.
fn mutable(site: Site<'_>) -> Help {
    let says = |word: &str| format!("a value that changes is declared with `{word}`");
    let end = site.words_before().len();
    let before = site.words_before().strip_suffix("mut").unwrap_or_default().trim_end();
    match before.strip_suffix("let") {
        Some(outer) => Fix::replace(site.at(outer.len(), end), "var", says).into(),
        None => Help::advice(says("var")),
    }
}

/// Marks of several characters, of which the first may have been read as an operator.
fn by_pair(site: Site<'_>) -> Option<Help> {
    let before = site.words_before();
    let is_assigned =
        site.rest.starts_with('=') && !site.rest.starts_with("==") && site.wants_value();
    Some(match site.rest.get(..2).unwrap_or(site.rest) {
        "&&" => site.write(2, "and"),
        "||" => site.write(2, "or"),
        "|>" => site.replace(2, "->", |new| format!("a pipeline is written `x {new} f`")),
        "::" => site.write(2, "."),
        "!=" => return None,
        "==" if site.wants(&[Rule::equals, Rule::assign_op]) => {
            site.replace(2, "=", |new| format!("write `{new}`; `==` compares"))
        }
        "=>" if site.wants(&[Rule::colon]) => {
            site.replace(2, ":", |new| format!("each candidate has a name: `name{new} step`"))
        }
        _ if site.rest.starts_with('*') && before.ends_with('*') => {
            let both = site.at(before.len() - 1, site.before.len() + 1);
            Fix::replace(both, "^", |new| format!("a power is written `a {new} b`")).into()
        }
        _ if site.rest.starts_with('*') && before.ends_with('/') => comment(site, before.len() - 1),
        _ if is_assigned && before.ends_with("..") => {
            Help::advice("a range leaves its end out: `0..4` is 0, 1, 2, 3")
        }
        _ if is_assigned && before.ends_with(['+', '-', '*', '/', '%', '^']) => written_out(site),
        _ if is_assigned
            && (site.word_before() == "minimize" || leading_word(site.before) == "target") =>
        {
            let after = site.rest.get(1..).unwrap_or_default();
            site.remove(1 + blanks(after), "leave the `=` out")
        }
        _ => return None,
    })
}

/// `y += x`, which is `y = y + x`. With another operator, what follows may need parentheses.
fn written_out(site: Site<'_>) -> Help {
    let before = site.words_before();
    let name = before.strip_suffix('+').map(|before| last_word(before.trim_end()));
    match name.filter(|name| !name.is_empty()) {
        Some(name) => {
            let both = site.at(before.len() - 1, site.before.len() + 1);
            let says = |new: &str| format!("write it out: `{name} {new} …`");
            Fix::replace(both, format!("= {name} +"), says).into()
        }
        None => Help::advice("write it out: `x = x + y`"),
    }
}

/// The help where a line opens a bracket that only its comment closes. `line` begins at this offset
/// of the item.
pub(crate) fn commented_closer(
    site: Site<'_>,
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
    is_closed.then(|| Fix::replace(site.at(start, start + 2), "/", says).into())
}

/// The mark of a comment in another language, at this offset of the item.
fn comment(site: Site<'_>, offset: usize) -> Help {
    let says = |new: &str| format!("a comment begins with `{new}`");
    let mark = site.at(offset, offset + 1);
    let line = mark.begin().behind().lines().next().unwrap_or_default();
    let Some(text) = line.strip_prefix("/*") else {
        return Fix::replace(mark, "//", says).into();
    };
    // What is behind it in the line would be part of the comment.
    let Some((inside, "")) = text.split_once("*/").map(|(i, rest)| (i, rest.trim())) else {
        return Help::advice(says("//"));
    };
    let start = site.at(offset, offset + 2);
    let end = offset + 2 + inside.trim_end().len();
    let end = site.at(end, offset + line.trim_end().len());
    let help = says("//");
    Fix::of(site.source, vec![Edit::new(start.span, "//"), Edit::new(end.span, "")], help).into()
}

/// A string in other quotes.
fn string(site: Site<'_>) -> Help {
    let says = |new: &str| format!("strings stand in double quotes: `{new}`");
    let line = site.rest.lines().next().unwrap_or_default();
    let mut parts = line.splitn(3, ['\'', '“', '”', '‘', '’']);
    let (Some(_), Some(inside), Some(behind)) = (parts.next(), parts.next(), parts.next()) else {
        return Help::advice(says("\"…\""));
    };
    if inside.contains(['"', '{', '}', '\\']) {
        return Help::advice(says("\"…\""));
    }
    site.replace(line.len() - behind.len(), &format!("\"{inside}\""), says)
}

/// `;`, in whose place a new line stands where more follows.
fn semicolon(site: Site<'_>) -> Help {
    let after = site.rest.get(1..).unwrap_or_default();
    let next = after.lines().next().unwrap_or_default().trim();
    if next.is_empty() || next.starts_with("//") || next.starts_with('}') {
        return site.remove(1, "remove it: a new line is enough");
    }
    let line = site.before.rsplit('\n').next().unwrap_or_default();
    let indentation = line.get(..blanks(line)).unwrap_or_default();
    let new_line = format!("\n{indentation}");
    site.replace(1 + blanks(after), &new_line, |_| "write a new line instead".to_owned())
}

// A table: one row for each mark and place.
fn by_mark(site: Site<'_>) -> Option<Help> {
    let first = site.rest.chars().next()?;
    let after = site.rest.get(first.len_utf8()..).unwrap_or_default();
    let wants_brace =
        site.wants(&[Rule::open_body, Rule::open_block, Rule::open_space, Rule::open_arms]);
    Some(match first {
        ')' | ']' | '}' if site.is_stray_closer() => site.remove(1, "remove it: nothing opens it"),
        '-' if site.rest.starts_with("->")
            && site.before.trim_end().ends_with("->")
            && site.wants_value() =>
        {
            let blanks = blanks(after.get(1..).unwrap_or_default());
            Fix::remove(site.found(2 + blanks), |gone| format!("remove `{gone}`")).into()
        }
        '}' if site.wants(&[Rule::use_names, Rule::ident])
            && leading_word(site.before) == "use" =>
        {
            Help::advice("name what is imported: `{a, b}`")
        }
        '{' if site.rules == [Rule::params] || site.rules == [Rule::open_params] => {
            Help::advice("a block has its tensors as parameters: `block name(x) { … }`")
        }
        ';' => semicolon(site),
        '\'' | '“' | '”' | '‘' | '’' => string(site),
        '#' => comment(site, site.before.len()),
        '/' if site.rest.starts_with("/*") => comment(site, site.before.len()),
        '&' => site.write(1, "and"),
        '|' => site.write(1, "or"),
        '!' => site.write(1, "not "),
        '~' | '≈' => site.replace(first.len_utf8(), "~=", |new| {
            format!("a claim about a published figure is written `macs {new} 3.01G`")
        }),
        '?' => Help::advice(CONDITION),
        ':' if wants_brace => Help::advice("a body stands in braces: `{ … }`"),
        ':' if site.wants(&[Rule::close_bracket, Rule::open_start]) => {
            site.replace(1, "..", |new| format!("a slice is written `list[1{new}3]`"))
        }
        ':' if site.wants(&[Rule::assign_op]) => site
            .replace(1, " =", |new| format!("an argument by name is written `name {new} value`")),
        ':' if site.wants(&[Rule::equals]) => {
            if site.wants(&[Rule::close_paren]) {
                Help::advice("parameters have no types; a default is written `name = value`")
            } else if let Some(written) = site.type_before_equals() {
                site.replace(written.len(), " ", |_| {
                    "leave the type out: `name = value`".to_owned()
                })
            } else {
                site.replace(1, " =", |new| format!("write `{new}`"))
            }
        }
        '=' if site.wants(&[Rule::colon]) => site.write(1, ":"),
        '=' if site.wants(&[Rule::open_section]) => {
            Help::advice("a setting stands in its section: `schedule { epochs = 10 }`")
        }
        '=' if site.wants(&[Rule::operator]) => equals_in_expression(site),
        '(' | ',' | '}' if site.wants(&[Rule::colon]) => Help::advice(CANDIDATE),
        '{' if site.line_has("elif") => {
            let start = site.before.rfind("elif").unwrap_or_default();
            Fix::write(site.at(start, start + "elif".len()), "else if").into()
        }
        '{' if site.line_has("while") => {
            Help::advice("there is no `while`; a loop is `for i in 0..n { … }`")
        }
        '{' if site.line_has("fn") || site.line_has("def") => {
            Help::advice("a block stands outside all braces: `block name(x) { … }`")
        }
        '{' if site.word_before() == "if" => Help::advice("write a condition after the `if`"),
        '{' if site.word_before() == "repeat" => Help::advice("say how often: `repeat 3 { … }`"),
        '{' if site.wants(&[Rule::values]) => Help::advice(
            "`elastic` decides a value, as in `elastic [3, 5]`; steps stand behind `choose`",
        ),
        '{' if site.wants_value() => Help::advice("a list stands in `[ ]`, a tuple in `( )`"),
        '*' if site.wants(&[Rule::use_names]) => Help::advice("name what is imported: `{a, b}`"),
        '"' if site.wants(&[Rule::close_brace]) => {
            Help::advice(r"a brace in a string is written `\{`")
        }
        '-' if site.before.ends_with(|c: char| c.is_ascii_alphanumeric()) => Help::advice(NAME),
        '\r' | '\n' if site.rules == [Rule::args] => {
            Help::advice("write its arguments, as in `segmentation(19)`")
        }
        c if c.is_alphabetic() && !c.is_ascii() => Help::advice(NAME),
        c if c.is_whitespace() && !c.is_ascii() => {
            site.replace(c.len_utf8(), " ", |_| "write a plain space".to_owned())
        }
        c if !is_shown(c) && !c.is_whitespace() => {
            site.remove(c.len_utf8(), "remove it: it does not show, and means nothing")
        }
        _ => return None,
    })
}

/// In `x.conv(8, kernel = 3)` the parser sees a field and a parenthesis.
fn equals_in_expression(site: Site<'_>) -> Help {
    let open = open_brackets(site.before).pop();
    let callee = open.and_then(|(at, _)| site.before.get(..at)).unwrap_or_default();
    let name = callee.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if site.wants(&[Rule::close_paren]) && name.len() < callee.len() && name.ends_with('.') {
        let says = |new: &str| format!("a step is written `x {new} conv(8, kernel = 3)`");
        Fix::replace(site.at(name.len() - 1, name.len()), " -> ", says).into()
    } else {
        site.replace(1, "==", |new| format!("`{new}` compares two values"))
    }
}
