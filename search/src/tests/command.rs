//! Networks that a command scores.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use nas_grammar::Source;
use nas_ir::recipe::template::Part;
use nas_ir::recipe::{Recipe, StrategySchema, Template, Value};
use nas_testing::{folder, with_problems};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value as Json;

use super::commands::{WORTH, by_command};
use super::crash::{crash_anywhere, stop_anywhere};
use super::toy::{Toy, space, worths};
use super::{assert_same, bytes, create, go, inputs, resume, sources, versions, whole};
use crate::command::PLACEHOLDERS;
use crate::error::{Failure, NoScore, RunError};
use crate::event::Event;
use crate::record::{Choices, TriedNetwork, Verdict};
use crate::regime::{End, run};
use crate::store::{Store, names};
use crate::strategies::{self, aging_evolution, local_search, random, tpe};
use crate::strategy::{Method, Outcome};

/// The toy, searched by a strategy whose networks a command scores.
fn searched(schema: &'static StrategySchema, command: &str, trials: u32, jobs: u32) -> Toy {
    let mut recipe = Recipe::default_for("toy", schema).unwrap();
    by_command(&mut recipe.settings, command);
    for (section, field, count) in [
        ("derive", "sample", trials),
        ("derive", "keep", trials.min(3)),
        ("score", "jobs", jobs),
        ("strategy", "population", 3),
        ("strategy", "tournament", 2),
        ("strategy", "start", 2),
    ] {
        recipe.settings.set(section, field, Value::Count(count));
    }
    Toy::new().searched_by(recipe)
}

