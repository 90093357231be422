//! What every strategy of the table must keep: same seed, same trials; resumed anywhere, same end;
//! limits kept; refused constructs refused before training. A new row in the table is covered as it is.

use std::ops::ControlFlow;

use nas_grammar::Source;
use nas_ir::Measure;
use nas_ir::recipe::schema::{CountDefault, Field, Kind, Section};
use nas_ir::recipe::{Objective, Recipe, Settings, StrategySchema, Value, common};
use nas_testing::{folder, with_problems};

use super::commands::{WORTH, by_command};
use super::crash::{crash_anywhere, stop_anywhere};
use super::toy::{Toy, space, worths};
use super::{assert_same, bytes, create, go, inputs, sources, versions, whole};
use crate::error::{Failure, RunError};
use crate::record::TriedNetwork;
use crate::regime::run;
use crate::store::Store;
use crate::strategies::{self, SCHEMAS, fbnetv2};

/// The most of a count in a short run.
const FEW: u32 = 3;

/// A setting that only this strategy has, or not all.
fn own(
    schema: &'static StrategySchema,
) -> impl Iterator<Item = (&'static Section, &'static Field)> {
    schema.fields().filter(|(section, field)| !common::has(section.name, field.name))
}

/// A short recipe of a strategy, for each word of each of its settings that takes several.
fn recipes(schema: &'static StrategySchema) -> Vec<(String, Recipe)> {
    let mut short = Settings::default();
    for (section, field) in schema.fields() {
        if let Kind::Count { default: CountDefault::Is(default), .. } = field.kind {
            short.set(section.name, field.name, Value::Count(default.min(FEW)));
        }
    }
    let recipe = |settings: &Settings| {
        let mut settings = settings.clone();
        settings.complete(schema).unwrap();
        Recipe::new("toy", schema, Objective::default(), settings).unwrap()
    };
    let mut all = vec![(schema.name.to_owned(), recipe(&short))];
    let mut finals = short.clone();
    finals.set("derive", "finalists", Value::Count(2));
    all.push((format!("{} with finals", schema.name), recipe(&finals)));
    for (section, field) in own(schema) {
        // What a strategy leaves out with 0.
        let is_off = matches!(field.kind, Kind::Count { default: CountDefault::Is(0), .. });
        if section.name == common::STRATEGY && is_off {
            let mut settings = short.clone();
            settings.set(section.name, field.name, Value::Count(FEW));
            all.push((format!("{}, {} = {FEW}", schema.name, field.name), recipe(&settings)));
        }
        let Kind::Word(words) = field.kind else { continue };
        // It says something only of a metric that nasc does not know.
        if field.name == "direction" {
            continue;
        }
        for word in words.iter().skip(1) {
            let mut settings = short.clone();
            settings.set(section.name, field.name, Value::Word(word));
            if *word == "command" {
                by_command(&mut settings, WORTH);
                settings.set("score", "jobs", Value::Count(2));
            }
            all.push((format!("{}, {} = {word}", schema.name, field.name), recipe(&settings)));
        }
    }
    all
}

fn all_recipes() -> impl Iterator<Item = (String, Recipe)> {
    SCHEMAS.iter().flat_map(|schema| recipes(schema))
}

/// Whether a search tries every network of the space, whatever its seed.
fn tries_all(recipe: &Recipe) -> bool {
    recipe.strategy.section("derive").is_none_or(|derive| derive.field("sample").is_none())
}

/// The toy, searched so.
fn searched(toy: &Toy, mut recipe: Recipe) -> Toy {
    recipe.retrain.drop_path = toy.recipe.retrain.drop_path;
    toy.searched_by(recipe)
}

fn trials(toy: &Toy, dir: &std::path::Path) -> Vec<TriedNetwork> {
    super::tried(&Store::open(dir, &inputs(toy, &sources(), &versions())).unwrap())
}

#[test]
fn every_trial_keeps_what_is_required_of_choices() {
    let require = "require count(op == c1) == 2 and count(op == c0) <= 1";
    for schema in SCHEMAS {
        let (which, recipe) = recipes(schema).remove(0);
        let toy = searched(&Toy::of(&worths(), require), recipe);
        let dir = folder();
        whole(&toy, dir.path());
        let trials = trials(&toy, dir.path());
        assert!(!trials.is_empty(), "{which}");
        for trial in trials {
            let count = |name: &str| trial.choices.values().filter(|c| *c == name).count();
            assert!(count("c1") == 2 && count("c0") <= 1, "{which}: {:?}", trial.choices);
        }
    }
}

