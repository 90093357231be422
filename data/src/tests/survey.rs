//! Tests of what is found out before anything is trained on a data set.

use std::ops::ControlFlow;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::targets::{pets, table};
use super::*;
use crate::{DataWarning, Survey};

/// Of labels below 250 but 255, in these splits.
fn survey(folder: &Folder, splits: &[&str]) -> Survey {
    surveyed(folder, splits, 250, 255)
}

fn surveyed(folder: &Folder, splits: &[&str], classes: usize, ignore: u8) -> Survey {
    let mut on_sample = |_, _| ControlFlow::Continue(());
    let data = Dataset::open(folder.root()).unwrap();
    let pipeline = data.pipeline(3, classes, Some(ignore)).unwrap();
    data.survey(splits, &pipeline, &mut on_sample).unwrap().unwrap()
}

/// The only fault.
#[track_caller]
fn fault(survey: Survey) -> Result<(), DataError> {
    assert_eq!(survey.faults.len(), 1, "{:?}", survey.faults);
    Err(survey.faults.into_iter().next().unwrap())
}

/// A data set of one image of 3 x 4 in each split, whose label maps have these values.
fn labelled(splits: [(&str, [u8; 4]); 3]) -> Folder {
    let folder = Folder::new();
    for (split, values) in splits {
        let labels = GrayImage::from_fn(4, 3, |x, _| Luma([values[x as usize]]));
        save_labelled(&folder.root().join(split), "a", &coded(3, 4).0, &labels);
    }
    folder
}

