//! Tests of target maps: numbers for each pixel.

use std::collections::BTreeSet;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageBuffer, Luma};
use tiff::encoder::{TiffEncoder, colortype};
use tiff::tags::Tag;

use super::*;
use crate::Between;
use crate::planes::Planes;

/// A picture that tells each pixel's place, and a folder for the map of it.
fn coded_image() -> Folder {
    let folder = Folder::new();
    let (image, _) = coded(12, 16);
    save(&image, &folder.root().join("train/images/a.png"));
    fs::create_dir_all(folder.root().join("train/targets")).unwrap();
    folder
}

/// Writes a map of 16 bits, `times` as large as the image, whose value tells the place of a pixel.
fn coded_map(folder: &Folder, times: u32) {
    let value = |x, y| Luma([(y * 1000 + x) as u16]);
    let map = ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(16 * times, 12 * times, value);
    map.save(folder.root().join("train/targets/a.png")).unwrap();
}

#[track_caller]
fn map(batch: &Batch) -> (&[f32], Size) {
    let Targets::Maps { values, size, .. } = &batch.targets else { panic!("{:?}", batch.targets) };
    (values, *size)
}

/// What a folder's only map is read as, in the size of its image.
#[track_caller]
fn read(folder: &Folder, json: &str) -> Vec<f32> {
    let data = folder.describe(json).unwrap();
    assert_eq!(data.kind, TargetKind::Map);
    let pipeline = data.pipeline(3, 0, None).unwrap();
    let batch = folder.epoch(pipeline, LoaderOptions::evaluation(1)).unwrap().remove(0);
    map(&batch).0.to_vec()
}

