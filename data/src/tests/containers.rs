//! Tests of data sets that are a few files of many pictures: IDX and CIFAR.

use std::io::Write;
use std::ops::ControlFlow;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::{Place, Survey, class_shares, mean_std};

/// An IDX file of unsigned bytes.
fn idx(lengths: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, lengths.len() as u8];
    bytes.extend(lengths.iter().flat_map(|length| length.to_be_bytes()));
    bytes.extend(values);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

impl Folder {
    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.root().join(name), bytes).unwrap();
    }

    fn open(&self) -> Dataset {
        Dataset::open(self.root()).unwrap()
    }
}

/// Pictures of 2 rows and 3 columns, of which the pixels are counted through, and their classes.
fn digits(classes: [&[u8]; 2]) -> Folder {
    let folder = Folder::new();
    for (name, classes) in ["train", "t10k"].into_iter().zip(classes) {
        let count = classes.len() as u32;
        let values: Vec<u8> = (0..count as u8 * 6).collect();
        folder.write(&format!("{name}-images-idx3-ubyte"), &idx(&[count, 2, 3], &values));
        folder.write(&format!("{name}-labels-idx1-ubyte"), &idx(&[count], classes));
    }
    folder
}

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";

/// A CIFAR batch whose pictures are each of one red, green and blue, after these labels.
fn cifar(pictures: &[(&[u8], [u8; 3])]) -> Vec<u8> {
    let record = |(labels, colours): &(&[u8], [u8; 3])| {
        let planes = colours.iter().flat_map(|&value| [value; 32 * 32]);
        labels.iter().copied().chain(planes).collect::<Vec<u8>>()
    };
    pictures.iter().flat_map(record).collect()
}

pub(super) fn cifar_10() -> Folder {
    let folder = Folder::new();
    folder.write("data_batch_1.bin", &cifar(&[(&[1], [10, 20, 30]), (&[0], [1, 2, 3])]));
    folder.write("data_batch_2.bin", &cifar(&[(&[2], [40, 50, 60])]));
    folder.write("test_batch.bin", &cifar(&[(&[1], [70, 80, 90])]));
    folder.write("batches.meta.txt", b"airplane\nautomobile\nbird\n\n");
    folder
}

/// Everything of a split in one batch, divided by 255 alone.
fn batch(data: &Dataset, split: &str) -> Batch {
    let split = data.split(split).unwrap();
    let options = LoaderOptions::evaluation(split.len());
    Loader::new(split, plain(), options).unwrap().epoch(0).next().unwrap().unwrap()
}

/// The values of a batch in units of 1/255.
fn values(batch: &Batch) -> Vec<u8> {
    batch.inputs[0].values.iter().map(|value| (value * 255.0).round() as u8).collect()
}

fn survey(data: &Dataset, splits: &[&str], classes: usize) -> Survey {
    let pipeline = data.pipeline(3, classes, None).unwrap();
    data.survey(splits, &pipeline, &mut |_, _| ControlFlow::Continue(())).unwrap().unwrap()
}

#[test]
fn idx_files_hold_grey_pictures_and_their_classes() {
    let folder = digits([&[7, 0, 9], &[3]]);
    let data = folder.open();
    assert_eq!((data.kind, data.classes.len()), (TargetKind::Class, 0));
    let train = batch(&data, "train");
    assert_eq!((train.n, train.size), (3, size(2, 3)));
    assert_eq!(train.targets, Targets::Classes(vec![7, 0, 9]));
    let stems = [0, 1, 2].map(|nth| format!("train-images-idx3-ubyte[{nth}]"));
    assert_eq!(train.stems, stems);
    let planes: Vec<u8> =
        (0..3).flat_map(|nth| (nth * 6..nth * 6 + 6).collect::<Vec<_>>().repeat(3)).collect();
    assert_eq!(values(&train), planes);
    assert_eq!(batch(&data, "test").targets, Targets::Classes(vec![3]));
    let error = data.split("val").unwrap_err();
    let help = error.help().unwrap().to_string();
    assert!(help.starts_with("the splits here are train, test; `val = 0.1` in"), "{help}");
    assert_told::<()>(Err(error), "nas::data::missing_split", &["`val`"]);
    assert_eq!(class_shares(&data.split("train").unwrap(), 10, 255).unwrap()[9], 1.0 / 3.0);
    let (mean, _) = mean_std(&data.split("train").unwrap(), 3).unwrap();
    assert!((mean[0] - 8.5 / 255.0).abs() < 1e-6, "{mean:?}");
}

