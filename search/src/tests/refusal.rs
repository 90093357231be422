//! Folders that a run does not touch, and files that it does not believe.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use miette::Diagnostic;
use nas_testing::folder;

use super::toy::{Toy, worths};
use super::{create, go, inputs, resume, sources, versions, whole};
use crate::error::{Failure, RunError};
use crate::event::Event;
use crate::regime::{Job, run};
use crate::store::{Inputs, Store, names};

fn code(error: &RunError) -> String {
    error.code().unwrap().to_string()
}

fn refused_resume(toy: &Toy, dir: &Path) -> RunError {
    Store::resume(dir, &inputs(toy, &sources(), &versions())).unwrap_err()
}

#[test]
fn folders_that_are_not_what_was_asked_for() {
    let toy = Toy::short();
    let (sources, versions) = (sources(), versions());
    let inputs = inputs(&toy, &sources, &versions);
    let dir = folder();
    assert_eq!(
        code(&Store::resume(dir.path(), &inputs).unwrap_err()),
        "nas::run::nothing_to_resume"
    );
    let nowhere = dir.path().join("a/b");
    assert_eq!(code(&Store::resume(&nowhere, &inputs).unwrap_err()), "nas::run::nothing_to_resume");

    fs::write(dir.path().join("thesis.tex"), "years").unwrap();
    assert_eq!(code(&Store::create(dir.path(), &inputs).unwrap_err()), "nas::run::not_a_run");
    assert_eq!(code(&Store::resume(dir.path(), &inputs).unwrap_err()), "nas::run::not_a_run");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "it is left as it was");

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
    assert_eq!(code(&refused_resume(&toy, dir.path())), "nas::run::nothing_to_resume");
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
    let mut other = Toy::short();
    other.recipe.seed = 3;
    other.recipe.schedule.epochs = 9;
    other.recipe.data.crop = Some([64, 32]);
    let changed = vec![
        ("toy.nas".to_owned(), b"space toy { } ".to_vec()),
        ("std/blocks.nas".to_owned(), vec![]),
    ];
    let versions = versions();
    let mut now = inputs(&other, &changed, &versions);
    now.space_ref = "toy(width = 2)";
    let error = Store::resume(dir.path(), &now).unwrap_err();
    let RunError::Differs { differences, .. } = &error else { panic!("{error:?}") };
    assert_eq!(
        differences,
        &[
            "its space is `toy`, not `toy(width = 2)`",
            "`toy.nas` has changed",
            "`std/blocks.nas` is new",
            "`data.crop` is null in it and [64,32] now",
            "`schedule.epochs` is 4 in it and 9 now",
            "`seed` is 0 in it and 3 now",
        ]
    );
    assert!(error.to_string().contains("is another one:\n  its space is"));

    let none = Store::resume(dir.path(), &inputs(&toy, &[], &versions)).unwrap_err();
    assert!(none.to_string().ends_with("`toy.nas` is no longer read"), "{none}");

    // The same text may make another space, where the compiler's own library changed.
    let mut worths = worths();
    worths[1][0].1 += 1;
    let other = Toy::of(&worths, "").searched_by(Toy::short().recipe);
    assert!(refused_resume(&other, dir.path()).to_string().contains("makes another space"));
    let (sources, versions) = (sources(), versions);
    let dropping = Inputs { drop_unsupported: true, ..self::inputs(&toy, &sources, &versions) };
    let error = Store::resume(dir.path(), &dropping).unwrap_err().to_string();
    assert!(error.ends_with(":\n  it was begun without `--drop-unsupported`"), "{error}");
    // What changes no result is free to change.
    let mut other = Toy::short();
    other.recipe.data.workers += 1;
    resume(&other, dir.path());
}

#[test]
fn a_run_does_not_go_on_with_other_data() {
    let toy = Toy::short();
    let (sources, versions) = (sources(), versions());
    let files = |sizes: &[(&str, u64)]| -> Vec<(String, u64)> {
        sizes.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect()
    };
    let began = files(&[("train/a.png", 1), ("train/b.png", 2), ("val/c.png", 3)]);
    let dir = folder();
    let with = |data| Inputs { data, ..inputs(&toy, &sources, &versions) };
    drop(Store::create(dir.path(), &with(&began)).unwrap());
    let now = files(&[("train/a.png", 7), ("val/d.png", 3), ("val/e.png", 3), ("val/c.png", 3)]);
    let error = Store::resume(dir.path(), &with(&now)).unwrap_err();
    let RunError::Differs { differences, .. } = &error else { panic!("{error:?}") };
    assert_eq!(
        differences,
        &[
            "2 files of the data are new, `val/d.png` to `val/e.png`",
            "`train/b.png` of the data is gone",
            "`train/a.png` of the data is of another size",
        ]
    );
    drop(Store::resume(dir.path(), &with(&began)).unwrap());
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
    let mut store = Store::resume(dir.path(), &inputs(&toy, &sources, &newer)).unwrap();
    let mut told = Vec::new();
    let mut on_event = |event: Event<'_>| {
        if let Event::Resumed { versions, .. } = event {
            told.extend(
                versions.iter().map(|v| (v.name.clone(), v.recorded.clone(), v.now.clone())),
            );
        }
        ControlFlow::Continue(())
    };
    let job = Job { space: &toy.space, recipe: &toy.recipe, backend: &toy };
    run(&job, &mut store, &mut on_event).unwrap();
    let text = |t: &str| Some(t.to_owned());
    assert_eq!(
        told,
        [("nasc".to_owned(), text("0.1.0"), text("0.2.0")), ("gpu".to_owned(), None, text("H")),]
    );
}

#[test]
fn damaged_files_are_named() {
    let toy = Toy::short();
    for (file, content) in [
        (names::SUPERNET, b"12345678 no tensors".as_slice()),
        (names::HISTORY, b"{}\n{}\n{}\n"),
        (names::HISTORY, b""),
        (names::RECIPE, b"not json"),
    ] {
        let dir = folder();
        go(&toy, &mut create(&toy, dir.path()), Some(14)).unwrap();
        fs::write(dir.path().join(file), content).unwrap();
        let error = match Store::resume(dir.path(), &inputs(&toy, &sources(), &versions())) {
            Err(error) => error,
            Ok(mut store) => match go(&toy, &mut store, None) {
                Err(Failure::Run(error)) => error,
                other => panic!("{file}: {other:?}"),
            },
        };
        assert_eq!(code(&error), "nas::run::damaged");
        assert!(error.to_string().contains(file), "{error}");
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
