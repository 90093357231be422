//! Tests of the reading of images and label maps, and of the statistics over them.

use std::fs::File;

use image::{DynamicImage, ImageBuffer};
use png::{BitDepth, ColorType};

use super::*;
use crate::{class_shares, mean_std};

/// One epoch of a single batch of everything.
fn read(folder: &Folder) -> Result<Batch, DataError> {
    let mut batches = folder.epoch(plain(), LoaderOptions::evaluation(8))?;
    assert_eq!(batches.len(), 1);
    Ok(batches.remove(0))
}

/// Replaces the label map of `s000` by a PNG of 12 rows and 16 columns in this format.
fn relabel(folder: &Folder, color: ColorType, depth: BitDepth, data: &[u8]) {
    let mut encoder = png::Encoder::new(File::create(folder.label("s000")).unwrap(), 16, 12);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == ColorType::Indexed {
        encoder.set_palette((0..48).map(|value| value * 5 + 3).collect::<Vec<_>>());
    }
    encoder.write_header().unwrap().write_image_data(data).unwrap();
}

#[test]
fn a_batch_holds_planes_of_normalised_colours_and_labels() {
    let folder = Folder::of(2);
    let pipeline = Pipeline { inputs: seen(by([0.5, 0.25, 0.0], [0.5, 0.2, 1.0])), ..plain() };
    let batch = folder.epoch(pipeline, LoaderOptions::evaluation(2)).unwrap().remove(0);
    assert_eq!((batch.n, batch.size), (2, size(12, 16)));
    assert_eq!(
        (batch.inputs[0].values.len(), class_map(&batch).len()),
        (2 * 3 * 12 * 16, 2 * 12 * 16)
    );
    assert_eq!(batch.stems, ["s000", "s001"]);
    let (n, y, x) = (1, 7, 5);
    let colour = |c: usize| batch.inputs[0].values[((n * 3 + c) * 12 + y) * 16 + x];
    for (channel, wanted) in [(50.0 / 255.0 - 0.5) / 0.5, (70.0 / 255.0 - 0.25) / 0.2, 1.0 / 255.0]
        .into_iter()
        .enumerate()
    {
        assert!((colour(channel) - wanted).abs() < 1e-6, "channel {channel}");
    }
    assert_eq!(class_map(&batch)[(n * 12 + y) * 16 + x], 7 * 16 + 5);
}

#[test]
fn jpeg_and_grey_images_become_three_channels() {
    let folder = Folder::of(2);
    let images = folder.root().join("train/images");
    for stem in ["s000", "s001"] {
        fs::remove_file(folder.image(stem)).unwrap();
    }
    RgbImage::from_pixel(16, 12, Rgb([200, 100, 50])).save(images.join("s000.jpg")).unwrap();
    GrayImage::from_pixel(16, 12, Luma([90])).save(images.join("s001.png")).unwrap();
    let batch = read(&folder).unwrap();
    let planes: Vec<_> =
        batch.inputs[0].values.chunks(12 * 16).map(|plane| plane[40] * 255.0).collect();
    for (found, wanted) in planes.into_iter().zip([200.0, 100.0, 50.0, 90.0, 90.0, 90.0]) {
        assert!((found - wanted).abs() < 3.0, "{found} for {wanted}");
    }
}

#[test]
fn palette_label_maps_give_their_indices() {
    let folder = Folder::of(1);
    let values: Vec<u8> = (0..12 * 16).map(|pixel| pixel % 16).collect();
    let wanted: Vec<i64> = values.iter().copied().map(i64::from).collect();
    relabel(&folder, ColorType::Indexed, BitDepth::Eight, &values);
    assert_eq!(class_map(&read(&folder).unwrap()), wanted);

    let halves: Vec<u8> = values.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    relabel(&folder, ColorType::Indexed, BitDepth::Four, &halves);
    assert_eq!(class_map(&read(&folder).unwrap()), wanted);

    relabel(&folder, ColorType::Grayscale, BitDepth::One, &[0b0101_0000; 24]);
    let row = [0, 1, 0, 1, 0, 0, 0, 0];
    assert_eq!(class_map(&read(&folder).unwrap()), row.repeat(24));
}

#[test]
fn narrow_packed_rows_leave_out_the_padding_bits() {
    let folder = Folder::new();
    let (image, labels) = coded(3, 5);
    folder.add("a", &image, &labels);
    let mut encoder = png::Encoder::new(File::create(folder.label("a")).unwrap(), 5, 3);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Two);
    let rows = [0b00_01_10_11, 0b01_11_11_11].repeat(3);
    encoder.write_header().unwrap().write_image_data(&rows).unwrap();
    assert_eq!(class_map(&read(&folder).unwrap()), [0, 1, 2, 3, 1].repeat(3));
}

#[test]
fn label_maps_of_several_channels_or_of_16_bits_are_refused() {
    let folder = Folder::of(1);
    relabel(&folder, ColorType::Rgb, BitDepth::Eight, &[0; 12 * 16 * 3]);
    assert_told(read(&folder), "nas::data::label_format", &["s000", "RGB"]);
    relabel(&folder, ColorType::Grayscale, BitDepth::Sixteen, &[0; 12 * 16 * 2]);
    assert_told(read(&folder), "nas::data::label_format", &["s000", "16 bits"]);
}

