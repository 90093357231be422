//! Recipes from text: what is read, what is refused and how it is said.

use miette::Diagnostic;
use nas_grammar::ast::{BinaryOp, Element, Expr, ExprKind, ItemKind, UnaryOp};
use nas_grammar::{Problem, Source, parse};
use nas_ir::metric::Direction;
use nas_ir::recipe::objective::{NoGradient, Weighed};
use nas_ir::recipe::{
    Anneal, ClassWeights, Law, MINIMIZE, NoSetting, Optimizer, Recipe, StrategySchema, Value,
    Variable,
};
use nas_ir::{Measure, Metric};
use nas_search::strategies::{SCHEMAS, gumbel, random};

use super::Static;
use crate::items::search::overrides::Override;
use crate::items::search::read::{check, check_default};

/// Numbers, strings and `+ - * /` of them: what the compiler's evaluator does, in small.
fn evaluate(expr: &Expr, source: &Source) -> Result<Static, Vec<Problem>> {
    let number = |value: f64, whole: bool| {
        if whole { Static::Integer(value as i128) } else { Static::Real(value) }
    };
    Ok(match &expr.kind {
        ExprKind::Number(text) => literal(text),
        ExprKind::Bool(value) => Static::Flag(*value),
        ExprKind::Text(_) => {
            let written = &source.text()[expr.span.range()];
            Static::Text(written.trim_matches('"').to_owned())
        }
        ExprKind::Paren(inner) => evaluate(inner, source)?,
        ExprKind::Tuple(parts) => {
            Static::Tuple(parts.iter().map(|p| evaluate(p, source)).collect::<Result<_, _>>()?)
        }
        ExprKind::List(parts) => {
            let of = |part: &Element| match part {
                Element::Value(expr) => evaluate(expr, source),
                Element::For(..) => Err(unknown(expr, source)),
            };
            Static::List(parts.iter().map(of).collect::<Result<_, _>>()?)
        }
        ExprKind::Unary(UnaryOp::Neg, inner) => match evaluate(inner, source)? {
            Static::Integer(value) => Static::Integer(-value),
            Static::Real(value) => Static::Real(-value),
            other => other,
        },
        ExprKind::Binary(op, left, right) => {
            let (left, right) = (evaluate(left, source)?, evaluate(right, source)?);
            let whole = matches!((&left, &right), (Static::Integer(_), Static::Integer(_)));
            let (left, right) = (real(&left), real(&right));
            match op {
                BinaryOp::Add => number(left + right, whole),
                BinaryOp::Sub => number(left - right, whole),
                BinaryOp::Mul => number(left * right, whole),
                BinaryOp::Div => number(left / right, whole),
                _ => return Err(unknown(expr, source)),
            }
        }
        ExprKind::Name(name) if name == "SIZE" => {
            Static::Tuple(vec![Static::Integer(32), Static::Integer(48)])
        }
        ExprKind::Name(name) if name == "TEN" => Static::Integer(10),
        _ => return Err(unknown(expr, source)),
    })
}

fn real(value: &Static) -> f64 {
    match value {
        Static::Integer(value) => *value as f64,
        Static::Real(value) => *value,
        other => panic!("{other:?} is no number"),
    }
}

fn literal(text: &str) -> Static {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => 1.0,
        "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "ms" => 1e-3,
        other => panic!("unit {other}"),
    };
    match digits.replace('_', "").parse::<i128>() {
        Ok(value) if unit >= 1.0 => Static::Integer(value * unit as i128),
        _ => Static::Real(digits.parse::<f64>().unwrap() * unit),
    }
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("cannot evaluate {what}")]
#[diagnostic(code(nas::test::unknown))]
struct Unknown {
    what: String,
}

fn unknown(expr: &Expr, source: &Source) -> Vec<Problem> {
    vec![Unknown { what: source.text()[expr.span.range()].to_owned() }.into()]
}

fn read(settings: &str, overrides: &[&str]) -> Result<Recipe, Vec<Problem>> {
    let source = Source::new("t.nas", format!("search quick of tiny {{\n{settings}\n}}\n"));
    let parsed = parse(&source);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let ItemKind::Search(search) = &parsed.file.items[0].kind else { panic!("no search") };
    let overrides: Vec<Override> = overrides.iter().map(|o| Override::parse(o).unwrap()).collect();
    check(search, &source, &overrides, SCHEMAS, &mut evaluate)
}

