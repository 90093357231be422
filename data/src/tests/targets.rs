//! Tests of data sets whose targets are no label maps: classes of images, vectors.

use std::collections::BTreeSet;

use super::*;
use crate::{Sample, class_shares};

/// A folder with an image of 4 rows and 6 columns at each of these paths, red by its number.
fn tree(paths: &[&str]) -> Folder {
    let folder = Folder::new();
    for (nth, path) in paths.iter().enumerate() {
        save(&RgbImage::from_pixel(6, 4, Rgb([nth as u8, 51, 102])), &folder.root().join(path));
    }
    folder
}

/// Three cats, two dogs, and one of each to validate on.
pub(super) fn pets() -> Folder {
    tree(&[
        "train/dog/2.png",
        "train/dog/1.png",
        "train/cat/9.png",
        "train/cat/a.png",
        "train/cat/b.jpg",
        "val/dog/5.png",
        "val/cat/5.png",
        ".git/train/x.png",
    ])
}

/// The batches of `LoaderOptions::evaluation(batch)` over a split.
fn evaluated(data: &Dataset, split: &str, batch: usize) -> Result<Vec<Batch>, DataError> {
    let options = LoaderOptions::evaluation(batch);
    Loader::new(data.split(split)?, data.pipeline(3, data.classes.len(), None)?, options)?
        .epoch(0)
        .collect()
}

#[test]
fn the_folder_of_an_image_is_its_class() {
    let folder = pets();
    let data = Dataset::open(folder.root()).unwrap();
    assert_eq!(data.kind, TargetKind::Class);
    assert_eq!(data.classes, ["cat", "dog"]);
    let batches = evaluated(&data, "train", 3).unwrap();
    let targets: Vec<_> = batches.iter().map(|batch| batch.targets.clone()).collect();
    assert_eq!(targets, [Targets::Classes(vec![0, 0, 0]), Targets::Classes(vec![1, 1])]);
    assert_eq!(batches[0].stems, ["9", "a", "b"]);
    assert_eq!(batches[1].inputs[0].values.len(), 2 * 3 * 4 * 6);
    assert_eq!(evaluated(&data, "val", 2).unwrap()[0].targets, Targets::Classes(vec![0, 1]));
    assert_eq!(class_shares(&data.split("train").unwrap(), 3, 255).unwrap(), [0.6, 0.4, 0.0]);
}