#[test]
fn a_file_that_is_no_image_is_named_with_the_decoders_words() {
    let folder = Folder::of(1);
    let good = fs::read(folder.image("s000")).unwrap();
    fs::write(folder.image("s000"), &good[..good.len() / 2]).unwrap();
    assert_told(read(&folder), "nas::data::unreadable", &["images", "s000.png", ": "]);
    fs::write(folder.image("s000"), "hello").unwrap();
    assert_told(read(&folder), "nas::data::unreadable", &["images", "s000.png", ": "]);

    let folder = Folder::of(1);
    fs::write(folder.label("s000"), "hello").unwrap();
    assert_told(read(&folder), "nas::data::unreadable", &["labels", "s000.png", "signature"]);
}

#[test]
fn a_label_map_of_another_size_is_refused() {
    let folder = Folder::new();
    folder.add("a", &coded(12, 16).0, &coded(16, 12).1);
    let words = ["a.png", "12 high and 16 wide", "16 high and 12 wide"];
    assert_told(read(&folder), "nas::data::size_mismatch", &words);
}

#[test]
fn a_label_that_is_no_class_is_shown_at_its_first_pixel() {
    let folder = Folder::of(1);
    let pipeline = Pipeline { classes: 37, ..plain() };
    let words = ["label 37", "row 2, column 5", "37 classes", "s000.png"];
    let found = folder.epoch(pipeline.clone(), LoaderOptions::evaluation(1));
    assert_told(found, "nas::data::label_out_of_range", &words);
    // The ignored label is none of the classes, wherever it lies.
    let pipeline = Pipeline { ignore: 37, ..pipeline };
    let found = folder.epoch(pipeline, LoaderOptions::evaluation(1));
    assert_told(found, "nas::data::label_out_of_range", &["label 38", "column 6"]);
}

#[test]
fn ignored_pixels_keep_their_label() {
    let folder = Folder::new();
    let labels = GrayImage::from_fn(4, 1, |x, _| Luma([[0, 11, 1, 11][x as usize]]));
    folder.add("a", &coded(1, 4).0, &labels);
    let pipeline = Pipeline { classes: 2, ignore: 11, ..plain() };
    let batch = folder.epoch(pipeline, LoaderOptions::evaluation(1)).unwrap().remove(0);
    assert_eq!(class_map(&batch), [0, 11, 1, 11]);
}

#[test]
fn class_shares_leave_out_what_is_ignored() {
    let folder = Folder::new();
    for (stem, values) in [("a", [0, 0, 1, 9]), ("b", [0, 3, 9, 9])] {
        let labels = ImageBuffer::from_raw(2, 2, values.to_vec()).unwrap();
        folder.add(stem, &coded(2, 2).0, &labels);
    }
    let split = folder.split().unwrap();
    assert_eq!(class_shares(&split, 4, 9).unwrap(), [0.6, 0.2, 0.0, 0.2]);
    assert_told(class_shares(&split, 3, 9), "nas::data::label_out_of_range", &["b.png"]);
}

#[test]
fn mean_and_std_are_over_all_pixels() {
    let folder = Folder::new();
    for (stem, value) in [("a", 0), ("b", 255)] {
        let image = RgbImage::from_pixel(3, 2, Rgb([value, 51, value / 5]));
        folder.add(stem, &image, &coded(2, 3).1);
    }
    let (mean, std) = mean_std(&folder.split().unwrap(), 3).unwrap();
    for (found, wanted) in mean.iter().chain(&std).zip([0.5, 0.2, 0.1, 0.5, 0.0, 0.1]) {
        assert!((found - wanted).abs() < 1e-6, "{mean:?} {std:?}");
    }
}

#[test]
fn transparency_is_dropped() {
    let folder = Folder::of(1);
    let image = image::RgbaImage::from_pixel(16, 12, image::Rgba([51, 102, 153, 0]));
    DynamicImage::from(image).save(folder.image("s000")).unwrap();
    let batch = read(&folder).unwrap();
    let planes: Vec<_> = batch.inputs[0].values.chunks(12 * 16).map(|plane| plane[0]).collect();
    assert_eq!(planes, [0.2, 0.4, 0.6].map(|value: f32| value * 255.0 * (1.0 / 255.0)));
}

/// A data set whose only image has this extension.
fn of_format(extension: &str) -> (Folder, PathBuf) {
    let folder = Folder::new();
    let (image, labels) = coded(12, 16);
    save(&labels, &folder.label("a"));
    let path = folder.root().join("train/images").join(format!("a.{extension}"));
    save(&image, &path);
    (folder, path)
}

#[test]
fn images_may_be_bmp_tiff_or_webp() {
    let (png, _) = of_format("png");
    let expected = read(&png).unwrap();
    for extension in ["bmp", "tif", "TIFF", "webp"] {
        assert_eq!(read(&of_format(extension).0).unwrap(), expected, "{extension}");
    }
}

#[test]
fn images_of_every_format_that_end_early_are_unreadable() {
    for extension in ["bmp", "tiff", "webp"] {
        let (folder, path) = of_format(extension);
        let whole = fs::read(&path).unwrap();
        for length in [whole.len() / 3, whole.len() / 2, whole.len() - 20] {
            fs::write(&path, &whole[..length]).unwrap();
            let name = path.to_string_lossy();
            assert_told(read(&folder), "nas::data::unreadable", &[name.as_ref()]);
            let data = Dataset::open(folder.root()).unwrap();
            let mut on_sample = |_, _| std::ops::ControlFlow::Continue(());
            let survey = data.survey(&["train"], &plain(), &mut on_sample).unwrap().unwrap();
            assert_eq!(survey.faults.len(), 1, "{extension} of {length} bytes");
        }
    }
}