#[test]
fn idx_files_may_be_packed_and_have_a_dot_in_their_names() {
    let (plain, packed) = (digits([&[1, 0], &[0]]), Folder::new());
    for (name, with) in [
        (IMAGES, "train-images-idx3-ubyte.gz"),
        (LABELS, "train-labels.idx1-ubyte"),
        ("t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte.gz"),
        ("t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte.gz"),
    ] {
        let bytes = fs::read(plain.root().join(name)).unwrap();
        packed.write(with, &if with.ends_with(".gz") { gzip(&bytes) } else { bytes });
    }
    for split in ["train", "test"] {
        let (expected, found) = (batch(&plain.open(), split), batch(&packed.open(), split));
        assert_eq!((found.inputs, found.targets), (expected.inputs, expected.targets));
    }
}

#[test]
fn cifar_10_is_read_batch_by_batch_with_its_names() {
    let folder = cifar_10();
    let data = folder.open();
    assert_eq!(data.classes, ["airplane", "automobile", "bird"]);
    let train = batch(&data, "train");
    assert_eq!((train.n, train.size), (3, size(32, 32)));
    assert_eq!(train.targets, Targets::Classes(vec![1, 0, 2]));
    assert_eq!(train.stems, ["data_batch_1[0]", "data_batch_1[1]", "data_batch_2[0]"]);
    let corners: Vec<u8> = values(&train).into_iter().step_by(32 * 32).collect();
    assert_eq!(corners, [10, 20, 30, 1, 2, 3, 40, 50, 60]);
    assert_eq!(batch(&data, "test").targets, Targets::Classes(vec![1]));
}

#[test]
fn cifar_100_has_its_fine_classes() {
    let folder = Folder::new();
    folder.write("train.bin", &cifar(&[(&[4, 1], [1; 3]), (&[5, 0], [2; 3])]));
    folder.write("test.bin", &cifar(&[(&[6, 1], [3; 3])]));
    folder.write("fine_label_names.txt", b"apple\naquarium_fish\n");
    let data = folder.open();
    assert_eq!(data.classes, ["apple", "aquarium_fish"]);
    assert_eq!(batch(&data, "train").targets, Targets::Classes(vec![1, 0]));
    assert_eq!(values(&batch(&data, "test")), [3; 3 * 32 * 32]);
}

#[test]
fn a_container_is_read_once_and_shared() {
    let folder = digits([&[1, 0], &[0]]);
    let data = folder.open();
    assert_eq!(data.container_bytes(), 0);
    let first = data.split("train").unwrap();
    assert_eq!(data.container_bytes(), 16 + 2 * 6);
    for name in [IMAGES, LABELS] {
        fs::remove_file(folder.root().join(name)).unwrap();
    }
    assert_eq!(data.clone().split("train").unwrap(), first);
    let containers: Vec<_> = first.samples().iter().map(|sample| &sample.image).collect();
    let [Place::Record { container: a, .. }, Place::Record { container: b, .. }] = containers[..]
    else {
        panic!("{containers:?}")
    };
    assert!(std::sync::Arc::ptr_eq(a, b));
}

#[test]
fn the_files_of_containers_are_told_once() {
    let names = |data: &Dataset, splits: &[&str]| -> Vec<String> {
        survey(data, splits, 10).files.into_iter().map(|file| file.name).collect()
    };
    let folder = digits([&[1, 0], &[0]]);
    assert_eq!(names(&folder.open(), &["train"]), [IMAGES, LABELS]);
    let survey = survey(&folder.open(), &["train"], 10);
    let bytes = fs::read(folder.root().join(IMAGES)).unwrap();
    assert_eq!(survey.files[0].sha256, nas_files::sha256(&bytes));
    let files = ["batches.meta.txt", "data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"];
    assert_eq!(names(&cifar_10().open(), &["train", "test"]), files);
}

#[test]
fn a_record_of_no_class_is_named_with_its_container() {
    let folder = digits([&[1, 5, 0], &[0]]);
    let words = ["record 1 of `", "train-images-idx3-ubyte` is of class 5", "3 classes"];
    let found = survey(&folder.open(), &["train"], 3).faults.remove(0);
    assert_told::<()>(Err(found), "nas::data::class_out_of_range", &words);
    let pipeline = Pipeline { classes: 3, ..plain() };
    let split = folder.open().split("train").unwrap();
    let found = Loader::new(split, pipeline, LoaderOptions::evaluation(1));
    assert_told(found, "nas::data::class_out_of_range", &words);
}