/// A JPEG of 12 rows and 16 columns, red above and blue below, whose EXIF data say how to turn it.
fn jpeg(orientation: u8) -> Vec<u8> {
    let image =
        RgbImage::from_fn(16, 12, |_, y| Rgb(if y < 6 { [250, 0, 0] } else { [0, 0, 250] }));
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    let entry = [0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    let exif = [b"II*\0\x08\0\0\0\x01\0".as_slice(), &entry, &[0; 4]].concat();
    encoder.set_exif_metadata(exif).unwrap();
    encoder.write_image(image.as_raw(), 16, 12, ExtendedColorType::Rgb8).unwrap();
    bytes
}

#[test]
fn every_file_is_told_by_name_and_size() {
    let folder = Folder::of(2);
    let files = || survey(&folder, &["train"]).files;
    let before = files();
    let names: Vec<&str> = before.iter().map(|file| file.name.as_str()).collect();
    let expected = [
        "train/images/s000.png",
        "train/labels/s000.png",
        "train/images/s001.png",
        "train/labels/s001.png",
    ];
    assert_eq!(names, expected);
    assert_eq!(before[2].sha256, nas_files::sha256(&fs::read(folder.image("s001")).unwrap()));
    fs::write(folder.root().join("dataset.json"), "{}").unwrap();
    let file = &files()[0];
    assert_eq!((file.name.as_str(), &file.sha256), ("dataset.json", &nas_files::sha256(b"{}")));
    assert_eq!(files()[1..], before);

    let missing = Dataset::open(folder.root()).unwrap();
    let missing =
        missing.survey(&["train", "val"], &plain(), &mut |_, _| ControlFlow::Continue(()));
    assert!(matches!(missing, Err(DataError::MissingSplit { .. })));
}

#[test]
fn classes_and_vectors_have_files_too() {
    let names = |survey: Survey| -> Vec<String> {
        survey.files.into_iter().map(|file| file.name).collect()
    };
    assert_eq!(names(survey(&pets(), &["val"])), ["val/cat/5.png", "val/dog/5.png"]);
    let expected = ["train/targets.csv", "train/images/1.png", "train/images/2.png"];
    let folder = table("targets.csv", "image,a\n1,0.5\n2,1\n");
    assert_eq!(names(survey(&folder, &["train"])), expected);
    let found = fault(surveyed(&pets(), &["val"], 1, 255));
    assert_told(found, "nas::data::class_out_of_range", &["dog/5.png"]);
}

#[test]
fn a_bad_label_is_found_in_any_split() {
    let good = [0, 1, 2, 255];
    for bad in ["train", "val", "test"] {
        let folder = labelled(
            ["train", "val", "test"]
                .map(|split| (split, if split == bad { [0, 9, 1, 2] } else { good })),
        );
        let found = fault(surveyed(&folder, &["train", "val", "test"], 7, 255));
        assert_told(found, "nas::data::label_out_of_range", &["label 9", bad, "7 classes"]);
        save(&GrayImage::new(4, 4), &folder.root().join(bad).join("labels/a.png"));
        let found = fault(surveyed(&folder, &["train", "val", "test"], 7, 255));
        assert_told(found, "nas::data::size_mismatch", &[bad, "4 high and 4 wide"]);
    }
}

#[test]
fn all_faults_are_told_in_the_order_of_the_samples() {
    let folder = Folder::of(9);
    for stem in ["s007", "s002", "s004"] {
        fs::write(folder.image(stem), "hello").unwrap();
    }
    let told: Vec<String> =
        survey(&folder, &["train"]).faults.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    for (told, stem) in told.iter().zip(["s002", "s004", "s007"]) {
        assert!(told.contains(stem), "{told}");
    }
}

#[test]
fn files_that_end_early_are_unreadable_wherever_they_end() {
    let folder = Folder::of(1);
    let png = fs::read(folder.image("s000")).unwrap();
    let labels = fs::read(folder.label("s000")).unwrap();
    for (place, whole) in [
        (folder.image("s000"), &png),
        (folder.image("s000"), &jpeg(1)),
        (folder.label("s000"), &labels),
    ] {
        for length in [whole.len() / 2, whole.len() - 14] {
            // Some programs fill what is missing with zeros.
            for filling in [0, whole.len() - length] {
                let cut = [&whole[..length], &vec![0; filling]].concat();
                fs::write(&place, cut).unwrap();
                let name = place.to_string_lossy();
                let words = [name.as_ref()];
                let code = "nas::data::unreadable";
                assert_told(fault(survey(&folder, &["train"])), code, &words);
                let epoch = folder.epoch(plain(), LoaderOptions::evaluation(1));
                assert_told(epoch, code, &words);
            }
        }
        fs::write(&place, whole).unwrap();
        assert_eq!(survey(&folder, &["train"]).faults.len(), 0);
        fs::write(folder.image("s000"), &png).unwrap();
    }
}

#[test]
fn what_follows_the_end_of_a_jpeg_does_not_matter_nor_does_a_thumbnail_in_it() {
    let folder = Folder::of(1);
    let whole = jpeg(1);
    fs::write(folder.image("s000"), [&whole, b"trailer".as_slice()].concat()).unwrap();
    assert_eq!(survey(&folder, &["train"]).faults.len(), 0);
    // A segment of an application that holds a whole JPEG.
    let length = u16::try_from(whole.len() + 2).unwrap().to_be_bytes();
    let holder = [&whole[..2], &[0xff, 0xe5], &length, &whole, &whole[2..]].concat();
    fs::write(folder.image("s000"), &holder).unwrap();
    assert_eq!(survey(&folder, &["train"]).faults.len(), 0);
    fs::write(folder.image("s000"), &holder[..holder.len() - 20]).unwrap();
    assert_told(fault(survey(&folder, &["train"])), "nas::data::unreadable", &["ends early"]);
}

#[test]
fn exif_data_turn_an_image() {
    let folder = Folder::new();
    let image = folder.root().join("train/images/a.jpg");
    for (orientation, size) in [(1, (12, 16)), (3, (12, 16)), (6, (16, 12)), (8, (16, 12))] {
        save(&GrayImage::new(size.1, size.0), &folder.label("a"));
        fs::create_dir_all(image.parent().unwrap()).unwrap();
        fs::write(&image, jpeg(orientation)).unwrap();
        assert_eq!(survey(&folder, &["train"]).faults.len(), 0, "{orientation}");
        let batch = folder.epoch(plain(), LoaderOptions::evaluation(1)).unwrap().remove(0);
        assert_eq!(batch.size, self::size(size.0, size.1));
        // Where the red half lies: above, below, to the right, to the left.
        let red = |y: u32, x: u32| batch.inputs[0].values[(y * size.1 + x) as usize] > 0.8;
        let (bottom, right) = (size.0 - 1, size.1 - 1);
        let corners = [red(0, 0), red(0, right), red(bottom, 0), red(bottom, right)];
        let expected = match orientation {
            1 => [true, true, false, false],
            3 => [false, false, true, true],
            6 => [false, true, false, true],
            _ => [true, false, true, false],
        };
        assert_eq!(corners, expected, "{orientation}");
    }
    save(&GrayImage::new(16, 12), &folder.label("a"));
    assert_told(fault(survey(&folder, &["train"])), "nas::data::size_mismatch", &["16 high"]);
}

#[test]
fn a_label_map_is_bounded_before_it_is_decoded() {
    let folder = Folder::of(1);
    // A header alone: such a map would take 4 GiB.
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 65_535, 65_535);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_chunk(png::chunk::IDAT, &[]).unwrap();
    for place in [folder.label("s000"), folder.image("s000")] {
        let whole = fs::read(&place).unwrap();
        fs::write(&place, &png).unwrap();
        let words = ["65535 high and 65535 wide", "134217728 pixels"];
        assert_told(fault(survey(&folder, &["train"])), "nas::data::unreadable", &words);
        fs::write(place, whole).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let folder = Folder::of(1);
    fs::remove_file(folder.image("s000")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.image("s000")).status();
    assert!(made.unwrap().success());
    let words = ["s000.png", "it is a pipe, and no file"];
    let survey = survey(&folder, &["train"]);
    assert_eq!(survey.files[0].sha256, "");
    assert_told(fault(survey), "nas::data::unreadable", &words);
    let epoch = folder.epoch(plain(), LoaderOptions::evaluation(1));
    assert_told(epoch, "nas::data::unreadable", &words);
}

#[test]
fn a_split_without_labels_is_an_error() {
    let folder = labelled([("train", [0, 1, 0, 1]), ("val", [255; 4]), ("test", [0, 1, 1, 255])]);
    let found = fault(surveyed(&folder, &["train", "val", "test"], 2, 255));
    assert_told(found, "nas::data::no_labels", &["no pixel of `val`"]);
}

#[test]
fn a_mask_of_0_and_255_is_warned_of() {
    let mask = [0, 255, 255, 255];
    let folder = labelled([("train", mask), ("val", [0, 1, 0, 1]), ("test", [1, 1, 1, 1])]);
    let Survey { warnings, faults, .. } = surveyed(&folder, &["train", "val", "test"], 2, 255);
    assert!(faults.is_empty(), "{faults:?}");
    let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "class 1 never occurs in `train`; 75.0 % of its pixels are ignored",
            "class 0 never occurs in `test`; 0.0 % of its pixels are ignored",
            "1 of the 1 label maps of `test` has one value throughout",
        ]
    );
    assert!(warnings[0].help().unwrap().to_string().contains("a mask of 0 and 255"));
    assert_eq!(warnings[0].severity(), Some(miette::Severity::Warning));
}

