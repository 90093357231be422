//! What each rule of the grammar is called in a syntax error.

use crate::rules::Rule;

/// The words for one rule, or `None` where the rule says nothing to a reader.
// A table: one row a rule, exhaustive so that a new rule needs its words.
pub(crate) fn words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::EOI => "the end of the file",
        Rule::WHITESPACE | Rule::COMMENT | Rule::keyword | Rule::ident_char => return None,
        Rule::one_item | Rule::item_end | Rule::next_item | Rule::item => {
            "an item (`use`, `const`, `block`, `space`, `arch`, `search` or `expect`)"
        }
        Rule::use_item => "a `use` item",
        Rule::module_path => "a module to import from, such as `std.blocks.{conv_bn_relu}`",
        Rule::use_names => "the imported names in `{ }`",
        Rule::const_item => "a `const` item",
        Rule::block_item => "a block",
        Rule::block_body | Rule::open_block => "`{` after the block's parameters",
        Rule::space_item => "a space",
        Rule::arch_item => "an `arch` item",
        Rule::arch_entry | Rule::arch_choice => {
            "the candidates of a decision, such as `op = [a, b]`"
        }
        Rule::space_ref => "the name of a space",
        Rule::search_item => "a recipe",
        Rule::setting | Rule::section => "a setting, such as `schedule { epochs = 10 }`",
        Rule::objective | Rule::kw_minimize => "`minimize`",
        Rule::field => "a field, such as `rate = 0.1`",
        Rule::law => "the name of an annealing law",
        Rule::expect_item | Rule::kw_expect => "`expect`",
        Rule::params | Rule::open_params => "`(` with the parameters",
        Rule::param => "a parameter",
        Rule::body | Rule::open_body => "`{`",
        Rule::statement | Rule::space_statement | Rule::expr_stmt => "a statement",
        Rule::let_stmt | Rule::kw_let => "`let`",
        Rule::var_stmt | Rule::kw_var => "`var`",
        Rule::assign_stmt => "an assignment",
        Rule::for_stmt | Rule::kw_for => "`for`",
        Rule::for_clause => "`name in list`",
        Rule::input_stmt | Rule::kw_input => "`input`",
        Rule::task_stmt | Rule::kw_task => "`task`",
        Rule::output_stmt | Rule::kw_output => "`output`",
        Rule::pattern | Rule::tuple_pattern => "a name or a tuple of names",
        Rule::expr | Rule::operand | Rule::primary => "an expression",
        Rule::name | Rule::ident => "a name",
        Rule::call => "a call",
        Rule::args => "arguments in `( )`",
        Rule::arg | Rule::named_arg => "an argument",
        Rule::field_access => "a field, such as `.channels`",
        Rule::index => "an index in `[ ]`",
        Rule::list => "a list",
        Rule::paren => "`(`",
        Rule::comma => "`,`",
        Rule::if_expr | Rule::kw_if | Rule::guard => "`if`",
        Rule::else_body | Rule::kw_else => "`else`",
        Rule::choose_expr | Rule::kw_choose => "`choose`",
        Rule::open_choose => "`{` with the candidates",
        Rule::open_arms => "`{` with the candidates that the `for` makes",
        Rule::arm | Rule::for_arm | Rule::named_arm => "a candidate, such as `name: step`",
        Rule::infix | Rule::operator => "an operator",
        Rule::arrow => "`->`",
        Rule::eq => "`==`",
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
        Rule::prefix => "`-` or `not`",
        Rule::number | Rule::digits | Rule::exponent | Rule::unit => "a number",
        Rule::string => "a string",
        Rule::text | Rule::escape | Rule::interpolation => "the rest of the string",
        Rule::equals | Rule::assign_op => "`=`",
        Rule::colon => "`:`",
        Rule::dot => "`.`",
        Rule::open_space => "`{` after the space's name and parameters",
        Rule::open_arch => "`{` after the space's name",
        Rule::open_search => "`{` after the space's name",
        Rule::open_section => "`{` with the fields of the setting",
        Rule::close_brace => "`}`",
        Rule::close_paren => "`)`",
        Rule::close_bracket => "`]`",
        Rule::close_string => "`\"` at the end of the string",
        Rule::kw_use => "`use`",
        Rule::kw_const => "`const`",
        Rule::kw_block => "`block`",
        Rule::kw_space => "`space`",
        Rule::kw_arch => "`arch`",
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

/// The expectations at one place as a phrase: "`,`, an operator or `)`".
pub(crate) fn phrase(rules: &[Rule]) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in rules.iter().filter_map(|&rule| words(rule)) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    // Where an item may follow, what could also continue the last one is noise.
    if let Some(item) = parts.iter().find(|p| p.starts_with("an item")) {
        return (*item).to_owned();
    }
    match parts.split_last() {
        None => "something else".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// Whether a word is one of the language's own.
pub(crate) fn is_reserved(word: &str) -> bool {
    use pest::Parser;
    let is_word = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
    is_word && crate::rules::NasParser::parse(Rule::ident, word).is_err()
}
