//! What strategies make of an objective.

use miette::Diagnostic;
use nas_grammar::Source;
use nas_ir::recipe::{Objective, Recipe, Value};
use nas_testing::{assignments, folder, with_problems};

use super::toy::{Toy, space, worths};
use super::{create, go, whole};
use crate::error::{Failure, RunError};
use crate::front;
use crate::objective::values;
use crate::record::{Choices, Front, TriedNetwork, Verdict};
use crate::regime::Scores;
use crate::store::{Store, names};
use crate::strategies::{self, SCHEMAS};
use crate::strategy::{Method, Outcome};
use crate::trial::Trial;
use crate::work::Work;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// An objective as it is written.
pub(super) fn objective(text: &str) -> Objective {
    let text = format!(
        "space toy {{ input x: [2, 4, 4]\n output y = x -> choose op {{ a: relu\n b: identity }} }}\n\
         search r of toy {{ {text} }}"
    );
    let source = Source::new("toy.nas", text);
    let (recipe, problems) = with_problems(source, |_, compiler| compiler.recipe("r", &[]));
    let said: Vec<String> = problems.into_vec().iter().map(ToString::to_string).collect();
    assert!(said.is_empty(), "{said:?}");
    recipe.unwrap().objective
}

/// Three decisions of the toy, its 125 networks known by a table, searched so for so many trials.
fn by_table(strategy: &str, text: &str, sample: u32) -> Toy {
    let schema = SCHEMAS.iter().find(|schema| schema.name == strategy).unwrap();
    let mut recipe = Recipe::default_for("toy", schema).unwrap();
    recipe.objective = objective(text);
    recipe.settings.set("score", "by", Value::Word("table"));
    recipe.settings.set("derive", "sample", Value::Count(sample));
    Toy::of(worths().split_at(3).0, "").searched_by(recipe)
}

fn best_choices(toy: &Toy, value: impl Fn(f64, f64) -> f64) -> Choices {
    let mut best: Option<(f64, Choices)> = None;
    for assignment in assignments(&toy.space, 5_000).unwrap() {
        let network = toy.network(&assignment);
        let macs = nas_analysis::costs(&network).macs as f64;
        let choices: Choices = network.choices.into_iter().collect();
        let Scores::Known(table) = toy.job().scores else { panic!("it trains") };
        let miou = table.score(&choices).unwrap().primary().1;
        let value = value(miou, macs);
        if best.as_ref().is_none_or(|(most, _)| value > *most) {
            best = Some((value, choices));
        }
    }
    best.unwrap().1
}