/// What others are held against: all that `random` tries, and what others begin with; none of what is drawn from learned
/// probabilities.
#[test]
fn networks_that_were_drawn_uniformly_are_marked() {
    let uniform = |schema: &'static StrategySchema| {
        let (_, mut recipe) = recipes(schema).remove(0);
        recipe.settings.set("derive", "sample", Value::Count(3 * FEW));
        let toy = searched(&Toy::new(), recipe);
        let dir = folder();
        whole(&toy, dir.path());
        let trials = trials(&toy, dir.path());
        let uniform: Vec<bool> = trials.iter().map(|trial| trial.uniform).collect();
        uniform
    };
    assert!(uniform(&crate::strategies::random::SCHEMA).iter().all(|uniform| *uniform));
    assert!(uniform(&crate::strategies::gumbel::SCHEMA).iter().all(|uniform| !uniform));
    let evolved = uniform(&crate::strategies::aging_evolution::SCHEMA);
    assert!(evolved[0] && !evolved[evolved.len() - 1], "{evolved:?}");
}

#[test]
fn same_seed_same_trials() {
    for (which, recipe) in all_recipes() {
        let mut toy = searched(&Toy::new(), recipe);
        let runs = [folder(), folder(), folder()];
        whole(&toy, runs[0].path());
        whole(&toy, runs[1].path());
        assert_same(&bytes(runs[0].path()), &bytes(runs[1].path()), &which);
        let first = trials(&toy, runs[0].path());
        toy.recipe.seed = 1;
        whole(&toy, runs[2].path());
        let other = trials(&toy, runs[2].path());
        let all = tries_all(&toy.recipe);
        assert!(all || first != other, "{which}: another seed, the same trials");
        let mut tried: Vec<_> = first.iter().map(|t| (&t.choices, t.budget.epochs)).collect();
        tried.sort_by_key(|(choices, epochs)| (format!("{choices:?}"), *epochs));
        tried.dedup();
        assert_eq!(tried.len(), first.len(), "{which}: a network is tried twice");
    }
}

#[test]
fn resumed_anywhere_same_end() {
    for (which, recipe) in all_recipes() {
        println!("{which}");
        // A strategy that tries every network has five of them.
        let few = worths();
        let few = if tries_all(&recipe) { few.split_at(1).0 } else { few.as_slice() };
        let toy = searched(&Toy::of(few, ""), recipe);
        let (sources, versions) = (sources(), versions());
        let inputs = inputs(&toy, &sources, &versions);
        stop_anywhere(&toy, &inputs);
        crash_anywhere(&toy, &inputs);
    }
}

#[test]
fn limits_are_kept_by_every_trial_and_by_the_result() {
    // The cheapest network has 40 MACs, the mean one about 470.
    let limited = Toy::of(&worths(), "require macs <= 250 and macs >= 130");
    for (which, recipe) in all_recipes() {
        let toy = searched(&limited, recipe);
        let dir = folder();
        let result = whole(&toy, dir.path());
        let mut macs: Vec<u64> = trials(&toy, dir.path())
            .iter()
            .map(|trial| trial.cost.of(Measure::Macs).unwrap())
            .collect();
        macs.push(result.cost.macs);
        assert!(macs.iter().all(|macs| (130..=250).contains(macs)), "{which}: {macs:?}");
    }
}

#[test]
fn limits_that_nothing_keeps_are_told() {
    // What is no sum is not proved before the search.
    let limited = Toy::of(&worths(), "require peak_memory <= 1");
    for (which, recipe) in all_recipes() {
        let toy = searched(&limited, recipe);
        let dir = folder();
        let failure = go(&toy, &mut create(&toy, dir.path()), None).unwrap_err();
        assert!(matches!(failure, Failure::Run(RunError::NoneKept)), "{which}: {failure:?}");
    }
}

/// Spaces of every construct that makes decisions.
const CONSTRUCTS: [&str; 8] = [
    "choose op { a: conv(2, kernel = 1)\n b: identity }",
    "choose op { a: conv(2, kernel = 1) -> choose op { c: relu\n d: identity }\n b: identity }",
    "conv(2, kernel = choose kernel [1, 3])",
    "conv(2, kernel = elastic kernel [1, 3])",
    "conv(choose width [2, 4], kernel = 1) -> conv(2, kernel = 1)",
    "conv(elastic width [2, 4], kernel = 1) -> conv(2, kernel = 1)",
    "repeat choose depth [1, 2] { conv(2, kernel = 1) }",
    "repeat elastic depth [1, 2] { conv(2, kernel = 1) }",
];

