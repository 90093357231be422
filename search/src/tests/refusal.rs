//! Folders that a run does not touch, and files that it does not believe.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use miette::Diagnostic;
use nas_testing::folder;

use super::toy::{Toy, worths};
use super::{create, database, go, inputs, resume, sources, versions, whole};
use crate::error::{Failure, RunError};
use crate::event::Event;
use crate::regime::{End, run};
use crate::store::{Inputs, Store, names};

fn code(error: &RunError) -> String {
    error.code().unwrap().to_string()
}

fn refused_resume(toy: &Toy, dir: &Path) -> RunError {
    Store::open(dir, &inputs(toy, &sources(), &versions())).unwrap_err()
}

#[test]
fn folders_that_are_not_what_was_asked_for() {
    let toy = Toy::short();
    let (sources, versions) = (sources(), versions());
    let inputs = inputs(&toy, &sources, &versions);
    let dir = folder();
    let nowhere = dir.path().join("a/b");
    fs::write(dir.path().join("thesis.tex"), "years").unwrap();
    assert_eq!(code(&Store::create(dir.path(), &inputs).unwrap_err()), "nas::run::not_a_run");
    assert_eq!(code(&Store::open(dir.path(), &inputs).unwrap_err()), "nas::run::not_a_run");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "it is left as it was");
    // Nor is a folder a run because a lock lies in it, and a network of whoever wrote it.
    fs::write(dir.path().join(names::LOCK), "").unwrap();
    assert_eq!(code(&Store::open(dir.path(), &inputs).unwrap_err()), "nas::run::not_a_run");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "it is left as it was");

    drop(Store::create(&nowhere, &inputs).unwrap());
    assert_eq!(code(&Store::create(&nowhere, &inputs).unwrap_err()), "nas::run::exists");
}

#[test]
fn two_runs_in_one_folder() {
    let toy = Toy::short();
    let dir = folder();
    let store = create(&toy, dir.path());
    assert_eq!(code(&refused_resume(&toy, dir.path())), "nas::run::locked");
    drop(store);
    resume(&toy, dir.path());
}

#[test]
fn a_run_that_was_not_begun_for_good_begins_again() {
    let toy = Toy::short();
    let dir = folder();
    drop(create(&toy, dir.path()));
    fs::remove_file(dir.path().join(names::RUN)).unwrap();
    fs::write(dir.path().join("sources/other.nas"), "space other { }").unwrap();
    fs::write(dir.path().join(".data.json.7-7.nasc-aside"), "half").unwrap();
    let reference = folder();
    whole(&toy, reference.path());
    whole(&toy, dir.path());
    super::assert_same(&super::bytes(dir.path()), &super::bytes(reference.path()), "begun twice");
}

#[test]
fn another_run_is_not_gone_on_with() {
    let toy = Toy::short();
    let dir = folder();
    drop(create(&toy, dir.path()));
    let mut worths = worths();
    worths[1][0].1 += 1;
    let mut recipe = Toy::short().recipe;
    recipe.seed = 3;
    recipe.schedule.epochs = 3;
    recipe.data.crop = Some([64, 32]);
    let other = Toy::of(&worths, "").searched_by(recipe);
    let changed = vec![
        ("toy.nas".to_owned(), b"space toy { } ".to_vec()),
        ("std/blocks.nas".to_owned(), vec![]),
    ];
    let versions = versions();
    let mut now = inputs(&other, &changed, &versions);
    now.space_ref = "toy(width = 2)";
    let error = Store::open(dir.path(), &now).unwrap_err();
    let RunError::Differs { differences, .. } = &error else { panic!("{error:?}") };
    assert_eq!(
        differences,
        &[
            "its space is `toy`, not `toy(width = 2)`",
            "`toy.nas` has changed",
            "`std/blocks.nas` is new",
            "`data.crop` is null in it and [64,32] now",
            "`schedule.epochs` is 4 in it and 3 now",
            "`seed` is 0 in it and 3 now",
        ]
    );
    assert!(error.to_string().contains("is another one:\n  its space is"));

    let none = Store::open(dir.path(), &inputs(&other, &[], &versions)).unwrap_err();
    assert!(none.to_string().contains("`toy.nas` is no longer read"), "{none}");

    // The same text may make another space, where the compiler's own library changed.
    let other = Toy::of(&worths, "").searched_by(Toy::short().recipe);
    assert!(refused_resume(&other, dir.path()).to_string().contains("makes another space"));
    let (sources, versions) = (sources(), versions);
    let dropping = Inputs { drop_unsupported: true, ..self::inputs(&toy, &sources, &versions) };
    let error = Store::open(dir.path(), &dropping).unwrap_err().to_string();
    assert!(error.ends_with(":\n  it was begun without `--drop-unsupported`"), "{error}");
}

