//! The help of a syntax error: what people write who know other languages, and what it is here.

use crate::brackets::open_brackets;
use crate::rules::Rule;
use crate::scan::{ITEM_WORDS, Scanner, TokenKind, leading_word};
use crate::words::{is_item_expected, is_name_expected, is_reserved, is_shown};

/// A place where something else was expected.
#[derive(Clone, Copy)]
pub(crate) struct Site<'t> {
    /// The item up to the place.
    pub(crate) before: &'t str,
    /// The text from the place on.
    pub(crate) rest: &'t str,
    /// What was expected.
    pub(crate) rules: &'t [Rule],
}

impl Site<'_> {
    fn wants(&self, any: &[Rule]) -> bool {
        any.iter().any(|rule| self.rules.contains(rule))
    }

    fn wants_value(&self) -> bool {
        self.wants(&[Rule::expr, Rule::operand, Rule::primary, Rule::element, Rule::arg])
    }

    /// The word before the place, with nothing but blanks between.
    fn word_before(&self) -> &str {
        let is_ident = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let before = self.before.trim_end_matches([' ', '\t']);
        before.rsplit(|c| !is_ident(c)).next().unwrap_or_default()
    }

    /// The words of the line before the place.
    fn line_has(&self, word: &str) -> bool {
        let line = self.before.rsplit('\n').next().unwrap_or_default();
        line.split(|c: char| !c.is_ascii_alphanumeric()).any(|w| w == word)
    }

    /// Whether a colon, a type and a `=` stand at the place.
    fn has_type(&self) -> bool {
        let of_type =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ' | '[' | ']' | ',');
        let after = self.rest.trim_start_matches(':').trim_start_matches(of_type);
        after.starts_with('=')
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
}