fn tried(toy: &Toy, dir: &Path) -> Vec<TriedNetwork> {
    super::tried(&resume(toy, dir))
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn list(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What ends a run that fails.
fn error(toy: &Toy, dir: &Path) -> RunError {
    match go(toy, &mut Store::open(dir, &inputs(toy, &sources(), &versions())).unwrap(), None) {
        Err(Failure::Run(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// Whether the process whose number a file holds has ended, soon.
fn has_ended(file: &Path) -> bool {
    let number = fs::read_to_string(file).unwrap();
    let is_alive = || {
        let mut command = Command::new("sh");
        // One that nobody waits for stays as a zombie, where there is no `init`.
        let script = format!(
            "kill -0 {0} 2>/dev/null && ! grep -q '^State:.Z' /proc/{0}/status 2>/dev/null",
            number.trim()
        );
        command.args(["-c", &script]).status().unwrap().success()
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while is_alive() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

#[test]
fn a_command_scores_networks_in_folders_of_their_own() {
    let command = concat!(
        "echo begun; echo to stderr >&2; pwd; ",
        "echo '\\{\"epoch\": 1, \"worth\": 0, \"loss\": 3}'; ",
        "test -s {onnx} && test -s {weights} && echo {seed} {dir} > \"$NASC_TRIAL_DIR\"/seen && ",
        r#"echo "\{\"worth\": {trial}, \"slot\": $NASC_SLOT, \"epochs\": {epochs}}""#
    );
    let mut toy = searched(&random::SCHEMA, command, 4, 1);
    toy.recipe.settings.set("score", "epochs", Value::Count(7));
    let dir = folder();
    let mut steps = Vec::new();
    let mut on_event = |event: Event<'_>| {
        if let Event::Step { number, step, .. } = event {
            steps.push((number, step.done, step.of, step.loss));
        }
        std::ops::ControlFlow::Continue(())
    };
    let end = run(&toy.job(), &mut create(&toy, dir.path()), &mut on_event).unwrap();
    let End::Finished(result) = end else { panic!("{end:?}") };
    assert_eq!(steps, [0, 1, 2, 3].map(|number| (number, 1, 7, 3.0)));
    // The last one is the best, as its number is its worth; nothing is trained by nasc.
    assert_eq!((result.budget.epochs, toy.passes.get()), (7, 0));
    assert!(result.trained.is_none());
    let score = serde_json::to_string(&result.trial.unwrap()).unwrap();
    assert_eq!(score, r#"{"worth":3.0,"slot":0.0,"epochs":7.0,"direction":"higher"}"#);
    let trials = dir.path().join(names::TRIALS);
    assert_eq!(list(&trials), ["000000", "000001", "000002", "000003"]);
    let trial = trials.join("000003");
    let files =
        ["log.txt", "metrics.jsonl", "network.json", "network.onnx", "seen", "weights.safetensors"];
    assert_eq!(list(&trial), files);
    assert_eq!(
        read(&trial, "metrics.jsonl"),
        "{\"epoch\": 1, \"worth\": 0, \"loss\": 3}\n{\"worth\": 3, \"slot\": 0, \"epochs\": 7}\n"
    );
    let log = read(&trial, "log.txt");
    let told = ["begun\n", "to stderr\n", "\"slot\": 0", env!("CARGO_MANIFEST_DIR")];
    assert!(told.iter().all(|told| log.contains(told)), "{log}");
    let network: Json = serde_json::from_str(&read(&trial, "network.json")).unwrap();
    let scored = super::lines(&resume(&toy, dir.path()));
    assert_eq!(network["choices"], scored[3]["choices"]);
    assert_eq!(network["cost"], scored[3]["cost"]);
    let seen = read(&trial, "seen");
    let (seed, path) = seen.trim().split_once(' ').unwrap();
    assert_eq!(Path::new(path).canonicalize().unwrap(), trial.canonicalize().unwrap());
    // The weights of the file are those of the same seed.
    let weights = fs::read(trial.join("weights.safetensors")).unwrap();
    let weights = nas_safetensors::from_bytes(&weights).unwrap();
    let seed: u32 = seed.parse().unwrap();
    assert_eq!(weights["seed"].floats().unwrap(), [seed as f32]);
    assert!(read(&trial, "network.onnx").starts_with(&format!("{} u0", seed as f32)));
    let other = read(&trials, "000002/seen");
    assert!(!other.starts_with(&format!("{seed} ")), "each trial has a seed of its own");
}

#[test]
fn files_that_the_command_does_not_name_are_not_written() {
    let toy = searched(&random::SCHEMA, WORTH, 1, 1);
    let dir = folder();
    whole(&toy, dir.path());
    let trial = dir.path().join("trials/000000");
    assert_eq!(list(&trial), ["log.txt", "metrics.jsonl", "network.json"]);
}

#[test]
fn a_trial_that_fails_is_recorded_and_the_search_goes_on() {
    for schema in [&random::SCHEMA, &aging_evolution::SCHEMA, &tpe::SCHEMA] {
        let command = format!("{WORTH}; test {{trial}} != 0 -a {{trial}} != 4");
        let toy = searched(schema, &command, 7, 2);
        let dir = folder();
        let result = whole(&toy, dir.path());
        let tried = tried(&toy, dir.path());
        let failed: Vec<u32> = tried
            .iter()
            .filter(|network| network.score().is_none())
            .map(|network| network.number)
            .collect();
        assert_eq!((tried.len(), failed), (7, vec![0, 4]), "{}", schema.name);
        let failed = Verdict::Failed("it failed (exit status: 1)".to_owned());
        assert_eq!(tried[4].verdict, failed);
        let line = super::lines(&resume(&toy, dir.path())).swap_remove(4);
        assert_eq!(line["failed"], "it failed (exit status: 1)");
        assert!(line.get("score").is_none());
        let best = tried.iter().filter_map(|network| network.score()).map(|s| s.fitness());
        assert_eq!(result.trial.unwrap().fitness(), best.reduce(f64::max).unwrap());
        // Without a score it is no candidate.
        let kept: Vec<TriedNetwork> =
            resume(&toy, dir.path()).read_json(names::CANDIDATES).unwrap();
        assert!(kept.len() == 3 && kept.iter().all(|network| network.score().is_some()));
        stop_anywhere(&toy, &inputs(&toy, &sources(), &versions()));
    }
}

#[test]
fn what_is_wrong_with_a_trial_is_said() {
    for (command, why) in [
        ("exit 3", "it failed (exit status: 3)"),
        ("echo '\\{\"worth\": 1}'; kill -9 $$", "it failed (signal: 9 (SIGKILL))"),
        ("echo '\\{\"other\": 1}'", "it printed no `worth`"),
        ("echo worth 1", "it printed no `worth`"),
        (
            "echo '\\{\"worth\": 1}'; echo '\\{\"worth\": NaN}'",
            "it printed a `worth` that is no finite number",
        ),
    ] {
        let command = format!("test {{trial}} = 0 && echo '\\{{\"worth\": 1}}' && exit; {command}");
        let toy = searched(&random::SCHEMA, &command, 2, 1);
        let dir = folder();
        whole(&toy, dir.path());
        let tried = tried(&toy, dir.path());
        assert_eq!(tried[1].verdict, Verdict::Failed(why.to_owned()), "{command}");
    }
}

#[test]
fn a_command_that_fails_is_run_again_in_an_empty_folder() {
    let marks = folder();
    let command = format!(
        "ls {{dir}}; echo of a run > {{dir}}/rest; mkdir {}/{{trial}} 2>/dev/null && exit; {WORTH}",
        marks.path().display()
    );
    let mut toy = searched(&random::SCHEMA, &command, 3, 1);
    toy.recipe.settings.set("score", "retries", Value::Count(1));
    // The first run of each makes its mark, and prints nothing.
    let dir = folder();
    whole(&toy, dir.path());
    assert!(tried(&toy, dir.path()).iter().all(|network| network.score().is_some()));
    let log = read(dir.path(), "trials/000002/log.txt");
    let files = "log.txt\nmetrics.jsonl\nnetwork.json\n";
    let again = format!("{files}[nasc: run 1 printed no `worth`]\n{files}");
    assert!(log.starts_with(&again), "{log}");
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_what_it_started() {
    let command = "sleep 600 & echo $! > {dir}/pid; echo waits; wait";
    let mut toy = searched(&random::SCHEMA, command, 20, 2);
    toy.recipe.settings.set("score", "timeout", Value::Count(3));
    let dir = folder();
    let began = Instant::now();
    let error = error(&toy, dir.path());
    assert!(began.elapsed() < Duration::from_secs(300));
    let RunError::Command(no_score) = &error else { panic!("{error}") };
    let NoScore { trials, why, log, .. } = no_score.as_ref();
    assert_eq!((*trials, why.as_str(), log.as_str()), (3, "it took longer than 3 s", "  | waits"));
    for trial in ["000000", "000001", "000002", "000003"] {
        assert!(has_ended(&dir.path().join(format!("trials/{trial}/pid"))), "{trial}");
    }
}

#[test]
fn a_command_that_scores_nothing_ends_the_search() {
    let cured = folder();
    let cure = cured.path().join("cure");
    let command = format!("test -e {} || exit 2; {WORTH}", cure.display());
    let toy = searched(&random::SCHEMA, &command, 5, 1);
    let dir = folder();
    let said = error(&toy, dir.path());
    assert_eq!(miette::Diagnostic::code(&said).unwrap().to_string(), "nas::search::command");
    let text = said.to_string();
    let start =
        "the command scored none of the first 3 trials: it failed (exit status: 2)\n  test -e";
    assert!(text.starts_with(start), "{text}");
    let help = miette::Diagnostic::help(&said).unwrap().to_string();
    assert!(help.contains(r#"`{"worth": 0.5}`"#) && help.contains("000002/log.txt"), "{help}");
    assert_eq!(tried(&toy, dir.path()).len(), 3, "all are recorded");
    // Once it is cured, the same run goes on as if nothing had been.
    fs::write(&cure, "").unwrap();
    go(&toy, &mut resume(&toy, dir.path()), None).unwrap();
    let reference = folder();
    whole(&toy, reference.path());
    assert_same(&bytes(dir.path()), &bytes(reference.path()), "cured");
    // So it is where fewer are tried.
    fs::remove_file(&cure).unwrap();
    let toy = searched(&random::SCHEMA, &command, 1, 1);
    let said = error(&toy, folder().path()).to_string();
    assert!(said.starts_with("the command scored none of the first trial: it failed"), "{said}");
}

/// Scores as [`WORTH`] does, after a while that is longer for networks that are tried earlier, and fails where
/// another of the same slot runs.
fn slow(marks: &Path) -> String {
    let mark = format!("{}/$NASC_SLOT", marks.display());
    format!("mkdir {mark} || exit 9; sleep 0.$((4 - {{trial}} % 4)); rmdir {mark}; {WORTH}")
}

#[test]
fn several_jobs_find_the_same_whichever_ends_first() {
    let marks = folder();
    for schema in [&aging_evolution::SCHEMA, &local_search::SCHEMA] {
        let fast = searched(schema, WORTH, 8, 3);
        let slow = searched(schema, &slow(marks.path()), 8, 3);
        let dirs = [folder(), folder(), folder()];
        whole(&fast, dirs[0].path());
        whole(&fast, dirs[1].path());
        whole(&slow, dirs[2].path());
        assert_same(&bytes(dirs[0].path()), &bytes(dirs[1].path()), schema.name);
        let scores =
            |dir: &Path| ["trials", "networks", "metrics"].map(|table| bytes(dir)[table].clone());
        assert_eq!(scores(dirs[0].path()), scores(dirs[2].path()), "{}", schema.name);
        let one = folder();
        whole(&searched(schema, WORTH, 8, 1), one.path());
        assert_ne!(scores(dirs[0].path()), scores(one.path()), "it learns from fewer at first");
    }
}

#[test]
fn the_next_network_is_asked_for_right_after_one_is_told() {
    let jobs = 3;
    let toy = searched(&aging_evolution::SCHEMA, WORTH, 9, jobs);
    let dir = folder();
    whole(&toy, dir.path());
    let tried = tried(&toy, dir.path());
    let search = strategies::search(&toy.space, &toy.recipe).unwrap();
    let Method::Alone(mut strategy, _) = search.method else { panic!("it trains") };
    let mut asked = 0;
    for (told, network) in tried.iter().enumerate() {
        while asked < tried.len() && asked < told + jobs as usize {
            let mut rng = ChaCha8Rng::seed_from_u64(toy.recipe.seed);
            rng.set_stream((2 << 32) | asked as u64);
            let trial = strategy.ask(&mut rng).unwrap().unwrap();
            let choices: Choices = toy.network(&trial.assignment).choices.into_iter().collect();
            assert_eq!(tried[asked].choices, choices, "{asked}");
            asked += 1;
        }
        let chosen = network.choices.iter().map(|(path, name)| (path.as_str(), name.as_str()));
        let assignment = nas_passes::from_choices(&toy.space, chosen).unwrap();
        let values = network.score().map(|score| vec![score.fitness()]);
        strategy.tell(&Outcome { assignment, network: network.clone(), values });
    }
}

#[test]
fn a_network_that_is_open_is_not_tried_twice() {
    // There are five networks.
    let one = worths()[0];
    for schema in [&random::SCHEMA, &local_search::SCHEMA, &tpe::SCHEMA] {
        let recipe = searched(schema, WORTH, 20, 4).recipe;
        let toy = Toy::of(&[one], "").searched_by(recipe);
        let dir = folder();
        whole(&toy, dir.path());
        let mut tried: Vec<String> =
            tried(&toy, dir.path()).iter().map(|network| network.choices[0].clone()).collect();
        tried.sort();
        assert_eq!(tried, ["c0", "c1", "c2", "c3", "c4"], "{}", schema.name);
        stop_anywhere(&toy, &inputs(&toy, &sources(), &versions()));
    }
}

#[test]
fn several_jobs_end_the_same_wherever_they_are_stopped_or_crash() {
    let toy = searched(&aging_evolution::SCHEMA, WORTH, 7, 3);
    let (sources, versions) = (sources(), versions());
    let inputs = inputs(&toy, &sources, &versions);
    stop_anywhere(&toy, &inputs);
    crash_anywhere(&toy, &inputs);
}

#[test]
fn a_run_that_is_stopped_ends_its_commands_and_begins_them_anew() {
    let marks = folder();
    let wait = marks.path().join("wait");
    fs::write(&wait, "").unwrap();
    let command = format!(
        "ls {{dir}}; echo $$ > {{dir}}/pid; while test -e {}; do echo '\\{{\"epoch\": 1}}'; sleep 1; done; {WORTH}; rm {{dir}}/pid",
        wait.display()
    );
    let toy = searched(&random::SCHEMA, &command, 3, 2);
    let dir = folder();
    // The phase begins, and a command waits.
    let (end, _) = go(&toy, &mut create(&toy, dir.path()), Some(2)).unwrap();
    assert!(matches!(end, End::Interrupted(_)));
    let pid = dir.path().join("trials/000000/pid");
    assert!(has_ended(&pid));
    fs::write(dir.path().join("trials/000000/rest"), "of the first time").unwrap();
    fs::remove_file(&wait).unwrap();
    go(&toy, &mut resume(&toy, dir.path()), None).unwrap();
    let reference = folder();
    whole(&toy, reference.path());
    assert_same(&bytes(dir.path()), &bytes(reference.path()), "begun anew");
}

#[test]
fn a_run_of_other_jobs_or_of_another_command_is_another_run() {
    let toy = searched(&tpe::SCHEMA, WORTH, 3, 2);
    let dir = folder();
    drop(create(&toy, dir.path()));
    let differs = |change: &dyn Fn(&mut Toy)| {
        let mut other = toy.clone();
        change(&mut other);
        let opened = Store::open(dir.path(), &inputs(&other, &sources(), &versions()));
        match opened.map(drop) {
            Err(RunError::Differs { differences, .. }) => differences,
            other => other.map(|()| Vec::new()).unwrap(),
        }
    };
    let jobs = |toy: &mut Toy| toy.set("score", "jobs", Value::Count(3));
    assert_eq!(differs(&jobs), ["`score.jobs` is 2 in it and 3 now"]);
    let command = |toy: &mut Toy| by_command(&mut toy.recipe.settings, "true {dir}");
    let told = differs(&command);
    assert!(told.len() == 1 && told[0].ends_with("and \"true {dir}\" now"), "{told:?}");
    // How much patience there is may change.
    let patience = |toy: &mut Toy| {
        toy.set("score", "timeout", Value::Count(5));
        toy.set("score", "retries", Value::Count(5));
    };
    assert!(differs(&patience).is_empty());
}

#[test]
fn the_metric_that_ranks_is_that_of_the_recipe_or_of_the_task() {
    let mut toy = searched(&random::SCHEMA, WORTH, 3, 1);
    let said = |toy: &Toy| match strategies::check(&toy.space, &toy.recipe) {
        Err(error @ RunError::Metric { .. }) => {
            let help = miette::Diagnostic::help(&error).unwrap().to_string();
            format!("{error}; {help}")
        }
        other => panic!("{other:?}"),
    };
    // A space without a task is searched all the same.
    strategies::check(&toy.space, &toy.recipe).unwrap();
    toy.set("score", "direction", Value::Word("known"));
    let text = said(&toy);
    assert!(text.contains("whether `worth` is better where it is higher"), "{text}");
    assert!(text.contains("write `direction = higher` or `direction = lower` beside"), "{text}");
    toy.set("score", "metric", Value::Text(Some("loss".to_owned())));
    strategies::check(&toy.space, &toy.recipe).unwrap();
    toy.set("score", "direction", Value::Word("higher"));
    assert!(said(&toy).contains("`loss` is better where it is lower; leave `direction` out"));
    for key in ["epoch", "direction", "class_iou"] {
        toy.set("score", "metric", Value::Text(Some(key.to_owned())));
        assert!(said(&toy).contains(&format!("`{key}` is no metric")), "{key}");
    }
    toy.set("score", "metric", Value::Text(None));
    toy.set("score", "direction", Value::Word("known"));
    assert!(said(&toy).contains("it has no task, and the recipe names no metric; name one"));
    let text = "space toy { input x: [3, 4, 4]\n task segmentation(2)\n \
                output y = x -> choose op { a: conv(2, kernel = 1)\n b: conv(2, kernel = 3) } }";
    let mut toy = Toy::any(space(text)).searched_by(toy.recipe);
    by_command(&mut toy.recipe.settings, "echo '\\{\"loss\": 2, \"miou\": 0.{trial}}'");
    toy.set("score", "metric", Value::Text(None));
    toy.set("score", "direction", Value::Word("known"));
    let trial = whole(&toy, folder().path()).trial.unwrap();
    assert_eq!(serde_json::to_string(&trial).unwrap(), r#"{"miou":0.1,"loss":2.0}"#);
}

#[test]
fn an_objective_reads_what_a_command_prints_under_any_name() {
    // Worth is to be high, and so is what `val/odd` has of it; the first object lacks it and does not count.
    let prints = r#"; echo "\{\"worth\": $sum, \"val/odd\": $((sum % 2))}"; echo '\{"worth": 99}'"#;
    let command = format!("{WORTH}{prints}");
    let mut toy = searched(&random::SCHEMA, &command, 12, 1);
    toy.set("score", "metric", Value::Text(None));
    toy.set("score", "direction", Value::Word("known"));
    toy.recipe.objective =
        super::objective::objective("maximize metric(\"worth\") + 100 * metric(\"val/odd\")");
    let dir = folder();
    let result = whole(&toy, dir.path());
    let of = |network: &TriedNetwork| {
        let score = network.score().unwrap();
        (score.named("val/odd").unwrap(), score.named("worth").unwrap())
    };
    let tried = tried(&toy, dir.path());
    assert!(tried.iter().all(|network| of(network).1 < 99.0));
    let best = tried.iter().max_by(|a, b| of(a).partial_cmp(&of(b)).unwrap()).unwrap();
    assert_eq!((result.choices, of(best).0), (best.choices.clone(), 1.0));
    // What it lacks is named.
    let mut toy = searched(&random::SCHEMA, WORTH, 12, 1);
    toy.recipe.objective =
        super::objective::objective("maximize metric(\"worth\") - metric(\"pq\")");
    let failure = go(&toy, &mut create(&toy, folder().path()), None).unwrap_err();
    let said = format!("{failure:?}");
    assert!(said.contains("printed no object with all of `worth`, `pq`"), "{said}");
    toy.recipe.objective = super::objective::objective("maximize metric(\"epoch\")");
    let said = strategies::check(&toy.space, &toy.recipe).unwrap_err().to_string();
    assert!(said.contains("`epoch` is no metric"), "{said}");
}

/// The command of a recipe that is written so, or what is wrong with it.
fn written(command: &str) -> Result<Template, Vec<String>> {
    let text = format!(
        "const EPOCHS = 3\nconst PYTHON = \"python3\"\n\
         space toy {{ input x: [2, 4, 4]\n output y = x -> choose op {{ a: relu\n b: identity }} }}\n\
         search r of toy {{ strategy random {{}}\n score {{ by = command, command = {command} }} }}"
    );
    let (recipe, problems) =
        with_problems(Source::new("toy.nas", text), |_, compiler| compiler.recipe("r", &[]));
    let said = |problem: &nas_grammar::Problem| {
        let [code, help] = [problem.code(), problem.help()].map(|it| it.unwrap().to_string());
        format!("{code}: {problem}: {help}")
    };
    let template = |recipe: Recipe| recipe.settings.template("score", "command").unwrap().unwrap();
    recipe.map(template).ok_or_else(|| problems.into_vec().iter().map(said).collect())
}

#[test]
fn a_command_is_read_as_a_string_with_placeholders() {
    let read =
        written(r#""{PYTHON} a.py '\{{json}}' \"{dir}\" --epochs {EPOCHS + 1}{trial}""#).unwrap();
    assert_eq!(read, {
        let text = |text: &str| Part::Text(text.to_owned());
        Template::new([
            text("python3 a.py '{"),
            Part::Placeholder("json"),
            text("}' \""),
            Part::Placeholder("dir"),
            text("\" --epochs 4"),
            Part::Placeholder("trial"),
        ])
    });
    assert_eq!(written("PYTHON").unwrap(), Template::new([Part::Text("python3".to_owned())]));
    let said = written("\"a {jsn} {onxx} {EPOCHS / 0}\"").unwrap_err();
    assert_eq!(said.len(), 3, "{said:?}");
    let unknown = "nas::recipe::unknown_placeholder: `score.command` has no placeholder `{jsn}`";
    assert!(said[0].starts_with(unknown) && said[0].contains("`json`"), "{said:?}");
    assert!(said[1].contains("`{onxx}`") && said[2].contains("division_by_zero"), "{said:?}");
    let far = written("\"a {x} {what}\"").unwrap_err();
    assert!(PLACEHOLDERS.iter().all(|name| far[1].contains(name)), "{far:?}");
    for wrong in ["3", "\"\"", "\" \"", "train.py", "[\"a\"]"] {
        let said = written(wrong).unwrap_err();
        assert!(said[0].contains("takes a text in quotes"), "{wrong}: {said:?}");
    }
}