#[test]
fn what_makes_the_same_space_is_the_same_run() {
    let toy = Toy::short();
    let dir = folder();
    let table = ("board.lat".to_owned(), b"conv 1 ms".to_vec());
    let began = [sources(), vec![table.clone()]].concat();
    let versions = versions();
    drop(Store::create(dir.path(), &inputs(&toy, &began, &versions)).unwrap());
    let imported = ("a.nas".to_owned(), b"// what toy.nas held".to_vec());
    let said_again = vec![imported, ("toy.nas".to_owned(), b"// as before".to_vec()), table];
    drop(Store::open(dir.path(), &inputs(&toy, &said_again, &versions)).unwrap());
    // Of a latency table the text of a space shows nothing.
    let mut other_table = began.clone();
    other_table[1].1.push(b'1');
    let error = Store::open(dir.path(), &inputs(&toy, &other_table, &versions)).unwrap_err();
    assert!(error.to_string().ends_with(":\n  `board.lat` has changed"), "{error}");
    // Of the settings some change no result.
    let mut other = Toy::short();
    other.recipe.data.workers += 1;
    other.recipe.data.path = "moved/here".to_owned();
    drop(Store::open(dir.path(), &inputs(&other, &began, &versions)).unwrap());
}

/// Goes on with a run until so many events were told, with a recipe and files of the data; what was
/// taken over, and what keeps it from going on.
fn goes_on(
    toy: &Toy,
    dir: &Path,
    data: &[(String, String)],
    stop: Stop,
) -> (Vec<String>, Vec<String>) {
    let (sources, versions) = (sources(), versions());
    let inputs = Inputs { data, ..inputs(toy, &sources, &versions) };
    match Store::open(dir, &inputs) {
        Ok(mut store) => {
            let changes = store.changes().to_vec();
            until(toy, &mut store, stop).unwrap();
            (changes, Vec::new())
        }
        Err(RunError::Differs { differences, .. }) => (Vec::new(), differences),
        Err(error) => panic!("{error}"),
    }
}

fn files(hashes: &[(&str, &str)]) -> Vec<(String, String)> {
    hashes.iter().map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned())).collect()
}

const BEGAN: [(&str, &str); 5] = [
    ("dataset.json", "1"),
    ("train/a.png", "2"),
    ("train/b.png", "3"),
    ("val/c.png", "4"),
    ("test/d.png", "5"),
];

/// When a run is stopped.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stop {
    Begun,
    /// After an epoch of the search.
    Searching,
    /// After a trial.
    Trying,
    /// After the last epoch of the retraining, which is not its best.
    Retraining,
    Never,
}