fn recipe(settings: &str) -> Recipe {
    read(settings, &[]).unwrap()
}

/// A setting of the strategy.
fn own(recipe: &Recipe, section: &str, field: &str) -> Value {
    recipe.settings.get(section, field).unwrap().clone()
}

/// Code, labelled text and help of every problem, a line each.
fn said(result: Result<Recipe, Vec<Problem>>) -> Vec<String> {
    let problems = result.expect_err("problems");
    problems.iter().map(|problem| line(problem.as_ref())).collect()
}

fn line(problem: &dyn Diagnostic) -> String {
    let code = problem.code().unwrap().to_string();
    let code = code.strip_prefix("nas::recipe::").unwrap_or(&code).to_owned();
    let labels: Vec<String> = problem
        .labels()
        .into_iter()
        .flatten()
        .map(|label| {
            let source = problem.source_code().expect("labels have a source");
            let read = source.read_span(label.inner(), 0, 0).expect("labels lie in the source");
            let text = String::from_utf8(read.data().to_vec()).unwrap();
            format!("`{}` {}", text.trim(), label.label().unwrap_or_default())
        })
        .collect();
    let help = problem.help().map(|help| help.to_string()).unwrap_or_default();
    format!("{code}: {problem} | {} | {help}", labels.join("; "))
}