#[test]
fn maps_are_in_their_unit_and_what_is_invalid_is_not_known() {
    let folder = coded_image();
    coded_map(&folder, 1);
    let white = read(&folder, "{}");
    assert!(white[0] == 0.0 && (white[16 + 2] - 1002.0 / 65535.0).abs() < 1e-8);
    let metres = read(&folder, r#"{"map": {"scale": 0.001, "invalid": 0}}"#);
    assert!(metres[0].is_nan() && metres[1..].iter().all(|value| !value.is_nan()));
    assert!((metres[16 + 2] - 1.002).abs() < 1e-6);
}

#[test]
fn maps_are_cropped_flipped_and_padded_with_their_images() {
    for times in [1, 3] {
        let folder = coded_image();
        coded_map(&folder, times);
        folder.describe(r#"{"map": {"scale": 1}}"#).unwrap();
        let mut corners = BTreeSet::new();
        for crop in [size(6, 7), size(14, 18)] {
            let map_of = MapFormat { scale: Some(1.0), ..MapFormat::default() };
            let crop_of = Pipeline { crop: Some(crop), flip: true, ..plain() };
            let pipeline = Pipeline { times, map: map_of, ..crop_of };
            let loader = folder.loader(pipeline, LoaderOptions::training(1, 5)).unwrap();
            for batch in (0..20).map(|epoch| loader.epoch(epoch).next().unwrap().unwrap()) {
                let (image, (target, of)) = (&batch.inputs[0].values, map(&batch));
                assert_eq!(of, size(crop.height * times, crop.width * times));
                let area = crop.area();
                let mut padded = 0;
                for at in 0..area {
                    let (row, column) = (at / crop.width as usize, at % crop.width as usize);
                    let [x, y] = [0, area].map(|plane| (image[plane + at] * 25.5).round() as u32);
                    let inside = |axis: usize| axis * times as usize;
                    let first = target[inside(row) * of.width as usize + inside(column)];
                    if first.is_nan() {
                        assert_eq!([x, y], [0, 0]);
                        padded += 1;
                        continue;
                    }
                    let (found_y, found_x) = (first as u32 / 1000, first as u32 % 1000);
                    let is_in = |found: u32, place: u32| found / times == place;
                    assert!(is_in(found_y, y) && is_in(found_x, x), "{first} for {x} and {y}");
                }
                assert_eq!(padded, area.saturating_sub(12 * 16));
                corners.insert(target[0].to_bits());
            }
        }
        assert!(corners.len() > 5, "{corners:?}");
    }
}

#[test]
fn maps_are_brought_to_another_size_as_is_said() {
    let folder = coded_image();
    coded_map(&folder, 1);
    let twice = |between, invalid| {
        let format = MapFormat { scale: Some(1.0), invalid, resample: between, peak: None };
        let pipeline = Pipeline { map: format, ..plain() }.evaluation(size(24, 32));
        let batch = folder.epoch(pipeline, LoaderOptions::evaluation(1)).unwrap().remove(0);
        map(&batch).0.to_vec()
    };
    let nearest = twice(Between::Nearest, None);
    assert_eq!(nearest[32 * 5 + 9], 2004.0);
    let linear = twice(Between::Linear, None);
    assert!((linear[32 * 5 + 9] - 2254.25).abs() < 0.01, "{}", linear[32 * 5 + 9]);
    let unknown = |values: Vec<f32>| values.iter().filter(|value| value.is_nan()).count();
    assert_eq!(unknown(twice(Between::Nearest, Some(0.0))), 4);
    let spread = unknown(twice(Between::Linear, Some(0.0)));
    assert!((9..=16).contains(&spread), "as far as the pixel counts: {spread}");
}

/// An array of NumPy: magic, version, header, values.
fn npy(descr: &str, fortran: bool, shape: &str, values: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

/// A folder with an image of 2 rows and 3 columns, and this map.
fn small(name: &str, map: &[u8]) -> Folder {
    let folder = Folder::new();
    save(&RgbImage::new(3, 2), &folder.root().join("train/images/a.png"));
    fs::create_dir_all(folder.root().join("train/targets")).unwrap();
    fs::write(folder.root().join("train/targets").join(name), map).unwrap();
    folder
}

fn little<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| bytes(value)).collect()
}

#[test]
fn arrays_of_numpy_are_read_whatever_their_type_and_order() {
    let wanted = [0.0, 1.0, 2.0, 3.0, 4.0, 500.0];
    let floats = wanted.map(|value| value as f32);
    let turned = [0.0_f64, 3.0, 1.0, 4.0, 2.0, 500.0];
    for bytes in [
        npy("<f4", false, "(2, 3)", &little(&floats, f32::to_le_bytes)),
        npy(">f4", false, "(2, 3)", &little(&floats, f32::to_be_bytes)),
        npy("<f8", true, "(2, 3)", &little(&turned, f64::to_le_bytes)),
        npy("<u2", false, "(1, 2, 3)", &little(&[0, 1, 2, 3, 4, 500], u16::to_le_bytes)),
        npy("<i4", false, "(2, 3, 1)", &little(&[0, 1, 2, 3, 4, 500], i32::to_le_bytes)),
    ] {
        assert_eq!(read(&small("a.npy", &bytes), "{}"), floats);
    }
    // Five channels side by side: of place `p` and channel `c` the value `10 c + p`.
    let side_by_side: Vec<f32> = (0..30_u8).map(|at| f32::from(at % 5 * 10 + at / 5)).collect();
    let values = little(&side_by_side, f32::to_le_bytes);
    let folder = small("a.npy", &npy("<f4", false, "(2, 3, 5)", &values));
    let pipeline = Pipeline { values: 5, ..plain() };
    let batch = folder.epoch(pipeline, LoaderOptions::evaluation(1)).unwrap().remove(0);
    let planes: Vec<f32> = (0..30_u8).map(|at| f32::from(at / 6 * 10 + at % 6)).collect();
    assert_eq!(map(&batch).0, planes);
}

#[test]
fn arrays_that_are_damaged_or_other_are_told() {
    let values = little(&[0.0_f32; 6], f32::to_le_bytes);
    let told = |bytes: &[u8], code: &str, words: &[&str]| {
        let found = small("a.npy", bytes).epoch(plain(), LoaderOptions::evaluation(1));
        assert_told(found, code, words);
    };
    let unreadable = "nas::data::unreadable";
    told(&npy("<f4", false, "(2, 3)", &values[..20]), unreadable, &["a.npy"]);
    told(&npy("<f4", false, "(6,)", &values), unreadable, &["its shape is [6]"]);
    told(&npy("<f4", false, "(90000000, 9)", &values), unreadable, &["pixels"]);
    told(&npy("<f4", false, "(9000, 9000)", &values), unreadable, &["ends early"]);
    told(
        &npy("<c8", false, "(2, 3)", &little(&[0.0_f32; 12], f32::to_le_bytes)),
        unreadable,
        &["floats"],
    );
    told(b"\x93NUMPY\x01", unreadable, &["a.npy"]);
    told(b"no array", unreadable, &["a.npy"]);
    told(
        &npy("<f4", false, "(3, 2)", &values),
        "nas::data::size_mismatch",
        &["its target map is 3 high"],
    );
    let two = little(&[0.0_f32; 12], f32::to_le_bytes);
    told(
        &npy("<f4", false, "(2, 2, 3)", &two),
        "nas::data::channels",
        &["2 channels", "1 is wanted"],
    );
}

#[test]
fn a_tiff_of_floats_is_read() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let values = [0.0_f32, -1.0, 2.5, 3.0, f32::INFINITY, 5.0];
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    encoder.write_image::<colortype::Gray32Float>(3, 2, &values).unwrap();
    let found = read(&small("a.tif", bytes.get_ref()), r#"{"map": {"scale": 2}}"#);
    assert_eq!((found[1], found[2], found[5]), (-2.0, 5.0, 10.0));
    assert!(found[4].is_nan());
}

#[test]
fn a_tiff_stands_the_way_up_that_it_says() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    let mut image = encoder.new_image::<colortype::Gray32Float>(2, 3).unwrap();
    // A quarter turn to the right.
    image.encoder().write_tag(Tag::Orientation, 6_u16).unwrap();
    image.write_data(&[0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    let found = read(&small("a.tif", bytes.get_ref()), "{}");
    assert_eq!(found, [4.0, 2.0, 0.0, 5.0, 3.0, 1.0]);
}

#[test]
fn planes_are_turned_as_pictures_are() {
    let pixels: Vec<u8> = (0..6).collect();
    for number in 1..=8 {
        let orientation = Orientation::from_exif(number).unwrap();
        let mut image = DynamicImage::from(GrayImage::from_raw(2, 3, pixels.clone()).unwrap());
        image.apply_orientation(orientation);
        let values: Vec<f32> = pixels.iter().copied().map(f32::from).collect();
        let planes = Planes::of_pixels(Size { height: 3, width: 2 }, 1, &values);
        let planes = planes.oriented(orientation);
        assert_eq!(planes.size, Size::from((image.width(), image.height())));
        let turned: Vec<f32> = image.as_bytes().iter().copied().map(f32::from).collect();
        assert_eq!(planes.values, turned, "{orientation:?}");
    }
}

#[test]
fn a_map_that_does_not_fit_is_told() {
    let folder = coded_image();
    coded_map(&folder, 2);
    let found = folder.epoch(plain(), LoaderOptions::evaluation(1));
    let words = ["a.png", "12 high and 16 wide", "its target map is 24 high and 32 wide"];
    assert_told(found, "nas::data::size_mismatch", &words);
    fs::remove_file(folder.root().join("train/targets/a.png")).unwrap();
    assert_told(folder.split(), "nas::data::missing_label", &["no target map for", "a.png"]);
}

#[test]
fn a_survey_finds_maps_of_which_nothing_is_known() {
    let folder =
        small("a.npy", &npy("<f4", false, "(2, 3)", &little(&[7.0_f32; 6], f32::to_le_bytes)));
    let data = folder.describe(r#"{"map": {"invalid": 7}}"#).unwrap();
    let pipeline = data.pipeline(3, 0, None).unwrap();
    let survey =
        data.survey(&["train"], &pipeline, &mut |_, _| std::ops::ControlFlow::Continue(()));
    let fault = survey.unwrap().unwrap().faults.remove(0);
    assert_told::<()>(Err(fault), "nas::data::no_values", &["`train`"]);
}