/// Goes on with a run until it is to stop.
fn until(toy: &Toy, store: &mut Store, stop: Stop) -> Result<End, Failure> {
    let mut on_event = |event: Event<'_>| {
        let is_now = match event {
            Event::EpochDone { .. } => stop == Stop::Searching,
            Event::Scored { .. } => stop == Stop::Trying,
            Event::Retrained { record, .. } => stop == Stop::Retraining && record.epoch == 2,
            _ => stop == Stop::Begun,
        };
        if is_now { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let job = toy.job();
    run(&job, store, &mut on_event)
}

#[test]
fn data_that_a_run_has_used_are_the_same() {
    let toy = Toy::short();
    let dir = folder();
    goes_on(&toy, dir.path(), &files(&BEGAN), Stop::Searching);
    let now = files(&[
        ("dataset.json", "1"),
        ("train/a.png", "7"),
        ("train/d.png", "7"),
        ("train/e.png", "7"),
        ("val/c.png", "7"),
        ("val/d.png", "7"),
    ]);
    let (_, differences) = goes_on(&toy, dir.path(), &now, Stop::Never);
    assert_eq!(
        differences,
        [
            "2 files of the data are new, `train/d.png` to `train/e.png`",
            "`train/b.png` of the data is gone",
            "`train/a.png` of the data is different",
        ]
    );
    goes_on(&toy, dir.path(), &files(&BEGAN), Stop::Never);
    let (_, differences) = goes_on(&toy, dir.path(), &files(&BEGAN[..4]), Stop::Never);
    assert_eq!(differences, ["`test/d.png` of the data is gone"], "a run that is done used all");
}

#[test]
fn data_that_a_run_has_not_used_yet_may_be_repaired() {
    let toy = Toy::short();
    for (stop, may_change) in
        [(Stop::Begun, 0), (Stop::Searching, 3), (Stop::Trying, 4), (Stop::Retraining, 4)]
    {
        let dir = folder();
        let mut now = files(&BEGAN);
        goes_on(&toy, dir.path(), &now, stop);
        now.iter_mut().skip(may_change).for_each(|(_, hash)| *hash = "repaired".to_owned());
        let (changes, differences) = goes_on(&toy, dir.path(), &now, Stop::Begun);
        assert_eq!((changes.len(), differences.len()), (1, 0), "{stop:?}: {changes:?}");
        assert!(changes[0].ends_with(", and not used yet"), "{changes:?}");
        let (changes, _) = goes_on(&toy, dir.path(), &now, Stop::Never);
        assert!(changes.is_empty(), "it is recorded: {changes:?}");
        if let Some((_, used)) = may_change.checked_sub(1).and_then(|used| now.get_mut(used)) {
            used.push_str(" again");
            let (_, differences) = goes_on(&toy, dir.path(), &now, Stop::Never);
            assert_eq!(differences.len(), 1);
        }
    }
}

#[test]
fn a_schedule_may_grow_while_its_phase_is_not_done() {
    let longer = |search: u32, retrain: u32| {
        let mut toy = Toy::short();
        toy.recipe.schedule.epochs += search;
        toy.recipe.retrain.epochs += retrain;
        toy
    };
    let dir = folder();
    let end = |toy: &Toy, stop| goes_on(toy, dir.path(), &[], stop);
    end(&longer(0, 0), Stop::Searching);
    let (changes, _) = end(&longer(2, 0), Stop::Begun);
    assert_eq!(changes, ["`schedule.epochs` was 4 and is 6"]);
    let (_, differences) = end(&longer(0, 0), Stop::Begun);
    assert_eq!(differences, ["`schedule.epochs` is 6 in it and 4 now"]);
    end(&longer(2, 0), Stop::Trying);
    let (_, differences) = end(&longer(3, 0), Stop::Begun);
    assert_eq!(differences, ["`schedule.epochs` is 6 in it and 7 now"], "the networks are tried");
    let (changes, _) = end(&longer(2, 4), Stop::Never);
    assert_eq!(changes, ["`retrain.epochs` was 3 and is 7"]);
    let store = resume(&longer(2, 4), dir.path());
    let history = super::history(&store);
    assert_eq!(history.len(), 6 + 7);
    drop(store);
    let (_, differences) = end(&longer(2, 5), Stop::Never);
    assert_eq!(
        differences,
        [
            "`retrain.epochs` is 7 in it and 8 now, and it is done: only where `retrain.rate` and `retrain.drop_path` stay the \
          same does a retraining go on for longer"
        ]
    );
}

#[test]
fn a_run_of_another_layout_is_left_to_its_version() {
    let toy = Toy::short();
    let dir = folder();
    drop(create(&toy, dir.path()));
    fs::write(dir.path().join(names::RUN), "{\"format\": 1}").unwrap();
    assert_eq!(code(&refused_resume(&toy, dir.path())), "nas::run::layout");
}

#[test]
fn many_differences_are_counted() {
    let differences = (0..20).map(|i| i.to_string()).collect();
    let text = RunError::Differs { dir: "d".into(), differences }.to_string();
    assert!(text.ends_with("\n  11\n  … and 8 more"), "{text}");
}

#[test]
fn other_versions_are_told_not_refused() {
    let toy = Toy::short();
    let dir = folder();
    drop(create(&toy, dir.path()));
    let newer = vec![("nasc".to_owned(), "0.2.0".to_owned()), ("gpu".to_owned(), "H".to_owned())];
    let sources = sources();
    let mut store = Store::open(dir.path(), &inputs(&toy, &sources, &newer)).unwrap();
    let mut told = Vec::new();
    let mut on_event = |event: Event<'_>| {
        if let Event::Resumed { versions, .. } = event {
            told.extend(
                versions.iter().map(|v| (v.name.clone(), v.recorded.clone(), v.now.clone())),
            );
        }
        ControlFlow::Continue(())
    };
    let job = toy.job();
    run(&job, &mut store, &mut on_event).unwrap();
    let text = |t: &str| Some(t.to_owned());
    assert_eq!(
        told,
        [("nasc".to_owned(), text("0.1.0"), text("0.2.0")), ("gpu".to_owned(), None, text("H")),]
    );
}

