//! Tests of the layout, of `dataset.json` and of the division of a split.

use std::collections::BTreeSet;

use super::targets::table;
use super::*;
use crate::{Drawn, IMAGENET_MEAN, IMAGENET_STD};

#[test]
fn a_missing_folder_is_named() {
    let folder = Folder::of(1);
    let gone = folder.root().join("gone");
    assert_told(Dataset::open(&gone), "nas::data::missing_folder", &["gone"]);
    fs::remove_dir_all(folder.root().join("train/labels")).unwrap();
    assert_told(folder.split(), "nas::data::missing_folder", &["labels"]);
    fs::remove_dir_all(folder.root().join("train/images")).unwrap();
    assert_told(folder.split(), "nas::data::missing_folder", &["images"]);
}

#[test]
fn a_missing_split_tells_which_are_there() {
    let folder = Folder::of(1);
    let error = Dataset::open(folder.root()).unwrap().split("valid").unwrap_err();
    assert_eq!(error.help().unwrap().to_string(), "the splits here are train");
    assert_told::<()>(Err(error), "nas::data::missing_split", &["valid"]);
}

#[test]
fn a_split_without_images_is_an_error() {
    let folder = Folder::of(1);
    fs::rename(folder.image("s000"), folder.root().join("train/images/s000.txt")).unwrap();
    assert_told(folder.split(), "nas::data::no_images", &["images"]);
}

#[test]
fn a_missing_label_map_is_named_and_the_others_counted() {
    let folder = Folder::of(4);
    for stem in ["s001", "s002", "s003"] {
        fs::remove_file(folder.label(stem)).unwrap();
    }
    assert_told(folder.split(), "nas::data::missing_label", &["s001.png", "2 more"]);
}

#[test]
fn two_images_of_one_stem_are_an_error() {
    let folder = Folder::of(2);
    fs::copy(folder.image("s001"), folder.root().join("train/images/s001.JPG")).unwrap();
    assert_told(folder.split(), "nas::data::shared_label", &["s001.JPG", "s001.png"]);
}

#[test]
fn images_are_found_by_extension_and_sorted_by_stem() {
    let folder = Folder::of(3);
    let images = folder.root().join("train/images");
    fs::rename(folder.image("s000"), images.join("s000.jpeg")).unwrap();
    fs::rename(folder.image("s001"), images.join("s001.PNG")).unwrap();
    fs::write(images.join("._s002.png"), "").unwrap();
    fs::write(images.join("README.md"), "").unwrap();
    let split = folder.split().unwrap();
    assert_eq!(split.stems().collect::<Vec<_>>(), ["s000", "s001", "s002"]);
    assert_eq!(split.samples()[1].target, Target::ClassMap(folder.label("s001")));
}