/// A formula, and what it says of a network by mIoU and MACs.
type Told = (&'static str, fn(f64, f64) -> f64);

/// The best network of each is another one.
const FORMULAS: [Told; 4] = [
    ("maximize miou", |miou, _| miou),
    ("maximize miou - 0.0008 * macs", |miou, macs| miou - 0.0008 * macs),
    ("maximize miou - 0.002 * max(0, macs - 130)", |miou, macs| {
        miou - 0.002 * (macs - 130.0).max(0.0)
    }),
    ("maximize miou * max(1, macs / 150) ^ -1", |miou, macs| miou * 150.0 / macs.max(150.0)),
];

#[test]
fn strategies_of_a_black_box_find_the_best_of_any_formula() {
    let mut found = Vec::new();
    for (text, value) in FORMULAS {
        let best = best_choices(&by_table("grid", text, 1), value);
        for strategy in ["grid", "local_search", "aging_evolution", "tpe"] {
            let toy = by_table(strategy, text, 80);
            assert_eq!(whole(&toy, folder().path()).choices, best, "{strategy}: {text}");
        }
        found.push(best);
    }
    found.dedup();
    assert_eq!(found.len(), FORMULAS.len(), "two formulas have the same best network");
}

#[test]
fn candidates_are_ranked_by_the_objective_and_without_one_by_metric_then_macs() {
    let ranked = |text: &str| {
        let mut toy = by_table("grid", text, 1);
        toy.set("derive", "keep", Value::Count(125));
        let dir = folder();
        whole(&toy, dir.path());
        let store: Store = super::resume(&toy, dir.path());
        let networks: Vec<TriedNetwork> = store.read_json(names::CANDIDATES).unwrap();
        assert_eq!(networks.len(), 125);
        let of = |network: &TriedNetwork| {
            values(&toy.recipe.objective, network.score().unwrap(), &network.cost).unwrap()[0]
        };
        assert!(networks.is_sorted_by(|a, b| of(a) >= of(b)), "{text}");
        networks
    };
    for (text, _) in FORMULAS {
        ranked(text);
    }
    let plain = ranked("");
    let of = |network: &TriedNetwork| network.score().unwrap().primary().1;
    let equals: Vec<_> = plain.windows(2).filter(|two| of(&two[0]) == of(&two[1])).collect();
    assert!(!equals.is_empty());
    assert!(equals.iter().all(|two| two[0].cost.macs <= two[1].cost.macs));
}

#[test]
fn what_has_no_gradient_is_refused_at_its_line() {
    let mut toy = Toy::new();
    toy.recipe.objective = objective("maximize miou - 0.1 * macs / 1M");
    let said = strategies::search(&toy.space, &toy.recipe).map(drop).unwrap_err();
    let RunError::Refused { refused, .. } = &said else { panic!("{said}") };
    let [refusal] = refused.as_slice() else { panic!("{refused:?}") };
    assert_eq!(refusal.code().unwrap().to_string(), "nas::search::objective");
    assert_eq!(
        refusal.to_string(),
        "`strategy gumbel` cannot optimise `maximize miou - 1e-7 * macs`"
    );
    let label = refusal.labels().unwrap().next().unwrap();
    assert_eq!(label.label(), Some("`miou` has no gradient by the choices"));
    let text = refusal.source_code().unwrap().read_span(label.inner(), 0, 0).unwrap();
    assert_eq!(String::from_utf8_lossy(text.data()), "maximize miou - 0.1 * macs / 1M");
    assert!(refusal.help().unwrap().to_string().contains("aging_evolution"));
}

/// A hinge presses only while the expected cost is above its target.
#[test]
fn a_hinge_presses_down_to_its_target() {
    let macs = |text: &str| {
        let mut toy = Toy::new();
        toy.recipe.objective = objective(text);
        let dir = folder();
        let mut store = create(&toy, dir.path());
        go(&toy, &mut store, None).unwrap();
        let tried = super::tried(&store);
        tried[0].cost.macs
    };
    let free = macs("minimize cross_entropy");
    assert_eq!(macs("minimize cross_entropy + 0.05 * max(0, macs - 1000)"), free);
    assert_eq!(macs("minimize cross_entropy + 0.05 * max(0, macs)"), 40);
    let between = macs("minimize cross_entropy + 0.05 * max(0, macs - 300)");
    assert!((41..free).contains(&between), "{between} of {free}");
}

#[test]
fn a_metric_of_another_task_is_refused() {
    let text = "space toy { input x: [3, 8, 8]\n task classification(2)\n \
                output y = x -> choose op { a: conv(2, kernel = 3)\n b: conv(2, kernel = 1) } -> global_avg_pool -> linear(2) }";
    let mut toy = by_table("random", "maximize miou", 2);
    toy.space = std::rc::Rc::new(space(text));
    assert!(strategies::search(&toy.space, &toy.recipe).is_ok(), "known scores may have it");
    toy.set("score", "by", Value::Word("train"));
    let said = strategies::search(&toy.space, &toy.recipe).map(drop).unwrap_err();
    let RunError::Refused { refused, .. } = &said else { panic!("{said}") };
    assert_eq!(refused[0].to_string(), "the networks of `toy` have no `miou`");
    assert!(refused[0].help().unwrap().to_string().starts_with("write `accuracy` or `f1`"));
    toy.recipe.objective = objective("maximize accuracy - metric(\"pq\")");
    let said = strategies::search(&toy.space, &toy.recipe).map(drop).unwrap_err();
    let RunError::Refused { refused, .. } = &said else { panic!("{said}") };
    assert_eq!(refused[0].to_string(), "the networks of `toy` have no `pq`");
    let mut recipe = toy.recipe.clone();
    recipe.objective = nas_ir::recipe::Objective::default();
    assert!(strategies::search(&toy.space, &recipe).is_ok());
    recipe.metrics.primary = Some(nas_ir::Metric::Top5);
    let said = strategies::search(&toy.space, &recipe).map(drop).unwrap_err();
    let RunError::Refused { refused, .. } = &said else { panic!("{said}") };
    assert_eq!(refused[0].to_string(), "the networks of `toy` have no `top5`");
    recipe.metrics.primary = Some(nas_ir::Metric::F1);
    assert!(strategies::search(&toy.space, &recipe).is_ok());
}

#[test]
fn a_vector_has_no_signal_to_noise_ratio() {
    for (tail, is_map) in [("", true), (" -> global_avg_pool -> linear(2)", false)] {
        let text = format!(
            "space toy {{ input x: [3, 8, 8]\n task regression(2)\n \
             output y = x -> choose op {{ a: conv(2, kernel = 3)\n b: conv(2, kernel = 1) }}{tail} }}"
        );
        let mut toy = by_table("random", "maximize psnr", 2);
        toy.space = std::rc::Rc::new(space(&text));
        toy.set("score", "by", Value::Word("train"));
        let said = strategies::search(&toy.space, &toy.recipe).map(drop);
        assert_eq!(said.is_ok(), is_map, "{said:?}");
        if let Err(RunError::Refused { refused, .. }) = &said {
            let help = refused[0].help().unwrap().to_string();
            assert!(help.starts_with("write `mae` or `rmse` or `cross_entropy`:"), "{help}");
        }
    }
}

#[test]
fn what_the_known_scores_do_not_say_is_told() {
    for (text, why) in [
        ("minimize cross_entropy", "its `cross_entropy` is not known"),
        ("maximize miou - latency", "its `latency` is not known"),
        ("maximize metric(\"pq\")", "its `metric(\"pq\")` is not known"),
        ("maximize miou / max(0, 1e-9 * macs - 1)", "it is not finite"),
    ] {
        let toy = by_table("random", text, 2);
        let dir = folder();
        let failure = go(&toy, &mut create(&toy, dir.path()), None).unwrap_err();
        let Failure::Run(error @ RunError::NoValue { .. }) = &failure else {
            panic!("{failure:?}")
        };
        assert!(error.to_string().ends_with(why), "{error}");
    }
}

/// The front that a run ends with, and its candidates.
fn front_of(toy: &Toy) -> (Front, Vec<TriedNetwork>) {
    let dir = folder();
    let result = whole(toy, dir.path());
    let store = super::resume(toy, dir.path());
    let found: Front = store.read_json(names::FRONT).unwrap();
    let candidates: Vec<TriedNetwork> = store.read_json(names::CANDIDATES).unwrap();
    assert_eq!(candidates, found.networks.iter().map(|on| on.network.clone()).collect::<Vec<_>>());
    assert_eq!(result.choices, candidates[0].choices, "the best by the first goal");
    (found, candidates)
}

const GOALS: &str = "maximize miou, minimize macs";

#[test]
fn a_search_for_several_goals_ends_with_their_front() {
    let (found, networks) = front_of(&by_table("grid", GOALS, 1));
    assert_eq!(found.goals, ["maximize miou", "minimize macs"]);
    let value = |network: &TriedNetwork| {
        vec![network.score().unwrap().primary().1, -(network.cost.macs as f64)]
    };
    let dir = folder();
    let all = by_table("grid", GOALS, 1);
    whole(&all, dir.path());
    let tried = super::tried(&super::resume(&all, dir.path()));
    assert_eq!(tried.len(), 125);
    let values: Vec<Vec<f64>> = tried.iter().map(value).collect();
    // Of each network that was tried, one of the front is as good or better, and none of the front is dominated.
    let of_front: Vec<Vec<f64>> = networks.iter().map(value).collect();
    let covers = |own: &Vec<f64>, other: &Vec<f64>| own == other || front::dominates(own, other);
    assert!(values.iter().all(|other| of_front.iter().any(|own| covers(own, other))));
    assert!(of_front.iter().all(|own| !values.iter().any(|other| front::dominates(other, own))));
    assert!(of_front.len() == 4 && of_front.is_sorted_by(|a, b| a[0] > b[0]));
    for (on, value) in found.networks.iter().zip(&of_front) {
        assert_eq!(on.values, [value[0], -value[1]], "as it is written");
    }
    let worst = front::worst(&values).unwrap();
    assert_eq!(found.reference, [worst[0], -worst[1]]);
    assert_eq!(found.hypervolume, front::hypervolume(&values, &worst));
}

/// What the networks reach that a strategy tries, of all four decisions of the toy.
fn reached(strategy: &str, seed: u64) -> Vec<Vec<f64>> {
    let toy = Toy::new().searched_by(by_table(strategy, GOALS, 120).recipe);
    let Scores::Known(table) = toy.job().scores else { panic!("it trains") };
    let search = strategies::search(&toy.space, &toy.recipe).unwrap();
    let Method::Alone(mut strategy, _) = search.method else { panic!("it trains a supernet") };
    let mut reached: Vec<Vec<f64>> = Vec::new();
    for number in 0.. {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(number));
        let Some(Trial { assignment, budget, drawn, uniform }) = strategy.ask(&mut rng).unwrap()
        else {
            break;
        };
        let network = toy.network(&assignment);
        let cost = nas_analysis::costs(&network);
        let choices: Choices = network.choices.into_iter().collect();
        let score = table.score(&choices).unwrap().clone();
        let values = values(&toy.recipe.objective, &score, &cost).unwrap();
        reached.push(values.clone());
        let verdict = Verdict::Score(score);
        let work = Work::default();
        let network = TriedNetwork {
            number,
            drawn,
            uniform,
            choices,
            cost,
            verdict,
            budget,
            epoch: None,
            work,
        };
        strategy.tell(&Outcome { assignment, network, values: Some(values) });
    }
    assert_eq!(reached.len(), 120);
    reached
}