/// What going on with a run to its end fails with.
fn failure(toy: &Toy, dir: &Path) -> RunError {
    match Store::open(dir, &inputs(toy, &sources(), &versions())) {
        Err(error) => error,
        Ok(mut store) => match go(toy, &mut store, None) {
            Err(Failure::Run(error)) => error,
            other => panic!("{other:?}"),
        },
    }
}

/// A run that was stopped and then damaged is refused, and the file is named.
fn assert_damaged(stop: Stop, file: &str, damage: impl FnOnce(&Path)) {
    let toy = Toy::short();
    let dir = folder();
    until(&toy, &mut create(&toy, dir.path()), stop).unwrap();
    damage(dir.path());
    let error = failure(&toy, dir.path());
    assert_eq!(code(&error), "nas::run::damaged", "{file}: {error}");
    assert!(error.to_string().contains(&format!("`{file}` of the run")), "{file}: {error}");
}

#[test]
fn damaged_files_are_named() {
    for (file, content) in [
        (names::SUPERNET, b"12345678 no tensors".as_slice()),
        (names::RECORDS, b"{}\n{}\n{}\n"),
        (names::RECORDS, b""),
        (names::RECIPE, b"not json"),
        (names::DATA, b"[]"),
        (names::RUN, b"{}"),
    ] {
        assert_damaged(Stop::Searching, file, |dir| fs::write(dir.join(file), content).unwrap());
    }
}

#[test]
fn a_file_that_is_missing_is_named() {
    for file in [names::RUN, names::RESULT, names::ASSIGNMENT, names::WEIGHTS, names::RECORDS] {
        assert_damaged(Stop::Never, file, |dir| fs::remove_file(dir.join(file)).unwrap());
    }
    for file in [names::RUN, names::RECIPE, names::DATA, names::SUPERNET, names::RECORDS] {
        assert_damaged(Stop::Trying, file, |dir| fs::remove_file(dir.join(file)).unwrap());
    }
    for file in [names::ASSIGNMENT, names::TRAINEE, names::BEST, names::CANDIDATES] {
        assert_damaged(Stop::Retraining, file, |dir| fs::remove_file(dir.join(file)).unwrap());
    }
}

