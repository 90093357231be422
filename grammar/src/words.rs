//! What each rule of the grammar is called in a syntax error.

use crate::rules::Rule;
use crate::scan::{ITEM_WORDS, leading_word};

const ITEM: &str =
    "an item (`use`, `const`, `block`, `cell`, `space`, `arch`, `target`, `search` or `expect`)";
const STATEMENT: &str = "a statement";
const EXPRESSION: &str = "an expression";
const OPERATOR: &str = "an operator";
const FIELD: &str = "a field, such as `.channels`";
const INDEX: &str = "an index in `[ ]`";
const ARGUMENT: &str = "an argument";
const ARGUMENTS: &str = "arguments in `( )`";

/// The words for one rule, or `None` where the rule says nothing to a reader.
// A table: one row a rule, exhaustive so that a new rule needs its words.
pub(crate) fn words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::WHITESPACE | Rule::COMMENT | Rule::keyword | Rule::ident_text | Rule::ident_char => {
            return None;
        }
        Rule::EOI | Rule::one_item | Rule::item_end | Rule::next_item | Rule::item => ITEM,
        Rule::setting_text
        | Rule::assigned_objective
        | Rule::assigned_goal
        | Rule::assigned_field
        | Rule::setting_path => "a setting, such as `schedule.epochs=10`",
        Rule::limit_text => "a limit, such as `macs <= 300M`",
        Rule::end_of_text => "the end",
        Rule::use_item => "a `use` item",
        Rule::module_path => "a module to import from, such as `std.blocks.{conv_bn_relu}`",
        Rule::use_names => "the imported names in `{ }`",
        Rule::const_item => "a `const` item",
        Rule::block_item => "a block",
        Rule::block_body | Rule::open_block => "`{` after the parameters",
        Rule::space_item => "a space",
        Rule::arch_item => "an `arch` item",
        Rule::arch_entry | Rule::arch_choice => {
            "the candidates of a decision, such as `op = [a, b]`"
        }
        Rule::space_ref => "the name of a space",
        Rule::for_target | Rule::kw_for_target => "`for` with a target",
        Rule::target_item => "a target",
        Rule::target_entry | Rule::target_setting => "an entry, such as `opset 17`",
        Rule::supports | Rule::kw_supports => "`supports`",
        Rule::support_row | Rule::supported => "an operator, such as `conv(kernel <= 7)`",
        Rule::conditions => "conditions in `( )`",
        Rule::latency | Rule::kw_latency => "`latency`",
        Rule::kw_table => "`table` with the path of a file",
        Rule::search_item => "a recipe",
        Rule::setting | Rule::section => "a setting, such as `schedule { epochs = 10 }`",
        Rule::objective | Rule::goal => "`minimize` or `maximize`",
        Rule::kw_minimize => "`minimize`",
        Rule::kw_maximize => "`maximize`",
        Rule::field => "a field, such as `rate = 0.1`",
        Rule::law | Rule::assigned_law | Rule::law_name => "the name of an annealing law",
        Rule::law_argument => "the argument of an annealing law, such as `(3)`",
        Rule::expect_item | Rule::kw_expect => "`expect`",
        Rule::tolerance | Rule::kw_within => "`within`",
        Rule::percentage => "a percentage, such as `2.5%`",
        Rule::params | Rule::open_params => "`(` with the parameters",
        Rule::param => "a parameter",
        Rule::body | Rule::open_body => "`{`",
        Rule::statement | Rule::space_statement | Rule::expr_stmt => STATEMENT,
        Rule::let_stmt | Rule::kw_let => "`let`",
        Rule::var_stmt | Rule::kw_var => "`var`",
        Rule::assign_stmt => "an assignment",
        Rule::for_stmt | Rule::for_element | Rule::kw_for => "`for`",
        Rule::for_clause => "`name in list`",
        Rule::input_stmt | Rule::kw_input => "`input`",
        Rule::task_stmt | Rule::kw_task => "`task`",
        Rule::output_stmt | Rule::kw_output => "`output`",
        Rule::train_stmt | Rule::kw_train => "`train output`",
        Rule::require_stmt | Rule::kw_require => "`require`",
        Rule::pattern | Rule::tuple_pattern => "a name or a tuple such as `(a, b)`",
        Rule::expr | Rule::operand | Rule::primary | Rule::prefix | Rule::element => EXPRESSION,
        Rule::name | Rule::ident => "a name",
        Rule::call => "a call",
        Rule::args => ARGUMENTS,
        Rule::arg | Rule::named_arg => ARGUMENT,
        Rule::field_access => FIELD,
        Rule::index | Rule::open_start | Rule::open_end => INDEX,
        Rule::list => "a list",
        Rule::paren => "`(`",
        Rule::comma => "`,`",
        Rule::if_expr | Rule::kw_if | Rule::guard => "`if`",
        Rule::else_body | Rule::kw_else => "`else`",
        Rule::choose_expr | Rule::kw_choose => "`choose`",
        Rule::kw_elastic => "`elastic`",
        Rule::values => "a list of values, such as `[3, 5]`",
        Rule::repeat_expr | Rule::kw_repeat => "`repeat`",
        Rule::kw_as => "`as` with a name",
        Rule::open_choose => "`{` with the candidates",
        Rule::open_arms => "`{` with the candidates that the `for` makes",
        Rule::arm | Rule::for_arm | Rule::named_arm => "a candidate, such as `name: step`",
        Rule::infix | Rule::operator => OPERATOR,
        Rule::arrow => "`->`",
        Rule::eq => "`==`",
        Rule::near => "`~=`",
        Rule::ne => "`!=`",
        Rule::le => "`<=`",
        Rule::ge => "`>=`",
        Rule::lt => "`<`",
        Rule::gt => "`>`",
        Rule::range => "`..`",
        Rule::add => "`+`",
        Rule::sub | Rule::neg => "`-`",
        Rule::mul => "`*`",
        Rule::div => "`/`",
        Rule::rem => "`%`",
        Rule::pow => "`^`",
        Rule::number | Rule::digits | Rule::exponent | Rule::unit => "a number",
        Rule::string => "a string",
        Rule::text | Rule::escape | Rule::interpolation => return None,
        Rule::equals | Rule::assign_op => "`=`",
        Rule::colon => "`:`",
        Rule::dot => "`.`",
        Rule::open_space => "`{` after the space's name and parameters",
        Rule::open_arch => "`{` after the space's name",
        Rule::open_target => "`{` after the target's name",
        Rule::open_supports => "`{` with the operators that the target supports",
        Rule::open_search => "`{` after the space's name",
        Rule::open_section => "`{` with the fields of the setting",
        Rule::close_brace => "`}`",
        Rule::close_paren => "`)`",
        Rule::close_bracket => "`]`",
        Rule::close_string => "`\"` at the end of the string",
        Rule::kw_use => "`use`",
        Rule::kw_const => "`const`",
        Rule::kw_block => "`block`",
        Rule::kw_cell => "`cell`",
        Rule::kw_space => "`space`",
        Rule::kw_arch => "`arch`",
        Rule::kw_target => "`target`",
        Rule::kw_search => "`search`",
        Rule::kw_of => "`of` and the name of the space",
        Rule::kw_in => "`in`",
        Rule::kw_and => "`and`",
        Rule::kw_or => "`or`",
        Rule::kw_not => "`not`",
        Rule::kw_true => "`true`",
        Rule::kw_false => "`false`",
    })
}