#[test]
fn classes_are_numbered_as_dataset_json_names_them() {
    let folder = pets();
    let data = folder.describe(r#"{"classes": ["dog", "bird", "cat"]}"#).unwrap();
    assert_eq!(data.kind, TargetKind::Class);
    let targets = &evaluated(&data, "val", 2).unwrap()[0].targets;
    assert_eq!(targets, &Targets::Classes(vec![2, 0]), "sorted by folder");
}

#[test]
fn dataset_json_says_what_the_folders_leave_open() {
    let folder = tree(&["train/images/1.png", "train/labels/2.png"]);
    let kind = |json| folder.describe(json).unwrap().kind;
    assert_eq!(kind("{}"), TargetKind::ClassMap);
    assert_eq!(kind(r#"{"target": "map"}"#), TargetKind::Map);
    assert_eq!(kind(r#"{"target": "labels"}"#), TargetKind::Labels);
    assert_eq!(kind(r#"{"target": "vector"}"#), TargetKind::Vector);
    let data = folder.describe(r#"{"target": "class"}"#).unwrap();
    assert_eq!((data.kind, data.classes.len()), (TargetKind::Class, 2));
    let error = folder.describe(r#"{"target": "box"}"#);
    assert_told(error, "nas::data::bad_dataset_json", &["unknown variant `box`"]);
}

#[test]
fn a_class_that_training_does_not_have_is_an_error() {
    let folder = tree(&["train/cat/1.png", "val/cat/1.png", "val/cow/1.png"]);
    let error = Dataset::open(folder.root()).unwrap().split("val").unwrap_err();
    let help = error.help().unwrap().to_string();
    assert!(help.starts_with("the classes are cat: name them"), "{help}");
    assert_told::<()>(Err(error), "nas::data::unknown_class", &["val/cow"]);
}

#[test]
fn a_class_that_the_network_does_not_have_is_an_error() {
    let folder = pets();
    let split = Dataset::open(folder.root()).unwrap().split("train").unwrap();
    let pipeline = Pipeline { classes: 1, ..plain() };
    let found = Loader::new(split.clone(), pipeline, LoaderOptions::evaluation(1));
    assert_told(found, "nas::data::class_out_of_range", &["dog/1.png", "class 1", "1 classes"]);
    assert_told(class_shares(&split, 1, 255), "nas::data::class_out_of_range", &["dog/1.png"]);
}

#[test]
fn classes_without_images_are_an_error() {
    let folder = Folder::new();
    fs::create_dir_all(folder.root().join("train/cat")).unwrap();
    fs::write(folder.root().join("train/cat/notes.txt"), "").unwrap();
    let data = Dataset::open(folder.root()).unwrap();
    assert_told(data.split("train"), "nas::data::no_images", &["train"]);
    let error = data.split("val").unwrap_err();
    let help = error.help().unwrap().to_string();
    assert!(help.starts_with("the splits here are train; `val = 0.1`"), "{help}");
}

/// Two images with a table of this text.
pub(super) fn table(name: &str, csv: &str) -> Folder {
    let folder = tree(&["train/images/1.png", "train/images/2.png"]);
    fs::write(folder.root().join("train").join(name), csv).unwrap();
    folder
}

/// The numbers of the images in a batch of both.
#[track_caller]
fn numbers(folder: &Folder, pipeline: Pipeline) -> Vec<f32> {
    let batch = folder.epoch(pipeline, LoaderOptions::evaluation(2)).unwrap().remove(0);
    let Targets::Vectors { values, .. } = batch.targets else { panic!("{:?}", batch.targets) };
    values
}

#[test]
fn vectors_are_read_by_name_and_what_is_not_known_is_nan() {
    let csv = "image, a, b, c\n2.png, -1, 0.25, 3e2\n1, 0, , nan\nnone.png, 1, 1, 1\n";
    let folder = table("targets.csv", csv);
    let data = Dataset::open(folder.root()).unwrap();
    assert_eq!(
        (data.kind, data.classes.as_slice()),
        (TargetKind::Vector, &["a", "b", "c"].map(String::from)[..])
    );
    let pipeline =
        Pipeline { crop: Some(size(2, 3)), flip: true, scale: Some((0.5, 2.0)), ..plain() };
    let values = numbers(&folder, pipeline);
    assert_eq!((values[0], &values[3..]), (0.0, &[-1.0, 0.25, 300.0][..]));
    assert!(values[1].is_nan() && values[2].is_nan());
    assert!(data.check_task(3, None).is_ok());
    assert_told(data.check_task(2, None), "nas::data::other_numbers", &["3 numbers, `a`, `b`"]);
}

#[test]
fn labels_are_zero_or_one() {
    let folder = table("labels.csv", "image,cat,dog\n1.png,1,0\n2.png,,1\n");
    let data = Dataset::open(folder.root()).unwrap();
    assert_eq!((data.kind, data.classes.len()), (TargetKind::Labels, 2));
    let values = numbers(&folder, Pipeline { flip: true, ..plain() });
    assert!(values[..2] == [1.0, 0.0] && values[2].is_nan() && values[3] == 1.0, "{values:?}");
    let folder = table("labels.csv", "image,cat\n1.png,1\n2.png,2\n");
    let words = ["labels.csv`, line 3", "`2` for `cat` is neither 0 nor 1"];
    assert_told(folder.split(), "nas::data::bad_table", &words);
}

#[test]
fn tables_that_are_none_are_told_with_their_line() {
    let told = |csv, code, words: &[&str]| {
        let folder = table("targets.csv", csv);
        assert_told(Dataset::open(folder.root()).and_then(|data| data.split("train")), code, words);
    };
    told("image,a\n1,1\n", "nas::data::missing_label", &["no vector for image", "2.png"]);
    told("image,a\n", "nas::data::missing_label", &["1.png", "and for 1 more"]);
    told("image,a\n1,x\n2,1", "nas::data::bad_table", &["line 2", "`x` for `a` is no number"]);
    told("image,a\n1,1\n2,1,5\n", "nas::data::bad_table", &["line 3", "3 columns"]);
    told("image,a\n1,1\n1,2\n", "nas::data::bad_table", &["line 3", "`1` has a row already"]);
    told("1.png,0.5\n2.png,1\n", "nas::data::bad_table", &["line 1", "names no columns"]);
    told("image\n1\n2\n", "nas::data::bad_table", &["line 1", "no column beside"]);
    told("image,a\n1,inf\n2,1\n", "nas::data::bad_table", &["line 2", "`inf`"]);
    let folder = table("targets.csv", "image,a\n1,1\n2,1\n");
    fs::rename(folder.root().join("train/images"), folder.root().join("images")).unwrap();
    fs::create_dir(folder.root().join("val")).unwrap();
    fs::rename(folder.root().join("images"), folder.root().join("val/images")).unwrap();
    fs::write(folder.root().join("val/targets.csv"), "image,b\n1,1\n2,1\n").unwrap();
    let val = Dataset::open(folder.root()).unwrap().split("val");
    assert_told(val, "nas::data::other_columns", &["are `b`, and not `a`"]);
}

/// One position in each picture of 4 rows and 6 columns, and which trade places.
fn positions(swap: &str) -> Folder {
    let folder = table("targets.csv", "image,x0,y0,x1,y1\n1,0.25,0.5,0.75,0.25\n2,0,1,1,1\n");
    let vector = format!(r#"{{"vector": {{"numbers": "positions"{swap}}}}}"#);
    folder.describe(&vector).unwrap();
    folder
}

#[test]
fn positions_move_with_their_images() {
    let folder = positions(r#", "swap": [[0, 1]]"#);
    let data = Dataset::open(folder.root()).unwrap();
    let pipeline = data.pipeline(3, 0, None).unwrap();
    assert_eq!(numbers(&folder, pipeline.clone())[..4], [0.25, 0.5, 0.75, 0.25]);
    // The middle half of both sides: 2 of 4 rows, 3 of 6 columns.
    let middle = Pipeline { crop: Some(size(2, 3)), centred: true, ..pipeline.clone() };
    let values = numbers(&folder, middle);
    // It begins at row 1 and, as a column cannot be halved, at column 1.
    assert_eq!(values[..4], [0.5 / 3.0, 0.5, 3.5 / 3.0, 0.0]);
    let square = Pipeline { resize: Some(size(6, 6)), fit: Fit::Letterbox, ..pipeline.clone() };
    assert_eq!(numbers(&folder, square)[..4], [0.25, 0.5, 0.75, 1.0 / 3.0]);
    let flip = Pipeline { flip: true, ..pipeline };
    let mut seen = BTreeSet::new();
    for epoch in 0..20 {
        let loader = folder.loader(flip.clone(), LoaderOptions::evaluation(2)).unwrap();
        let batch = loader.epoch(epoch).next().unwrap().unwrap();
        let Targets::Vectors { values, .. } = batch.targets else { panic!() };
        seen.insert(format!("{:?}", &values[..4]));
    }
    let mirrored = "[0.25, 0.25, 0.75, 0.5]".to_owned();
    assert_eq!(seen, BTreeSet::from(["[0.25, 0.5, 0.75, 0.25]".to_owned(), mirrored]));
}

#[test]
fn numbers_do_not_move_where_nobody_knows_how() {
    let refused = |json: &str, pipeline: Pipeline, words: &[&str]| {
        let folder = positions("");
        let moves = folder.describe(json).unwrap().pipeline(3, 0, None).unwrap().moves;
        let found = folder.loader(Pipeline { moves, ..pipeline }, LoaderOptions::evaluation(1));
        assert_told(found, "nas::data::numbers_move", words);
    };
    let flip = Pipeline { flip: true, ..plain() };
    refused("{}", flip.clone(), &["mirrored, as `flip` says"]);
    refused("{}", Pipeline { scale: Some((0.5, 1.0)), ..plain() }, &["cut or enlarged"]);
    refused(r#"{"vector": {"numbers": "positions"}}"#, flip, &["trade places"]);
    let folder = positions(r#", "swap": [[0, 2]]"#);
    let moves = Dataset::open(folder.root()).unwrap().pipeline(3, 0, None).unwrap().moves;
    let found = folder.loader(Pipeline { moves, ..plain() }, LoaderOptions::evaluation(1));
    assert_told(found, "nas::data::bad_positions", &["[0, 2]", "there are 2 positions"]);
}

#[test]
fn samples_made_in_memory_are_sorted_and_of_one_kind() {
    let folder = Folder::of(3);
    let sample = |stem: &str, target| Sample::new(folder.image(stem), target);
    let vector = |value: f32| Target::Vector([value].into());
    let split = Split::new(vec![sample("s002", vector(2.0)), sample("s000", vector(0.0))]);
    assert_eq!(split.stems().collect::<Vec<_>>(), ["s000", "s002"]);
    let options = LoaderOptions::evaluation(3);
    let loader = Loader::new(split, plain(), options).unwrap();
    let batch = loader.epoch(0).next().unwrap().unwrap();
    assert_eq!(batch.targets, Targets::Vectors { values: vec![0.0, 2.0], len: 1 });

    let mixed = Split::new(vec![sample("s000", Target::Class(1)), sample("s001", vector(1.0))]);
    let found = Loader::new(mixed, plain(), options).unwrap().epoch(0).next().unwrap();
    assert_told(found, "nas::data::mixed_targets", &["has a vector of 1", "has a class"]);
}