#[test]
fn classes_that_never_occur_are_named() {
    let folder = labelled([("train", [2; 4]), ("val", [0; 4]), ("test", [0; 4])]);
    fs::write(folder.root().join("dataset.json"), r#"{"classes": ["sky", "sea", "land"]}"#)
        .unwrap();
    let Survey { warnings, .. } = surveyed(&folder, &["train"], 3, 255);
    let classes = vec!["0 (`sky`)".to_owned(), "1 (`sea`)".to_owned()];
    let never = DataWarning::NeverOccurs { split: "train".to_owned(), classes, ignored: Some(0.0) };
    assert_eq!(warnings[0], never);
}

#[test]
fn a_large_share_of_ignored_pixels_is_warned_of() {
    let folder = labelled([("train", [0, 1, 255, 255]), ("val", [0, 1, 0, 255]), ("test", [0; 4])]);
    let Survey { warnings, .. } = surveyed(&folder, &["train", "val"], 2, 255);
    let expected = DataWarning::MostlyIgnored { split: "train".to_owned(), ignored: 0.5 };
    assert_eq!(warnings, [expected]);
    assert_eq!(warnings[0].to_string(), "50.0 % of the pixels of `train` are ignored");
}

#[test]
fn dataset_json_and_the_task_agree() {
    let folder = Folder::of(1);
    let data = folder.describe(r#"{"classes": ["all"], "ignore": 0}"#).unwrap();
    assert_told(data.check_task(11, Some(0)), "nas::data::other_classes", &["1 class,", "has 11"]);
    let words = ["ignores the label 0", "ignores 255"];
    assert_told(data.check_task(1, Some(255)), "nas::data::other_ignore", &words);
    data.check_task(1, Some(0)).unwrap();
    data.check_task(1, None).unwrap();
    folder.describe("{}").unwrap().check_task(11, Some(255)).unwrap();
    // The folders of `train` are no count: `val` may have one more.
    Dataset::open(pets().root()).unwrap().check_task(3, None).unwrap();
}

#[test]
fn it_tells_how_far_it_is_and_can_be_ended() {
    let folder = Folder::of(5);
    let data = Dataset::open(folder.root()).unwrap();
    let mut told = Vec::new();
    let mut on_sample = |done, of| {
        told.push((done, of));
        ControlFlow::Continue(())
    };
    data.survey(&["train"], &plain(), &mut on_sample).unwrap().unwrap();
    assert_eq!(told, [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]);
    let ended = data.survey(&["train"], &plain(), &mut |_, _| ControlFlow::Break(()));
    assert!(ended.unwrap().is_none());
}

/// The warnings on pictures of these sizes that are brought to 8 x 8.
fn resized(sizes: &[(u32, u32)], fit: Fit) -> Vec<DataWarning> {
    let folder = Folder::new();
    for (nth, (height, width)) in sizes.iter().enumerate() {
        let labels = GrayImage::from_fn(*width, *height, |x, _| Luma([x as u8 % 2]));
        folder.add(&nth.to_string(), &RgbImage::new(*width, *height), &labels);
    }
    let pipeline = Pipeline { classes: 2, fit, ..plain() }.evaluation(size(8, 8));
    let mut on_sample = |_, _| ControlFlow::Continue(());
    let data = Dataset::open(folder.root()).unwrap();
    let survey = data.survey(&["train"], &pipeline, &mut on_sample).unwrap().unwrap();
    let of_size = |warning: &DataWarning| !matches!(warning, DataWarning::OneValue { .. });
    survey.warnings.into_iter().filter(of_size).collect()
}

#[test]
fn pictures_that_resizing_squashes_are_warned_of() {
    let sizes = [(8, 8), (20, 22), (16, 18), (8, 16)];
    let warnings = resized(&sizes, Fit::Stretch);
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    let told = warning.to_string();
    let words = "resizing changes the shape of 2 of the 4 images of `train`: `";
    assert!(told.starts_with(words), "{told}");
    let end = "2.png` is 16 high and 18 wide, and is brought to 8 high and 8 wide";
    assert!(told.ends_with(end), "{told}");
    assert_eq!(warning.code().unwrap().to_string(), "nas::data::changes_shape");
    for fit in [Fit::Cover, Fit::Letterbox] {
        assert_eq!(resized(&sizes, fit), []);
    }
}

#[test]
fn pictures_that_grow_or_shrink_much_are_warned_of() {
    assert_eq!(resized(&[(2, 2), (32, 32)], Fit::Stretch), []);
    let warnings = resized(&[(2, 2), (1, 1), (33, 33), (32, 32)], Fit::Stretch);
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    let told = warning.to_string();
    let words = "2 of the 4 images of `train` become more than 4 times larger or smaller";
    assert!(told.starts_with(words) && told.contains("1.png` is 1 high"), "{told}");
    assert_eq!(resized(&[(16, 64)], Fit::Cover), []);
    assert_eq!(resized(&[(16, 64)], Fit::Letterbox).len(), 1);
}