/// The expectations at one place as a phrase: "`,` or `)`".
pub(crate) fn phrase(rules: &[Rule]) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in rules.iter().filter_map(|&rule| words(rule)) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    if parts.contains(&ITEM) {
        let in_expression = parts.contains(&OPERATOR);
        return if in_expression {
            format!("{OPERATOR} or the next item")
        } else {
            ITEM.to_owned()
        };
    }
    // What could continue a finished expression is noise beside what could follow it, and less
    // likely to be what was forgotten.
    without(&mut parts, &[FIELD, INDEX]);
    without(&mut parts, &[OPERATOR, ARGUMENTS]);
    if parts.contains(&STATEMENT) {
        without(&mut parts, &["`=`"]);
    }
    if parts.contains(&ARGUMENT) {
        without(&mut parts, &[EXPRESSION]);
    }
    match parts.split_last() {
        None => "something else".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => {
            // "a candidate, such as `a: b`, or `}`": without the comma, `}` would be an example.
            let comma = if rest.iter().any(|part| part.contains("such as")) { "," } else { "" };
            format!("{}{comma} or {last}", rest.join(", "))
        }
    }
}

/// Takes some words away, unless no others are left.
fn without(parts: &mut Vec<&str>, noise: &[&str]) {
    if parts.iter().any(|part| !noise.contains(part)) {
        parts.retain(|part| !noise.contains(part));
    }
}

/// The token at the start of a text as a diagnostic shows it, and its length.
pub(crate) fn found(text: &str) -> (String, usize) {
    let pair = text.get(..2).filter(|pair| {
        matches!(
            *pair,
            "==" | "!="
                | "<="
                | ">="
                | "->"
                | ".."
                | "&&"
                | "||"
                | "::"
                | "=>"
                | "|>"
                | "/*"
                | "\r\n"
        )
    });
    let name = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    let one = text.chars().next().map_or(0, char::len_utf8);
    let token = if name.is_empty() { pair.or(text.get(..one)).unwrap_or_default() } else { name };
    match token {
        "" => ("the end of the file".to_owned(), 0),
        "\n" | "\r" | "\r\n" => ("the end of the line".to_owned(), token.len()),
        token if !token.chars().any(is_shown) => {
            let code = token.chars().next().map_or(0, u32::from);
            (format!("the character U+{code:04X}"), token.len())
        }
        token => (format!("`{token}`"), token.len()),
    }
}

/// Whether a character shows on a screen: no blank, no control character, nothing of no width.
pub(crate) fn is_shown(character: char) -> bool {
    let has_no_width =
        matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    !character.is_whitespace() && !character.is_control() && !has_no_width
}

/// Whether nothing but an item, or more of a finished one, is expected.
pub(crate) fn is_item_expected(rules: &[Rule]) -> bool {
    rules.iter().any(|rule| words(*rule) == Some(ITEM))
}

/// Whether a name of the user's may stand at a place.
pub(crate) fn is_name_expected(rules: &[Rule]) -> bool {
    let wants_name = |rule: &Rule| matches!(words(*rule), Some(EXPRESSION | ARGUMENT | "a name"));
    let wants_binding = [Rule::pattern, Rule::param, Rule::arm].iter().any(|r| rules.contains(r));
    wants_binding || rules.iter().any(wants_name)
}

/// Whether a text begins with the word of an item.
pub(crate) fn begins_item(text: &str) -> bool {
    ITEM_WORDS.contains(&leading_word(text))
}

/// Whether a text begins with the word of a statement or an item.
pub(crate) fn begins_statement(text: &str) -> bool {
    matches!(leading_word(text), "let" | "var" | "input" | "task" | "output" | "require")
        || begins_item(text)
}

/// Whether a word is one of the language's own.
pub(crate) fn is_reserved(word: &str) -> bool {
    use pest::Parser;
    let is_word = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
    is_word && crate::rules::NasParser::parse(Rule::ident, word).is_err()
}