#[test]
fn dataset_json_is_optional_in_whole_and_in_part() {
    let folder = Folder::of(1);
    let data = Dataset::open(folder.root()).unwrap();
    assert_eq!((data.kind, data.classes.len(), data.ignore), (TargetKind::ClassMap, 0, None));
    assert_eq!(data.normalisation(3).unwrap(), by(IMAGENET_MEAN, IMAGENET_STD));
    let grey = data.normalisation(1).unwrap();
    assert!((grey.mean[0] - 0.449).abs() < 1e-6 && (grey.std[0] - 0.226).abs() < 1e-6);

    let data = folder
        .describe(r#"{"classes": ["water", "snow"], "ignore": 11, "mean": [0.1, 0.2, 0.3]}"#)
        .unwrap();
    assert_eq!(
        (data.classes.as_slice(), data.ignore),
        (["water", "snow"].map(String::from).as_slice(), Some(11))
    );
    assert_eq!(data.normalisation(3).unwrap(), by([0.1, 0.2, 0.3], IMAGENET_STD));
    let pipeline = data.pipeline(3, 2, None).unwrap();
    assert_eq!((pipeline.classes, pipeline.ignore), (2, 11));
    assert_eq!(pipeline.inputs[0].normalisation.mean, [0.1, 0.2, 0.3]);
}

#[test]
fn a_bad_dataset_json_is_shown_where_it_is_bad() {
    let folder = Folder::of(1);
    for (json, words) in [
        ("{\"ignore\": 255,\n \"mean\": }", "line 2 column 10"),
        ("{\"ignore\": -1}", "line 1 column 13"),
        ("{\"clases\": []}", "unknown field `clases`"),
    ] {
        let error = folder.describe(json).unwrap_err();
        let label = error.labels().unwrap().next().unwrap();
        assert!(label.offset() > 0 && label.offset() <= json.len());
        assert!(error.source_code().is_some());
        assert_told::<()>(Err(error), "nas::data::bad_dataset_json", &[words]);
    }
}

#[test]
fn a_factor_makes_something_of_what_it_multiplies() {
    let folder = Folder::of(1);
    for (json, name) in [
        (r#"{"map": {"scale": 0}}"#, "`scale` of `map`"),
        (r#"{"map": {"peak": 0}}"#, "`peak` of `map`"),
        (r#"{"map": {"peak": -2}}"#, "`peak` of `map`"),
        (r#"{"inputs": {"depth": {"scale": 0.0}}}"#, "`scale` of `inputs`"),
    ] {
        assert_told(folder.describe(json), "nas::data::bad_factor", &[name]);
    }
}

#[test]
fn an_input_that_is_described_is_there() {
    let folder = Folder::of(1);
    let json = r#"{"inputs": {"dpeth": {"scale": 0.1}}}"#;
    let of = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        folder.describe(json).unwrap().with_inputs(&names)
    };
    assert_told(of(&["rgb", "depth"]), "nas::data::unknown_input", &["`dpeth`"]);
    assert!(of(&["rgb", "dpeth"]).is_ok());
}

#[test]
fn mean_and_std_are_numbers_in_units_of_white() {
    let folder = Folder::of(1);
    for (json, name) in [
        (r#"{"mean": []}"#, "mean"),
        (r#"{"mean": [123.7, 116.3, 103.5]}"#, "mean"),
        (r#"{"std": [0.1, 0.0, 0.3]}"#, "std"),
        (r#"{"std": [0.1, -0.2, 0.3]}"#, "std"),
    ] {
        assert_told(folder.describe(json), "nas::data::bad_statistics", &[name]);
    }
    let data = folder.describe(r#"{"mean": [0, 0, 0], "std": [1]}"#).unwrap();
    assert_eq!(data.normalisation(3).unwrap(), by([0.0; 3], [1.0; 3]));
    let words = ["`mean` in `dataset.json` has 3 numbers", "1 channel"];
    assert_told(data.pipeline(1, 2, None), "nas::data::other_channels", &words);
    let data = folder.describe(r#"{"std": [0.1, 0.2, 0.3, 0.4]}"#).unwrap();
    assert_told(data.normalisation(3), "nas::data::other_channels", &["`std`", "has 4 numbers"]);
    let data = folder.describe(r#"{"mean": [0.25], "std": [0.5]}"#).unwrap();
    assert_eq!(data.normalisation(1).unwrap(), by([0.25], [0.5]));
}

#[test]
fn divide_is_disjoint_complete_and_repeatable() {
    let split = Folder::of(10).split().unwrap();
    let names = |part: &Split| part.stems().collect::<BTreeSet<_>>();
    let (first, second) = split.divide(0.8, 3);
    assert_eq!((first.len(), second.len()), (8, 2));
    assert!(names(&first).is_disjoint(&names(&second)));
    assert_eq!(&names(&first) | &names(&second), names(&split));
    assert!(first.stems().is_sorted());
    assert_eq!(split.divide(0.8, 3), (first, second.clone()));
    assert!((0..9).any(|seed| split.divide(0.8, seed).1 != second));
}

#[test]
fn divide_leaves_a_part_empty_only_when_told_so() {
    let split = Folder::of(3).split().unwrap();
    for (fraction, first) in [(0.0, 0), (0.01, 1), (0.5, 2), (0.99, 2), (1.0, 3), (7.0, 3)] {
        let (a, b) = split.divide(fraction, 0);
        assert_eq!((a.len(), b.len()), (first, 3 - first), "{fraction}");
    }
}

/// The stems of a split of a data set of which these images are used.
fn drawn(folder: &Folder, drawn: Drawn, split: &str) -> Vec<String> {
    let data = Dataset::open(folder.root()).unwrap().drawn(drawn).unwrap();
    data.split(split).unwrap().stems().collect()
}

#[test]
fn validation_images_are_drawn_from_train_once_and_for_all() {
    let folder = Folder::of(20);
    let with = Drawn { val: 0.25, take: None };
    let (train, val) = (drawn(&folder, with, "train"), drawn(&folder, with, "val"));
    assert_eq!((train.len(), val.len()), (15, 5));
    let both: BTreeSet<_> = train.iter().chain(&val).collect();
    assert_eq!(both.len(), 20);
    // Scores of earlier runs rest on these.
    assert_eq!(val, ["s001", "s002", "s009", "s010", "s011"]);
    assert!(train.is_sorted());
}

#[test]
fn fewer_training_images_are_some_of_more_and_validation_stays() {
    let folder = Folder::of(20);
    let with = |take| Drawn { val: 0.25, take };
    let all = drawn(&folder, with(None), "train");
    let some: Vec<Vec<String>> =
        [4, 9, 15].map(|take| drawn(&folder, with(Some(take)), "train")).into();
    assert_eq!(some.iter().map(Vec::len).collect::<Vec<_>>(), [4, 9, 15]);
    assert!(some[0].iter().all(|stem| some[1].contains(stem)));
    assert_eq!(some[2], all);
    assert_ne!(some[0], all[..4], "they are no beginning");
    assert_eq!(drawn(&folder, with(Some(4)), "val"), drawn(&folder, with(None), "val"));
}

#[test]
fn what_is_drawn_must_be_missing_and_what_is_taken_must_be_there() {
    let folder = Folder::of(4);
    let open = |drawn| Dataset::open(folder.root()).unwrap().drawn(drawn);
    let words = ["`take` of `data` is 4", "has 3 images"];
    let many = Drawn { val: 0.25, take: Some(4) };
    assert_told(open(many), "nas::data::takes_too_many", &words);
    save_labelled(&folder.root().join("val"), "a", &coded(3, 4).0, &coded(3, 4).1);
    let found = open(Drawn { val: 0.25, take: None });
    assert_told(found, "nas::data::has_val", &["`val` of `data` is 0.25"]);
    open(Drawn { val: 0.0, take: Some(4) }).unwrap();
}

#[test]
fn the_targets_of_drawn_images_are_those_of_train() {
    let folder = table("targets.csv", "image,a\n1,0.5\n2,1\n");
    let data = Dataset::open(folder.root()).unwrap().drawn(Drawn { val: 0.5, take: None }).unwrap();
    let mut on_sample = |_, _| std::ops::ControlFlow::Continue(());
    let survey = data.survey(&["train", "val"], &plain(), &mut on_sample).unwrap().unwrap();
    let mut names: Vec<String> = survey.files.into_iter().map(|file| file.name).collect();
    names.sort();
    let expected = ["train/images/1.png", "train/images/2.png", "train/targets.csv"];
    assert_eq!(names, expected);
}
