//! Tests of data sets whose targets are no label maps: classes of images, images, vectors.

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
    assert_eq!(batches[1].images.len(), 2 * 3 * 4 * 6);
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
    assert_eq!(kind(r#"{"target": "image"}"#), TargetKind::Image);
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

/// Two images with these vectors.
pub(super) fn vectors(json: &str) -> Folder {
    let folder = tree(&["train/images/1.png", "train/images/2.png"]);
    fs::write(folder.root().join("train/targets.json"), json).unwrap();
    folder.describe(r#"{"target": "vector"}"#).unwrap();
    folder
}

#[test]
fn vectors_are_read_by_stem_and_stay_as_they_are() {
    let folder = vectors(r#"{"2": [-1, 0.25, 3e2], "1": [0, 1, 2], "none": []}"#);
    let pipeline =
        Pipeline { crop: Some(size(2, 3)), flip: true, scale: Some((0.5, 2.0)), ..plain() };
    let batch = folder.epoch(pipeline, LoaderOptions::evaluation(2)).unwrap().remove(0);
    let values = vec![0.0, 1.0, 2.0, -1.0, 0.25, 300.0];
    assert_eq!(batch.targets, Targets::Vectors { values, len: 3 });
    assert_eq!((batch.size, batch.images.len()), (size(2, 3), 2 * 3 * 2 * 3));
}

#[test]
fn vectors_that_are_missing_or_no_numbers_are_told() {
    let told = |json, code, words: &[&str]| assert_told(vectors(json).split(), code, words);
    told(r#"{"1": [1]}"#, "nas::data::missing_label", &["no vector for image", "2.png"]);
    told("{}", "nas::data::missing_label", &["1.png", "and for 1 more"]);
    told(r#"{"1": ["x"]}"#, "nas::data::unreadable", &["targets.json", "line 1 column 10"]);
    let folder = vectors("{}");
    fs::remove_file(folder.root().join("train/targets.json")).unwrap();
    assert_told(folder.split(), "nas::data::unreadable", &["targets.json"]);
}

#[test]
fn vectors_of_two_lengths_do_not_meet_in_a_batch() {
    let folder = vectors(r#"{"1": [1, 2], "2": [3]}"#);
    let found = folder.epoch(plain(), LoaderOptions::evaluation(2));
    let words = ["2.png", "has a vector of 1 numbers", "its batch has a vector of 2 numbers"];
    assert_told(found, "nas::data::mixed_targets", &words);
}

#[test]
fn samples_made_in_memory_are_sorted_and_of_one_kind() {
    let folder = Folder::of(3);
    let sample = |stem: &str, target| Sample { image: folder.image(stem).into(), target };
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

/// A picture that tells each pixel's place, and a target image that tells it by other colours.
fn pair() -> Folder {
    let folder = Folder::new();
    let (image, labels) = coded(12, 16);
    folder.add("a", &image, &labels);
    let target = RgbImage::from_fn(16, 12, |x, y| Rgb([255 - x as u8 * 10, 0, y as u8 * 10]));
    save(&target, &folder.root().join("train/targets/a.png"));
    folder.describe(r#"{"target": "image"}"#).unwrap();
    folder
}

fn target_image(batch: &Batch) -> &[f32] {
    let Targets::Images(values) = &batch.targets else { panic!("{:?}", batch.targets) };
    values
}

#[test]
fn target_images_are_cropped_flipped_and_padded_with_their_images() {
    let folder = pair();
    let mut corners = BTreeSet::new();
    for crop in [size(6, 7), size(14, 18)] {
        let pipeline = Pipeline { crop: Some(crop), flip: true, ..plain() };
        let loader = folder.loader(pipeline, LoaderOptions::training(1, 5)).unwrap();
        for batch in (0..20).map(|epoch| loader.epoch(epoch).next().unwrap().unwrap()) {
            let (image, target) = (&batch.images, target_image(&batch));
            let area = crop.area();
            assert_eq!(target.len(), 3 * area);
            let mut padded = 0;
            for pixel in 0..area {
                let [x, y] = [image[pixel], image[area + pixel]];
                let [red, blue] = [target[pixel], target[2 * area + pixel]];
                // No pixel of the target is without red.
                if red == 0.0 {
                    assert_eq!([x, y, blue], [0.0; 3]);
                    padded += 1;
                } else {
                    assert!((red - (1.0 - x)).abs() < 1e-6 && blue == y);
                }
            }
            assert_eq!(padded, area.saturating_sub(12 * 16));
            corners.insert(target[0].to_bits());
        }
    }
    assert!(corners.len() > 5, "{corners:?}");
}

#[test]
fn target_images_are_interpolated_as_images_are() {
    let folder = Folder::new();
    let image = RgbImage::from_fn(2, 2, |x, _| Rgb([x as u8 * 255; 3]));
    folder.add("a", &image, &coded(2, 2).1);
    fs::rename(folder.root().join("train/labels"), folder.root().join("train/targets")).unwrap();
    image.save(folder.root().join("train/targets/a.png")).unwrap();
    folder.describe(r#"{"target": "image", "mean": [0.5]}"#).unwrap();
    let pipeline =
        Dataset::open(folder.root()).unwrap().pipeline(3, 0, None).unwrap().evaluation(size(2, 4));
    let batch = folder.epoch(pipeline, LoaderOptions::evaluation(1)).unwrap().remove(0);
    assert_eq!(target_image(&batch), batch.images);
    assert!(batch.images[1] < 0.0 && batch.images[2] > 0.0, "{:?}", batch.images);
}

#[test]
fn a_target_image_that_does_not_fit_is_told() {
    let folder = pair();
    let target = folder.root().join("train/targets/a.png");
    RgbImage::new(8, 6).save(&target).unwrap();
    let found = folder.epoch(plain(), LoaderOptions::evaluation(1));
    let words = ["a.png", "12 high and 16 wide", "its target image is 6 high and 8 wide"];
    assert_told(found, "nas::data::size_mismatch", &words);
    fs::remove_file(target).unwrap();
    assert_told(folder.split(), "nas::data::missing_label", &["no target image for", "a.png"]);
}