#[test]
fn nsga2_finds_more_of_the_front_than_random() {
    let reference = [0.0, -600.0];
    let volume =
        |strategy: &str, seed: u64| front::hypervolume(&reached(strategy, seed), &reference);
    let better = (0..10).filter(|&seed| volume("nsga2", seed) > volume("random", seed)).count();
    assert!(better >= 8, "in {better} of 10");
}

#[test]
fn nsga2_searches_decisions_that_are_idle_at_times() {
    let schema = SCHEMAS.iter().find(|schema| schema.name == "nsga2").unwrap();
    let mut recipe = Recipe::default_for("toy", schema).unwrap();
    recipe.objective = objective(GOALS);
    recipe.settings.set("score", "by", Value::Word("table"));
    recipe.settings.set("derive", "sample", Value::Count(120));
    let toy = Toy::nested().searched_by(recipe);
    let dir = folder();
    whole(&toy, dir.path());
    let tried = super::tried(&super::resume(&toy, dir.path()));
    // Behind the first population, which is drawn.
    let made: Vec<usize> = tried.iter().skip(20).map(|network| network.choices.len()).collect();
    assert_eq!(made.len(), 100);
    assert!(made.contains(&3) && made.contains(&4), "without the inner decision, and with it");
}

#[test]
fn several_goals_are_refused_by_what_goes_by_one() {
    for schema in SCHEMAS {
        let mut recipe = Recipe::default_for("toy", schema).unwrap();
        recipe.objective = objective(GOALS);
        let said = strategies::search(&Toy::new().space, &recipe).map(drop);
        if ["random", "grid", "nsga2"].contains(&schema.name) {
            said.unwrap();
            continue;
        }
        let Err(RunError::Refused { refused, .. }) = &said else { panic!("{}", schema.name) };
        assert_eq!(refused.len(), 1, "{}", schema.name);
        assert_eq!(refused[0].code().unwrap().to_string(), "nas::search::objective");
        assert!(refused[0].help().unwrap().to_string().contains("`strategy nsga2 { }`"));
    }
    let mut toy = by_table("nsga2", GOALS, 2);
    toy.recipe.objective = objective(
        "maximize miou, minimize macs, minimize params, minimize depth, minimize latency",
    );
    let said = strategies::search(&toy.space, &toy.recipe).map(drop).unwrap_err();
    let RunError::Refused { refused, .. } = &said else { panic!("{said}") };
    assert_eq!(refused[0].labels().unwrap().next().unwrap().label(), Some("5 goals"));
}