#[test]
fn damaged_idx_files_are_told() {
    let told = |name: &str, bytes: &[u8], words: &[&str]| {
        let folder = digits([&[1, 0], &[0]]);
        fs::remove_file(folder.root().join(name.trim_end_matches(".gz"))).unwrap();
        folder.write(name, bytes);
        let named = [&[name], words].concat();
        assert_told(folder.open().split("train"), "nas::data::bad_container", &named);
    };
    let (images, labels) = (idx(&[2, 2, 3], &[0; 12]), idx(&[2], &[0; 2]));
    told(IMAGES, &labels, &["it begins with [00, 00, 08, 01]", "pictures with [00, 00, 08, 03]"]);
    told(LABELS, &images, &["it begins with [00, 00, 08, 03]", "labels with [00, 00, 08, 01]"]);
    told(IMAGES, b"hi", &["it begins with [68, 69]"]);
    told(IMAGES, &images[..27], &["ends early", "2 x 2 x 3 pictures, so 28 bytes"]);
    told(IMAGES, &[&images[..], &[0]].concat(), &["goes on", "so 28 bytes"]);
    told(LABELS, &labels[..6], &["ends early"]);
    told(IMAGES, &idx(&[u32::MAX, u32::MAX, 3], &[]), &["more than 16 GiB"]);
    told(IMAGES, &idx(&[u32::MAX; 3], &[]), &["more than 16 GiB"]);
    let packed = gzip(&images);
    for length in [1, 12, packed.len() - 9, packed.len() - 1] {
        told("train-images-idx3-ubyte.gz", &packed[..length], &["it ends early"]);
    }
    told("train-images-idx3-ubyte.gz", &images, &["gzip"]);
    // Much more than it says would be unpacked.
    let goes_on = gzip(&[&images[..], &vec![0; 1 << 20]].concat());
    told("train-images-idx3-ubyte.gz", &goes_on, &["goes on"]);
}

#[test]
fn pictures_and_labels_of_idx_are_as_many() {
    let folder = digits([&[1, 0], &[0]]);
    folder.write(LABELS, &idx(&[3], &[0; 3]));
    let words = [IMAGES, "has 2 pictures", LABELS, "has 3 labels"];
    assert_told(folder.open().split("train"), "nas::data::other_count", &words);
    fs::remove_file(folder.root().join(LABELS)).unwrap();
    assert_told(folder.open().split("train"), "nas::data::unreadable", &[LABELS]);
    folder.write(LABELS, &idx(&[0], &[]));
    folder.write(IMAGES, &idx(&[0, 2, 3], &[]));
    assert_told(folder.open().split("train"), "nas::data::no_images", &[IMAGES]);
}

#[test]
fn damaged_cifar_batches_are_told() {
    let folder = cifar_10();
    let whole = fs::read(folder.root().join("data_batch_2.bin")).unwrap();
    for bytes in [&whole[..3000], &[], &[&whole[..], &[1]].concat()] {
        folder.write("data_batch_2.bin", bytes);
        let words = ["data_batch_2.bin", &format!("its {} bytes", bytes.len()), "3073"];
        assert_told(folder.open().split("train"), "nas::data::bad_container", &words);
    }
}

#[test]
fn dataset_json_names_the_classes_of_containers_and_folders_come_first() {
    let folder = digits([&[1, 0], &[0]]);
    let data = folder.describe(r#"{"classes": ["shirt", "boot"]}"#).unwrap();
    assert_eq!(data.classes, ["shirt", "boot"]);
    assert_told(data.check_task(10, None), "nas::data::other_classes", &["2"]);
    folder.describe("{}").unwrap();
    save(&RgbImage::new(2, 2), &folder.root().join("train/cat/1.png"));
    assert_eq!(folder.open().classes, ["cat"]);
}

#[test]
fn grey_and_colour_become_each_other() {
    let (digits, cifar) = (digits([&[0], &[0]]), cifar_10());
    let (grey, colour) = (digits.open(), cifar.open());
    let values = |data: &Dataset, channels| {
        let normalisation = match channels {
            1 => by([0.0], [1.0]),
            _ => by([0.0; 3], [1.0; 3]),
        };
        let options = LoaderOptions::evaluation(1);
        let split = data.split("test").unwrap();
        let loader =
            Loader::new(split, Pipeline { inputs: seen(normalisation), ..plain() }, options)
                .unwrap();
        let batch = loader.epoch(0).next().unwrap().unwrap();
        assert_eq!(batch.inputs[0].channels, channels);
        assert_eq!(batch.inputs[0].values.len(), channels * batch.size.area());
        values(&batch)
    };
    let counted: Vec<u8> = (0..6).collect();
    assert_eq!(values(&grey, 1), counted);
    assert_eq!(values(&grey, 3), counted.repeat(3));
    // 0.2126 * 70 + 0.7152 * 80 + 0.0722 * 90.
    assert_eq!(values(&colour, 1), [79; 32 * 32]);
}