#[test]
fn what_is_refused_is_refused_before_training_and_the_rest_is_searched() {
    let mut refusals = 0;
    for pipeline in CONSTRUCTS {
        let text = format!(
            "space toy {{ input x: [2, 4, 4]\n output y = x -> {pipeline}\n \
             output z = x -> conv(choose other [2, 3], kernel = 1) -> conv(1, kernel = 1) }}"
        );
        for text in [text.replace("choose other [2, 3]", "2"), text] {
            let any = Toy::any(space(&text));
            for (which, recipe) in all_recipes() {
                refusals += refused(&searched(&any, recipe), &which, &text);
            }
        }
    }
    assert!(refusals > 0, "no strategy refuses anything");
}

/// How many constructs are refused: before anything, with everything that is in the way.
fn refused(toy: &Toy, which: &str, text: &str) -> usize {
    let dir = folder();
    let Err(said) = strategies::search(&toy.space, &toy.recipe).map(drop) else {
        whole(toy, dir.path());
        return 0;
    };
    let mut events = 0;
    let job = toy.job();
    let failure = run(&job, &mut create(toy, dir.path()), &mut |_| {
        events += 1;
        ControlFlow::Continue(())
    });
    let Err(Failure::Run(RunError::Refused { strategy, refused, .. })) = failure else {
        panic!("{which}: {failure:?} of {text}")
    };
    assert_eq!((events, toy.passes.get()), (0, 0), "{which}: {text}");
    assert_eq!(strategy, toy.strategy().name);
    assert!(said.to_string().contains(strategy));
    for refusal in &refused {
        let refusal: &dyn miette::Diagnostic = refusal;
        assert!(refusal.code().is_some() && refusal.help().is_some(), "{which}: {refusal}");
        assert!(refusal.labels().is_some_and(|mut labels| labels.next().is_some()), "{which}");
    }
    // A second construct of the kind is a second refusal. Of masks, `elastic` ones are of another kind.
    let is_masked = text.contains("elastic width") && strategy == fbnetv2::SCHEMA.name;
    let is_both = text.contains("other [2, 3]") && text.contains("width") && !is_masked;
    assert_eq!(refused.len(), if is_both { 2 } else { 1 }, "{which}: {text}");
    refused.len()
}

/// What the front end says of a recipe.
fn said(settings: &str) -> Vec<String> {
    let text = format!(
        "space toy {{ input x: [2, 4, 4]\n output y = x -> choose op {{ a: relu\n b: identity }} }}\n\
         search r of toy {{ {settings} }}"
    );
    let (_, problems) =
        with_problems(Source::new("toy.nas", text), |_, compiler| compiler.recipe("r", &[]));
    let code = |problem: &nas_grammar::Problem| problem.code().unwrap().to_string();
    problems.into_vec().iter().map(|problem| format!("{}: {problem}", code(problem))).collect()
}

/// Whether a word is one that a setting takes, if it takes words.
fn takes(kind: Kind, word: &str) -> bool {
    if let Kind::Word(words) = kind { words.contains(&word) } else { true }
}

#[test]
fn settings_of_one_strategy_are_unknown_to_another() {
    for schema in SCHEMAS {
        for other in SCHEMAS {
            for (section, field) in own(schema) {
                let is_strategy = section.name == common::STRATEGY;
                let kind = if is_strategy { other.name } else { "" };
                let named =
                    if is_strategy { "" } else { &format!("strategy {} {{ }}", other.name) };
                let settings = format!(
                    "{named} {} {kind} {{ {} = {} }}",
                    section.name,
                    field.name,
                    field.kind.example()
                );
                let known = other.section(section.name);
                // Of a setting that both have, one may take other words.
                let same = known.and_then(|of| of.field(field.name));
                if same.is_some_and(|same| !takes(same.kind, &field.kind.example())) {
                    continue;
                }
                let unknown = match known.map(|of| of.field(field.name).is_some()) {
                    Some(true) => Vec::new(),
                    Some(false) => vec![field.name],
                    None => vec![section.name],
                };
                let said = said(&settings);
                assert_eq!(said.len(), unknown.len(), "{settings}: {said:?}");
                for (said, unknown) in said.iter().zip(unknown) {
                    let start =
                        format!("nas::recipe::other_strategy: `{unknown}` is a setting of ");
                    let end = format!("and this search is `strategy {}`", other.name);
                    assert!(said.starts_with(&start) && said.ends_with(&end), "{said}");
                    assert!(said.contains(&format!("`{}`", schema.name)), "{said}");
                }
            }
        }
    }
}