/// An edit for the text that stands where something else was expected, where one is likely.
pub(crate) fn help(site: Site<'_>) -> Option<String> {
    let word = leading_word(site.rest);
    if site.wants(&[Rule::close_string]) {
        return Some(r#"after a backslash stands `\\`, `"`, `{` or `n`"#.to_owned());
    }
    if word_for_name(site).is_some() {
        return Some(format!("use another name, such as `{word}_`"));
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

fn at_item(site: Site<'_>) -> Option<String> {
    let word = leading_word(site.rest);
    let lower = word.to_ascii_lowercase();
    Some(match word {
        "def" | "fn" | "func" | "function" | "class" | "module" => {
            "a block is written `block name(x) { … }`".to_owned()
        }
        "import" | "from" | "include" => "an import is written `use std.blocks.{name}`".to_owned(),
        "let" | "var" => "a value of the file is written `const NAME = …`".to_owned(),
        "pub" | "export" | "public" => {
            format!("leave `{word}` out; other files can import every item")
        }
        "if" | "for" | "input" | "output" | "task" | "require" => {
            format!("`{word}` stands in the braces of a block or a space")
        }
        _ if ITEM_WORDS.contains(&lower.as_str()) => format!("write `{lower}`"),
        _ => return by_mark(site).map(str::to_owned),
    })
}

fn within(site: Site<'_>) -> Option<String> {
    let word = leading_word(site.rest);
    if matches!(word, "input" | "output" | "task" | "require") && site.wants(&[Rule::statement]) {
        return Some(format!("`{word}` stands directly in a space"));
    }
    if site.rest.starts_with('.') && site.wants_value() {
        let digits = leading_word(site.rest.get(1..).unwrap_or_default());
        if digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Some(format!("write `0.{digits}`"));
        }
    }
    let found = by_word(site, word).or_else(|| by_pair(site)).or_else(|| by_mark(site));
    found.map(str::to_owned).or_else(|| after_operator(site))
}

/// Operators that end with others stand before those.
const OPERATORS: [&str; 17] =
    ["->", "<=", ">=", "==", "!=", "..", "<", ">", "=", "+", "-", "*", "/", "%", "^", "and", "or"];

/// The help where what an operator stands in ends behind it.
fn after_operator(site: Site<'_>) -> Option<String> {
    let is_end = site.rest.starts_with([')', ']', '}', ',']) && site.wants_value();
    let before = site.before.trim_end();
    let operator = OPERATORS.into_iter().find(|operator| before.ends_with(operator))?;
    let what = if operator == "->" { "step" } else { "value" };
    is_end.then(|| format!("write a {what} after the `{operator}`"))
}

fn by_word(site: Site<'_>, word: &str) -> Option<&'static str> {
    let is_digits = word.starts_with(|c: char| c.is_ascii_digit())
        && word.contains(|c: char| !c.is_ascii_digit());
    Some(match word {
        "expect" if site.wants(&[Rule::statement, Rule::space_statement]) => {
            "an `expect` stands in an `arch`, or outside all braces"
        }
        "else" if site.wants(&[Rule::statement, Rule::space_statement]) => {
            "an `else` follows the `}` of an `if`"
        }
        "if" if site.wants(&[Rule::operator]) => CONDITION,
        "else" if site.wants(&[Rule::open_body]) => CONDITION,
        "for" if site.wants(&[Rule::kw_of]) => "write `of`",
        "for" if site.wants(&[Rule::close_bracket]) => {
            "a list made by a loop is written `[for i in 0..n { 2 * i }]`"
        }
        _ if site.word_before() == "mut" => "a value that changes is declared with `var`",
        _ if is_digits && is_name_expected(site.rules) => NAME,
        _ => return None,
    })
}

const CONDITION: &str = "a value by condition is written `if condition { a } else { b }`";
const NAME: &str = "a name is made of the letters a to z, digits and `_`, and begins with no digit";
const CANDIDATE: &str = "each candidate has a name: `name: step`";

/// Marks of several characters, of which the first may have been read as an operator.
fn by_pair(site: Site<'_>) -> Option<&'static str> {
    let before = site.before.trim_end_matches([' ', '\t']);
    let is_assigned =
        site.rest.starts_with('=') && !site.rest.starts_with("==") && site.wants_value();
    Some(match site.rest.get(..2).unwrap_or(site.rest) {
        "&&" => "write `and`",
        "||" => "write `or`",
        "|>" => "a pipeline is written `x -> f`",
        "::" => "write `.`",
        "!=" => return None,
        "==" if site.wants(&[Rule::equals, Rule::assign_op]) => "write `=`; `==` compares",
        "=>" if site.wants(&[Rule::colon]) => CANDIDATE,
        _ if site.rest.starts_with('*') && before.ends_with('*') => "a power is written `a ^ b`",
        _ if site.rest.starts_with('*') && before.ends_with('/') => COMMENT,
        _ if is_assigned && before.ends_with("..") => {
            "a range leaves its end out: `0..4` is 0, 1, 2, 3"
        }
        _ if is_assigned && before.ends_with(['+', '-', '*', '/', '%', '^']) => {
            "write it out: `x = x + y`"
        }
        _ if is_assigned && site.word_before() == "minimize" => "leave the `=` out",
        _ if is_assigned && leading_word(site.before) == "target" => "leave the `=` out",
        _ => return None,
    })
}

/// The help where a line opens a bracket that only its comment closes.
pub(crate) fn commented_closer(line: &str, open: char, close: char) -> Option<&'static str> {
    let comment = Scanner::new(line).find(|token| token.kind == TokenKind::Comment)?;
    let comment = line.get(comment.start..)?;
    let is_closed = comment.matches(close).count() > comment.matches(open).count();
    is_closed.then_some("`//` begins a comment; whole numbers are divided by `/`, rounded down")
}

const COMMENT: &str = "a comment begins with `//`";

// A table: one row for each mark and place.
fn by_mark(site: Site<'_>) -> Option<&'static str> {
    let first = site.rest.chars().next()?;
    let wants_brace =
        site.wants(&[Rule::open_body, Rule::open_block, Rule::open_space, Rule::open_arms]);
    Some(match first {
        ')' | ']' | '}' if site.is_stray_closer() => "remove it: nothing opens it",
        '-' if site.rest.starts_with("->")
            && site.before.trim_end().ends_with("->")
            && site.wants_value() =>
        {
            "remove `->`"
        }
        '}' if site.wants(&[Rule::use_names, Rule::ident])
            && leading_word(site.before) == "use" =>
        {
            "name what is imported: `{a, b}`"
        }
        '{' if site.rules == [Rule::params] || site.rules == [Rule::open_params] => {
            "a block has its tensors as parameters: `block name(x) { … }`"
        }
        ';' => "remove it: a new line is enough",
        '\'' | '“' | '”' | '‘' | '’' => "strings stand in double quotes: `\"…\"`",
        '#' => COMMENT,
        '/' if site.rest.starts_with("/*") => COMMENT,
        '&' => "write `and`",
        '|' => "write `or`",
        '!' => "write `not`",
        '~' | '≈' => "a claim about a published figure is written `macs ~= 3.01G`",
        '?' => CONDITION,
        ':' if wants_brace => "a body stands in braces: `{ … }`",
        ':' if site.wants(&[Rule::close_bracket, Rule::open_start]) => {
            "a slice is written `list[1..3]`"
        }
        ':' if site.wants(&[Rule::assign_op]) => "an argument by name is written `name = value`",
        ':' if site.wants(&[Rule::equals]) => {
            if site.wants(&[Rule::close_paren]) {
                "parameters have no types; a default is written `name = value`"
            } else if site.has_type() {
                "leave the type out: `name = value`"
            } else {
                "write `=`"
            }
        }
        '=' if site.wants(&[Rule::colon]) => "write `:`",
        '=' if site.wants(&[Rule::open_section]) => {
            "a setting stands in its section: `schedule { epochs = 10 }`"
        }
        '=' if site.wants(&[Rule::operator]) => equals_in_expression(site),
        '(' | ',' | '}' if site.wants(&[Rule::colon]) => CANDIDATE,
        '{' if site.line_has("elif") => "write `else if`",
        '{' if site.line_has("while") => "there is no `while`; a loop is `for i in 0..n { … }`",
        '{' if site.line_has("fn") || site.line_has("def") => {
            "a block stands outside all braces: `block name(x) { … }`"
        }
        '{' if site.word_before() == "if" => "write a condition after the `if`",
        '{' if site.word_before() == "repeat" => "say how often: `repeat 3 { … }`",
        '{' if site.wants(&[Rule::values]) => {
            "`elastic` decides a value, as in `elastic [3, 5]`; steps stand behind `choose`"
        }
        '{' if site.wants_value() => "a list stands in `[ ]`, a tuple in `( )`",
        '*' if site.wants(&[Rule::use_names]) => "name what is imported: `{a, b}`",
        '"' if site.wants(&[Rule::close_brace]) => r"a brace in a string is written `\{`",
        '-' if site.before.ends_with(|c: char| c.is_ascii_alphanumeric()) => NAME,
        '\r' | '\n' if site.rules == [Rule::args] => {
            "write its arguments, as in `segmentation(19)`"
        }
        c if c.is_alphabetic() && !c.is_ascii() => NAME,
        c if c.is_whitespace() && !c.is_ascii() => "write a plain space",
        c if !is_shown(c) && !c.is_whitespace() => "remove it: it does not show, and means nothing",
        _ => return None,
    })
}

/// In `x.conv(8, kernel = 3)` the parser sees a field and a parenthesis.
fn equals_in_expression(site: Site<'_>) -> &'static str {
    let callee = site.before.rfind('(').and_then(|at| site.before.get(..at)).unwrap_or_default();
    let name = callee.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if site.wants(&[Rule::close_paren]) && name.len() < callee.len() && name.ends_with('.') {
        "a step is written `x -> conv(8, kernel = 3)`"
    } else {
        "`==` compares two values"
    }
}