fn one(settings: &str) -> String {
    let mut lines = said(read(settings, &[]));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

#[test]
fn the_recipe_of_the_language_page_is_read() {
    let recipe = recipe(
        "strategy gumbel { temperature = 5.0 -> 1.0, prune_below = 0.005 }
         minimize cross_entropy + 0.02 * macs / 1M
         data cityscapes { path = \"data/cityscapes\", crop = (768, 512), flip = true, scale = 0.5..2.0 }
         weights sgd { rate = 0.05 -> 0 cosine, momentum = 0.8, decay = 1e-4 }
         choices adam { rate = 0.01, decay = 5e-4 }
         schedule { epochs = 120, warmup = 20, alternate = epoch, split = 0.7, seed = 18446744073709551615 }
         derive { sample = 100, keep = 6 }
         retrain { epochs = 400 }",
    );
    assert_eq!(recipe.name, "quick");
    assert_eq!(recipe.strategy, &gumbel::SCHEMA);
    let temperature = Anneal { from: 5.0, to: 1.0, law: Law::Linear };
    assert_eq!(own(&recipe, "strategy", "temperature"), Value::Anneal(temperature));
    assert_eq!(recipe.objective.measure(), Measure::Macs);
    assert!((recipe.objective.weighed().unwrap().factor - 0.02e-6).abs() < 1e-20);
    assert_eq!(recipe.data.crop, Some([768, 512]));
    assert_eq!(recipe.data.scale, Some([0.5, 2.0]));
    assert_eq!(recipe.data.path, "data/cityscapes");
    assert_eq!(recipe.weights.rate, Anneal { from: 0.05, to: 0.0, law: Law::Cosine });
    assert_eq!(recipe.weights.momentum, 0.8);
    assert_eq!(own(&recipe, "choices", "rate"), Value::Real(0.01));
    assert_eq!(own(&recipe, "choices", "decay"), Value::Real(5e-4));
    assert_eq!(recipe.schedule.epochs, 120);
    assert_eq!(own(&recipe, "schedule", "warmup"), Value::Count(20));
    assert_eq!(own(&recipe, "schedule", "split"), Value::Real(0.7));
    assert_eq!(recipe.seed, u64::MAX);
    assert_eq!(own(&recipe, "derive", "sample"), Value::Count(100));
    assert_eq!(own(&recipe, "derive", "keep"), Value::Count(6));
    assert_eq!(recipe.retrain.epochs, 400);
}

#[test]
fn what_is_not_said_is_the_default_of_the_table() {
    let empty = recipe("");
    let default = Recipe::default_for("tiny", &gumbel::SCHEMA).unwrap();
    assert_eq!(Recipe { name: "tiny".to_owned(), ..empty.clone() }, default);
    assert_eq!(check_default("quick", &[], SCHEMAS, &mut evaluate).unwrap(), empty);
    let warmup = |settings: &str| own(&recipe(settings), "schedule", "warmup");
    assert_eq!(warmup(""), Value::Count(empty.schedule.epochs / 4));
    assert_eq!(warmup("schedule { epochs = 8 }"), Value::Count(2));
    assert_eq!(own(&recipe("derive { sample = 3 }"), "derive", "keep"), Value::Count(3));
    let mixing = own(&recipe("strategy { mixing = hard }"), "strategy", "mixing");
    assert_eq!(mixing, Value::Word("hard"));
    let random = recipe("strategy random { }");
    let default = Recipe::default_for("quick", &random::SCHEMA).unwrap();
    assert_eq!(random, default);
}

/// Every default, written out as the schema shows it, is accepted and changes nothing; so the
/// reference's defaults are true and each row reaches its own place.
#[test]
fn written_defaults_are_the_defaults() {
    for schema in SCHEMAS {
        let mut text = format!("minimize {}\n", MINIMIZE.written);
        for section in schema.sections {
            let kind = if section.name == "strategy" { schema.name } else { "" };
            text.push_str(&format!("{} {kind} {{\n", section.name));
            for field in section.fields {
                let shown = field.kind.default();
                let is_of_others = Optimizer::Sgd.lacks(field.name).is_some();
                if is_of_others && ["weights", "retrain"].contains(&section.name) {
                    continue;
                }
                if shown == field.kind.example() {
                    text.push_str(&format!("    {} = {shown}\n", field.name));
                }
            }
            text.push_str("}\n");
        }
        let written = recipe(&text);
        let default = Recipe::default_for("quick", schema).unwrap();
        assert_eq!(written.objective.weighed(), default.objective.weighed());
        let all = |recipe: &Recipe, (section, field): (&str, &str)| {
            recipe.settings.get(section, field).cloned()
        };
        for (section, field) in schema.fields() {
            let at = (section.name, field.name);
            assert_eq!(all(&written, at), all(&default, at), "{at:?}");
        }
        let settings = default.settings.clone();
        assert_eq!(Recipe { objective: default.objective.clone(), settings, ..written }, default);
    }
}

/// An example value of a row is accepted by that row.
#[test]
fn examples_are_accepted() {
    for schema in SCHEMAS {
        for (section, field) in schema.fields() {
            let set = format!("{}.{}={}", section.name, field.name, field.kind.example());
            let mut sets = vec![set.clone()];
            // Of what is a setting of other optimisers, one of those.
            if let Some([other, ..]) = Optimizer::Sgd.lacks(field.name)
                && ["weights", "retrain"].contains(&section.name)
            {
                sets.push(format!("{}.optimizer={}", section.name, other.word()));
            }
            let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
            let read = read(&format!("strategy {} {{ }}", schema.name), &sets);
            assert!(read.is_ok(), "{set}: {:?}", read.map_err(|p| line(p[0].as_ref())));
        }
    }
}

#[test]
fn every_row_says_what_it_is() {
    for (_, field) in SCHEMAS.iter().flat_map(|schema| schema.fields()) {
        assert!(!field.doc.is_empty() && !field.doc.ends_with('.'), "{}", field.name);
        assert!(!field.kind.expected().is_empty() && !field.kind.default().is_empty());
    }
}

#[test]
fn constants_and_single_sides() {
    assert_eq!(recipe("data { crop = SIZE }").data.crop, Some([32, 48]));
    assert_eq!(recipe("data { crop = 64 }").data.crop, Some([64, 64]));
    assert_eq!(recipe("data { crop = (TEN * 2, (7)) }").data.crop, Some([20, 7]));
    assert_eq!(recipe("weights { rate = 0.1 }").weights.rate, Anneal::constant(0.1));
    assert_eq!(recipe("schedule { epochs = TEN * 1K }").schedule.epochs, 10_000);
    let rate = recipe("weights { rate = (1 -> 0.1) exponential }").weights.rate;
    assert_eq!(rate, Anneal { from: 1.0, to: 0.1, law: Law::Exponential });
}

/// What strategies that train choices make of an objective.
fn weighed(objective: &str) -> Result<Weighed, NoGradient> {
    recipe(objective).objective.weighed()
}

#[test]
fn a_linear_objective_weighs_one_measure() {
    for (text, factor, measure) in [
        ("minimize cross_entropy + 0.02 * macs / 1M", 2e-8, Measure::Macs),
        ("minimize macs * 2 / 1G + cross_entropy", 2e-9, Measure::Macs),
        ("minimize -(-loss - params / 1K)", 1e-3, Measure::Params),
        ("minimize 2 * (cross_entropy + macs) - macs", 0.5, Measure::Macs),
        ("minimize cross_entropy * TEN + params * TEN / 2 + 3", 0.5, Measure::Params),
        ("minimize cross_entropy + 1 / 1M * macs", 1e-6, Measure::Macs),
        ("minimize cross_entropy + 20 * latency", 2e-8, Measure::Latency),
        ("maximize -cross_entropy - params", 1.0, Measure::Params),
        ("minimize cross_entropy", 0.0, Measure::Macs),
    ] {
        let found = weighed(text).unwrap();
        assert!((found.factor - factor).abs() <= 1e-12 * factor, "{text}: {found:?}");
        assert_eq!((found.measure, found.above), (measure, 0.0), "{text}");
    }
}

#[test]
fn a_hinge_is_above_a_target() {
    for text in [
        "minimize cross_entropy + 50 * max(0, latency - 12ms)",
        "minimize cross_entropy + 50 * max(12ms, latency)",
        "minimize 2 * cross_entropy + 1.2 * max(latency / 12ms - 1, 0)",
    ] {
        let Weighed { factor, measure, above } = weighed(text).unwrap();
        assert_eq!((measure, above), (Measure::Latency, 12e6), "{text}");
        assert!((factor - 5e-8).abs() < 1e-20, "{text}: {factor}");
    }
}

#[test]
fn what_has_no_gradient_is_an_objective_all_the_same() {
    for (text, why) in [
        ("maximize miou - 0.1 * macs / 1M", NoGradient::Metric(Variable::Metric(Metric::Miou))),
        (
            "maximize metric(\"val/pq\") - macs / 1M",
            NoGradient::Metric(Variable::Named("val/pq".into())),
        ),
        ("maximize accuracy * (latency / 12ms) ^ -0.07", NoGradient::Formula),
        ("maximize accuracy * max(1, latency / 12ms) ^ -1", NoGradient::Formula),
        ("minimize cross_entropy * macs", NoGradient::Formula),
        ("minimize cross_entropy + macs + params", NoGradient::Terms),
        ("minimize cross_entropy + 0.02 * depth / 10", NoGradient::Measure(Measure::Depth)),
        ("minimize 2 * macs / (1 + accuracy)", NoGradient::Formula),
    ] {
        assert_eq!(weighed(text), Err(why), "{text}");
    }
}

/// Metrics that nasc does not know, beside those that it does.
#[test]
fn a_metric_of_any_name_is_read_and_written_again() {
    let text = "maximize metric(\"mAP@0.5\") * max(0, metric(\"r10\")) ^ 2 - metric(\"loss\")";
    let objective = recipe(text).objective;
    assert_eq!(objective.metrics(), ["mAP@0.5", "r10", "loss"]);
    let written = objective.goals[0].to_string();
    assert_eq!(
        written,
        "maximize (metric(\"mAP@0.5\") * (max(0, metric(\"r10\")) ^ 2)) - cross_entropy"
    );
    assert_eq!(recipe(&written).objective, objective);
    let wanted = |name| recipe("minimize 2 - metric(\"a\") + metric(\"b\")").objective.wanted(name);
    assert_eq!(wanted("a"), Some(Direction::Higher));
    assert_eq!((wanted("b"), wanted("c")), (Some(Direction::Lower), None));
}

#[test]
fn objectives_that_are_not() {
    for (text, code, at) in [
        ("minimize cross_entropy + macs / 0", "no_formula", "`macs / 0`"),
        ("minimize cross_entropy + macs % 2", "no_formula", "`macs % 2`"),
        ("minimize cross_entropy + 2 ^ macs", "no_formula", "`macs`"),
        ("minimize (cross_entropy - 1) ^ 0.5", "no_formula", "`(cross_entropy - 1) ^ 0.5`"),
        ("minimize cross_entropy / (macs - 1)", "no_formula", "`(macs - 1)`"),
        ("minimize cross_entropy + sum(macs)", "no_formula", "`sum(macs)`"),
        ("minimize cross_entropy + max(macs)", "no_formula", "`max(macs)`"),
        ("minimize cross_entropy + \"a\"", "no_formula", "`\"a\"`"),
        ("maximize metric(pq)", "no_formula", "its name stands in quotes"),
        ("maximize metric(3)", "no_formula", "has one name, in quotes"),
        ("maximize metric(\"a\", \"b\")", "no_formula", "has one name, in quotes"),
        ("maximize metric()", "no_formula", "has one name, in quotes"),
        ("maximize metric(\"\")", "no_formula", "has one name, in quotes"),
        ("maximize metric(\"pq\") ^ 0.5", "no_formula", "may be negative"),
        ("maximize metric", "unknown_measure", "`metric`"),
        ("minimize metric(\"miou\")", "worse_metric", "a lower `miou`"),
        ("minimize 0.02 * macs", "no_metric", "`minimize 0.02 * macs`"),
        ("minimize macs - cross_entropy", "worse_metric", "a higher `cross_entropy`"),
        ("minimize accuracy", "worse_metric", "a lower `accuracy`"),
        ("maximize cross_entropy", "worse_metric", "a higher `cross_entropy`"),
        ("minimize cross_entropy - latency", "rewards_cost", "`latency`"),
        ("maximize miou * macs ^ 0.1", "rewards_cost", "`macs`"),
        ("minimize cross_entropy + max(0, 12ms - latency)", "rewards_cost", "`latency`"),
    ] {
        let line = one(text);
        assert!(line.starts_with(&format!("{code}: ")) && line.contains(at), "{text}: {line}");
    }
    let near = one("minimize cross_entropy + mac / 1M");
    assert!(
        near.contains("did you mean `macs`? There are `cross_entropy`, `miou`, `accuracy`"),
        "{near}"
    );
}

/// A crop that no memory holds is refused where it is set, in the file and by `--set`.
#[test]
fn a_crop_has_sides_that_fit_into_memory() {
    assert_eq!(recipe("data { crop = (8192, 1) }").data.crop, Some([8192, 1]));
    for side in ["8193", "100000"] {
        let refused = |text: &str, set: &[&str]| {
            let lines = said(read(text, set));
            assert!(lines[0].contains("out_of_range: `data.crop`"), "{lines:?}");
            assert!(lines[0].contains("at most 8192"), "{lines:?}");
        };
        refused(&format!("minimize cross_entropy data {{ crop = ({side}, {side}) }}"), &[]);
        refused("minimize cross_entropy", &[&format!("data.crop=({side},{side})")]);
    }
}

#[test]
fn every_problem_is_reported_in_one_run() {
    let lines = said(read(
        "strategy evolution { temprature = 1 }
         shedule { epochs = 3 }
         weights sgd { rate = 0.1 -> 0 cosinus, momentum = 2 }
         data { flip = 1, crop = (0, 64), scale = 2.0..0.5, path = \"\" }
         schedule { epochs = 2.5, epochs = true }
         schedule x { split = 1 }
         minimize macs
         minimize cross_entropy",
        &[],
    ));
    let codes: Vec<&str> = lines.iter().filter_map(|line| line.split(':').next()).collect();
    let mut expected = vec![
        "unknown_kind",
        "unknown_field",
        "unknown_section",
        "unknown_law",
        "out_of_range",
        "wrong_value",
        "out_of_range",
        "empty_range",
        "wrong_value",
        "wrong_value",
        "repeated",
        "wrong_value",
        "repeated",
        "stray_kind",
        "out_of_range",
        "no_metric",
        "repeated",
    ];
    expected.sort_unstable();
    let mut codes = codes;
    codes.sort_unstable();
    assert_eq!(codes, expected, "{lines:#?}");
}

#[test]
fn words_of_diagnostics() {
    for (text, expected) in [
        (
            "schedule { epoch = 3 }",
            "unknown_field: `schedule` has no field `epoch` | `epoch` no field of `schedule` | \
             did you mean `epochs`? There are `epochs`, `warmup`, `alternate`, `split`, `seed`",
        ),
        (
            "banana { }",
            "unknown_section: unknown section `banana` | `banana` no section of a recipe | the sections are \
             `strategy`, `metrics`, `data`, `loss`, `weights`, `choices`, `schedule`, `derive`, `retrain`",
        ),
        (
            "strategy evolution { }",
            "unknown_kind: `strategy` cannot be `evolution` | `evolution` no kind of `strategy` | \
             write one of `gumbel`, `fbnetv2`, `darts`, `gdas`, `proxyless`, `random`, `grid`, `aging_evolution`, `local_search`, `tpe`, `bayesian`, `controller`, \
             `nsga2`, `successive_halving`, `hyperband`",
        ),
        (
            "strategy random { temperature = 2 }",
            "other_strategy: `temperature` is a setting of `gumbel`, `fbnetv2`, `gdas`, and this search is `strategy random` | \
             `temperature` `random` has none | search by `strategy gumbel`, or leave it out",
        ),
        (
            "choices adam { rate = 0.1 } strategy random { }",
            "other_strategy: `choices` is a setting of `gumbel`, `fbnetv2`, `darts`, `gdas`, `proxyless`, and this search is `strategy random` | \
             `choices` `random` has none | search by `strategy gumbel`, or leave it out",
        ),
        (
            "strategy { tournament = 3 }",
            "other_strategy: `tournament` is a setting of `aging_evolution`, and this search is `strategy gumbel` | \
             `tournament` `gumbel` has none | search by `strategy aging_evolution`, or leave it out",
        ),
        (
            "schedule { epochs = 2.5 }",
            "wrong_value: `schedule.epochs` takes a whole number | `2.5` this is the number 2.5 | \
             write `epochs = 40`",
        ),
        (
            "weights { momentum = 1 }",
            "out_of_range: `weights.momentum` must be at least 0 and below 1 | `1` this is 1 | \
             write `momentum = 0.9`",
        ),
        (
            "weights { momentum = 0.9 -> 0.5 }",
            "wrong_value: `weights.momentum` takes a number | `0.9 -> 0.5` this is a value that moves | \
             write `momentum = 0.9`",
        ),
        (
            "weights { rate = 0.1 -> 0 exponential }",
            "exponential_end: `exponential` goes by factors and never reaches 0 | `0` both ends must be above 0 | \
             write a small number above 0, or `cosine` instead of `exponential`",
        ),
        (
            "strategy { mixing = sfot }",
            "unknown_word: `strategy.mixing` cannot be `sfot` | `sfot` not a word that it takes | \
             did you mean `soft`? There are `soft`, `hard`",
        ),
        (
            "strategy { mixing = \"soft\" }",
            "wrong_value: `strategy.mixing` takes `soft` or `hard` | `\"soft\"` this is a string | \
             leave the quotes out: `mixing = soft`",
        ),
        (
            "schedule { epochs = \"3\" }",
            "wrong_value: `schedule.epochs` takes a whole number | `\"3\"` this is a string | \
             leave the quotes out: `epochs = 3`",
        ),
        (
            "schedule { epochs = \"few\" }",
            "wrong_value: `schedule.epochs` takes a whole number | `\"few\"` this is a string | \
             write `epochs = 40`",
        ),
        (
            "weights { rate = 0.1 cosine }",
            "stray_law: `cosine` says how a value moves, and this one stays | `cosine` nothing moves here | \
             write both ends, as in `rate = 0.1 -> 0.01 cosine`",
        ),
        (
            "schedule { warmup = 9, epochs = 9 }",
            "long_warmup: a warm-up of 9 of 9 epochs leaves none for the choices | `9` epochs in all: 9; \
             `9` a warm-up of 9 | write `warmup = 2` (`--set schedule.warmup=2`), or ask for more than 9 epochs",
        ),
        (
            "derive { keep = 50 }",
            "keeps_too_many: 50 networks are kept of 20 that are drawn | `50` keeps 50 | write `keep = 20` \
             (`--set derive.keep=20`), or draw 50",
        ),
        (
            "schedule { } schedule { }",
            "repeated: `schedule` is given twice | `schedule` given again here; `schedule` given first here | \
             keep one `schedule`",
        ),
        ("schedule { epochs = nothing }", "nas::test::unknown: cannot evaluate nothing |  | "),
        (
            "data { crop = (1, 2, 3) }",
            "wrong_value: `data.crop` takes height and width | `(1, 2, 3)` this is a tuple of 3 | \
             write `crop = (64, 64)`",
        ),
    ] {
        assert_eq!(one(text), expected);
    }
}

#[test]
fn contradictions_of_misread_values_are_not_reported() {
    assert!(one("schedule { warmup = 100, epochs = x }").contains("cannot evaluate x"));
}

#[test]
fn overrides_win_and_the_last_one_wins() {
    let recipe = read(
        "schedule { epochs = 120, warmup = 20 } weights { rate = 0.1 }",
        &[
            "schedule.epochs=9",
            "schedule.epochs = 40",
            "weights.rate=0.2 -> 0.1 linear",
            "data.path=\"elsewhere\"",
            "minimize=cross_entropy + params / 1K",
            "strategy.mixing=hard",
        ],
    )
    .unwrap();
    assert_eq!(recipe.schedule.epochs, 40);
    assert_eq!(own(&recipe, "schedule", "warmup"), Value::Count(20));
    assert_eq!(recipe.weights.rate, Anneal { from: 0.2, to: 0.1, law: Law::Linear });
    assert_eq!(recipe.data.path, "elsewhere");
    assert_eq!(recipe.objective.measure(), Measure::Params);
    assert_eq!(own(&recipe, "strategy", "mixing"), Value::Word("hard"));
}

/// What only some strategies have is not judged where the strategy is not known; what none has is.
#[test]
fn an_unknown_strategy_is_one_report() {
    let lines = said(read("strategy randum { tournament = 3, mixing = hard, depth = 2 }", &[]));
    let codes: Vec<&str> = lines.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(codes, ["unknown_kind", "unknown_field"], "{lines:#?}");
    assert!(lines[1].contains("`depth`"), "{lines:#?}");
}

#[test]
fn the_strategy_that_was_meant_is_named() {
    let line = one("strategy local_serch { }");
    assert!(line.contains("did you mean `local_search`?"), "{line}");
}

#[test]
fn without_strategies_no_recipe_is_made() {
    let problems = check_default("tiny", &[], &[], &mut evaluate).unwrap_err();
    assert!(line(problems[0].as_ref()).starts_with("nas::internal::setting: "));
    // A schema that lacks what all recipes have is a fault of ours too.
    static HOLLOW: StrategySchema =
        StrategySchema { name: "hollow", doc: "nothing", sections: &[], relations: &[] };
    let missing = NoSetting { section: "data", field: "path" };
    assert_eq!(Recipe::default_for("tiny", &HOLLOW), Err(missing));
}

#[test]
fn overrides_are_checked_like_settings() {
    let lines = said(read(
        "schedule { epochs = 120, warmup = 20 }",
        &["schedule.epochs=3", "wieghts.rate=1", "retrain.epochs=0"],
    ));
    assert_eq!(
        lines,
        [
            "unknown_section: unknown section `wieghts` | `wieghts` no section of a recipe | \
             did you mean `weights`? There are `strategy`, `metrics`, `data`, `loss`, `weights`, `choices`, `schedule`, `derive`, `retrain`",
            "out_of_range: `retrain.epochs` must be at least 1 and at most 1000000 | `0` this is 0 | \
             write `epochs = 60`",
            "long_warmup: a warm-up of 20 of 3 epochs leaves none for the choices | `3` epochs in all: 3 | \
             write `warmup = 0` (`--set schedule.warmup=0`), or ask for more than 20 epochs",
        ]
    );
}

#[test]
fn overrides_of_another_form_are_refused() {
    for text in [
        "",
        "epochs",
        "epochs=3",
        "schedule.epochs=",
        "a.b.c=1",
        "schedule.=3",
        ".epochs=3",
        "schedule.epochs=3 } derive { keep = 1",
        "schedule.epochs=3 warmup=1",
        "minimize=cross_entropy schedule { }",
        "schedule.epochs=3 } } expect 1 == 1 search a of b { c { d = 1",
        "sche dule.epochs=3",
    ] {
        let problems = Override::parse(text).expect_err(text);
        let line = line(problems[0].as_ref());
        assert!(
            line.starts_with("override_form: ") || line.starts_with("nas::parse::syntax"),
            "{line}"
        );
    }
}

#[test]
fn anneals_meet_their_ends() {
    let laws = [Law::Linear, Law::Exponential, Law::Cosine, Law::Polynomial { power: 0.9 }];
    for law in laws {
        let anneal = Anneal { from: 5.0, to: 1.0, law };
        assert_eq!((anneal.at(0, 7), anneal.at(6, 7), anneal.at(60, 7)), (5.0, 1.0, 1.0));
        assert_eq!((anneal.at(0, 1), anneal.at(0, 0)), (5.0, 5.0));
        let values: Vec<f64> = (0..7).map(|epoch| anneal.at(epoch, 7)).collect();
        assert!(values.windows(2).all(|pair| pair[0] > pair[1]), "{law:?} {values:?}");
        assert_eq!((anneal.start(0, 4), anneal.point(1.0)), (5.0, 1.0));
    }
    let at = |law, t| Anneal { from: 4.0, to: 1.0, law }.point(t);
    assert_eq!(at(Law::Linear, 0.5), 2.5);
    assert!((at(Law::Exponential, 0.5) - 2.0).abs() < 1e-12);
    assert!((at(Law::Cosine, 0.5) - 2.5).abs() < 1e-12);
    assert!((at(Law::Polynomial { power: 2.0 }, 0.5) - 1.75).abs() < 1e-12);
    // A stair for each third, each half as high as the one before.
    let stairs: Vec<f64> =
        (0..9).map(|t| at(Law::Step { stairs: 3.0 }, f64::from(t) / 9.0)).collect();
    let expected = [4.0, 4.0, 4.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0];
    assert!(stairs.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{stairs:?}");
    let cycle = Law::OneCycle { rise: 0.25 };
    let [start, half, top, end] = [0.0, 0.125, 0.25, 1.0].map(|t| at(cycle, t));
    assert!((start - 0.16).abs() < 1e-12 && (half - 2.08).abs() < 1e-12, "{start} {half}");
    assert_eq!((top, end), (4.0, 1.0));
}

#[test]
fn laws_have_arguments() {
    let rate =
        |text: &str| recipe(&format!("weights {{ rate = 0.1 -> 0.001 {text} }}")).weights.rate;
    assert_eq!(rate("step(4)").law, Law::Step { stairs: 4.0 });
    assert_eq!(rate("step").law, Law::Step { stairs: 3.0 });
    assert_eq!(rate("polynomial(TEN / 5)").law, Law::Polynomial { power: 2.0 });
    assert_eq!(rate("one_cycle(0.4)").law, Law::OneCycle { rise: 0.4 });
    assert_eq!(rate("one_cycle").to_string(), "0.1 -> 0.001 one_cycle(0.3)");
    for text in
        ["step(1)", "step(2.5)", "cosine(1)", "one_cycle(1)", "polynomial(0)", "step(\"a\")"]
    {
        let problem = one(&format!("weights {{ rate = 0.1 -> 0.001 {text} }}"));
        assert!(problem.starts_with("law_argument: "), "{text}: {problem}");
    }
}

#[test]
fn optimisers_have_defaults_of_their_own() {
    let recipe =
        recipe("weights adamw { } retrain { optimizer = rmsprop, decay = 0.1, warmup = 3 }");
    let weights = &recipe.weights;
    assert_eq!(
        (weights.optimizer, weights.rate.from, weights.decay),
        (Optimizer::Adamw, 0.001, 0.01)
    );
    let retrain = &recipe.retrain.training;
    assert_eq!(
        (retrain.optimizer, retrain.momentum, retrain.decay),
        (Optimizer::Rmsprop, 0.0, 0.1)
    );
    let rate = retrain.learning_rate(12);
    assert_eq!((rate.at(0.0), rate.at(0.25), rate.at(1.0)), (0.0, 0.001, 0.0));
    assert!((rate.at(0.125) - 0.0005).abs() < 1e-12);
    assert!(one("weights adam { optimizer = adam }").starts_with("repeated: "));
    assert!(one("retrain sdg { }").starts_with("unknown_kind: "));
    assert!(one("weights adam { momentum = 0.9 }").starts_with("other_optimizer: "));
}

#[test]
fn losses_have_numbers_for_classes() {
    let weights = |text: &str| {
        recipe(&format!("loss {{ class_weights = {text} }}")).loss.classes.class_weights
    };
    assert_eq!(weights("balanced"), ClassWeights::Balanced);
    assert_eq!(weights("[1, 2.5]"), ClassWeights::Given(vec![1.0, 2.5]));
    assert!(one("loss { class_weights = [1, -1] }").starts_with("out_of_range: "));
    for text in ["[]", "2", "\"balanced\""] {
        let problem = one(&format!("loss {{ class_weights = {text} }}"));
        assert!(problem.starts_with("wrong_value: "), "{text}: {problem}");
    }
}