#[test]
fn a_file_of_another_time_or_run_is_named() {
    for change in [
        "UPDATE epochs SET epoch = 9 WHERE epoch = 0; UPDATE epochs SET epoch = 0 WHERE epoch = 1",
        "UPDATE epochs SET loss = loss + 1 WHERE epoch = 1",
        "DELETE FROM epochs WHERE epoch = 0",
        "CREATE TRIGGER t AFTER INSERT ON trials BEGIN DELETE FROM trials; END",
    ] {
        for stop in [Stop::Trying, Stop::Retraining, Stop::Never] {
            assert_damaged(stop, names::RECORDS, |dir| {
                database(dir).execute_batch(change).unwrap()
            });
        }
    }
    for change in [
        "UPDATE metrics SET value = value + 1 WHERE phase = 'derive'",
        "UPDATE networks SET macs = macs + 1",
        "UPDATE trials SET trial = 700 WHERE trial = 0",
        "UPDATE trials SET failed = 'it was not wanted'",
        "DELETE FROM metrics",
    ] {
        for stop in [Stop::Trying, Stop::Retraining] {
            assert_damaged(stop, names::RECORDS, |dir| {
                database(dir).execute_batch(change).unwrap()
            });
        }
    }
    let other = folder();
    let mut toy = Toy::short();
    toy.recipe.seed = 9;
    whole(&toy, other.path());
    for file in [names::WEIGHTS, names::ASSIGNMENT, names::RECORDS] {
        let from = other.path().join(file);
        assert_damaged(Stop::Never, file, |dir| {
            let mut bytes = fs::read(from).unwrap();
            if bytes == fs::read(dir.join(file)).unwrap() {
                bytes.clear();
            }
            fs::write(dir.join(file), bytes).unwrap();
        });
    }
    // What another run found, and a network that was not the best, among the files of this one.
    let from = other.path().join(names::CANDIDATES);
    assert_damaged(Stop::Retraining, names::CANDIDATES, |dir| {
        fs::copy(from, dir.join(names::CANDIDATES)).unwrap();
    });
    assert_damaged(Stop::Retraining, names::ASSIGNMENT, |dir| {
        let path = dir.join(names::ASSIGNMENT);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"c1\""), "{text}");
        fs::write(path, text.replace("\"c1\"", "\"c4\"")).unwrap();
    });
    for (file, stop) in [(names::SUPERNET, Stop::Searching), (names::TRAINEE, Stop::Retraining)] {
        assert_damaged(stop, file, |dir| {
            let mut bytes = fs::read(dir.join(file)).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            fs::write(dir.join(file), bytes).unwrap();
        });
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let elsewhere = folder();
    let target = elsewhere.path().join("thesis.tex");
    for file in [names::RECORDS, "run.sqlite-wal", "run.sqlite-shm", names::SUPERNET] {
        fs::write(&target, "").unwrap();
        let (toy, dir) = (Toy::short(), folder());
        let mut store = create(&toy, dir.path());
        std::os::unix::fs::symlink(&target, dir.path().join(file)).unwrap();
        let ended = go(&toy, &mut store, None);
        assert!(fs::read(&target).unwrap().is_empty(), "{file}: {ended:?}");
    }
}

#[test]
fn files_stay_in_the_folder() {
    let toy = Toy::short();
    let dir = folder();
    let mut store = create(&toy, dir.path());
    for name in ["", "../a", "/etc/passwd", "a/../../b", ".", "a\\b"] {
        assert_eq!(code(&store.write(name, b"").unwrap_err()), "nas::run::file_name", "{name}");
    }
    store.write("onnx/net.onnx", b"1").unwrap();
    store.write("onnx/net.onnx", b"22").unwrap();
    assert_eq!(store.read("onnx/net.onnx").unwrap().unwrap(), b"22");
    assert_eq!(fs::read_dir(dir.path().join("onnx")).unwrap().count(), 1, "nothing is left aside");
    assert!(store.read("no.json").unwrap().is_none());
    let bad = vec![("/abs.nas".to_owned(), vec![])];
    let other = folder();
    let versions = versions();
    let error = Store::create(other.path(), &inputs(&toy, &bad, &versions)).unwrap_err();
    assert_eq!(code(&error), "nas::run::file_name");
}
