//! Tests that what is done to an image is done to its label map.

use std::collections::BTreeSet;

use super::*;

/// The batches of 40 epochs over one picture: 40 draws.
fn draws(image: &RgbImage, labels: &GrayImage, pipeline: Pipeline) -> Vec<Batch> {
    let folder = Folder::new();
    folder.add("a", image, labels);
    let loader = folder
        .loader(pipeline, LoaderOptions { seed: 5, ..LoaderOptions::training(1, 0) })
        .unwrap();
    (0..40).flat_map(|epoch| loader.epoch(epoch)).collect::<Result<_, _>>().unwrap()
}

/// The rows of the labels of a batch of one.
fn rows(batch: &Batch) -> Vec<&[i64]> {
    class_map(batch).chunks(batch.size.width as usize).collect()
}

/// Asserts that each pixel of a coded picture of 16 columns shows the place that its label tells.
fn assert_aligned(batch: &Batch) {
    let area = class_map(batch).len();
    for (pixel, &label) in class_map(batch).iter().enumerate() {
        let place =
            |plane: usize| (batch.inputs[0].values[plane * area + pixel] * 25.5).round() as i64;
        if label != 255 {
            assert_eq!(place(1) * 16 + place(0), label);
        }
    }
}

#[test]
fn crop_takes_the_same_window_of_image_and_labels() {
    let (image, labels) = coded(12, 16);
    let mut corners = BTreeSet::new();
    for batch in draws(&image, &labels, Pipeline { crop: Some(size(6, 7)), ..plain() }) {
        assert_eq!(batch.size, size(6, 7));
        assert_aligned(&batch);
        let corner = class_map(&batch)[0];
        corners.insert(corner);
        for (y, row) in rows(&batch).into_iter().enumerate() {
            let start = corner + 16 * y as i64;
            assert_eq!(row, (start..start + 7).collect::<Vec<_>>());
        }
    }
    assert!(corners.len() > 20, "40 draws of 70 places gave only {corners:?}");
}

#[test]
fn flip_mirrors_image_and_labels_every_other_time() {
    let (image, labels) = coded(12, 16);
    let mut flipped = 0;
    for batch in draws(&image, &labels, Pipeline { flip: true, ..plain() }) {
        assert_aligned(&batch);
        let mut first: Vec<_> = (0..16).collect();
        if class_map(&batch)[0] == 15 {
            first.reverse();
            flipped += 1;
        }
        assert_eq!(rows(&batch)[0], first);
    }
    assert!((10..=30).contains(&flipped), "{flipped} of 40");
}

#[test]
fn a_small_picture_is_padded_with_the_mean_and_the_ignored_label() {
    let (image, labels) = coded(5, 16);
    let pipeline =
        Pipeline { crop: Some(size(9, 18)), inputs: seen(by([0.5; 3], [1.0; 3])), ..plain() };
    let mut places = BTreeSet::new();
    for batch in draws(&image, &labels, pipeline) {
        let shown: Vec<_> =
            class_map(&batch).iter().copied().filter(|label| *label != 255).collect();
        assert_eq!(shown, (0..5 * 16).collect::<Vec<_>>());
        places.insert(class_map(&batch).iter().position(|label| *label == 0));
        for plane in batch.inputs[0].values.chunks(9 * 18) {
            for (value, label) in plane.iter().zip(class_map(&batch)) {
                assert!(*label != 255 || *value == 0.0);
            }
        }
    }
    assert!(places.len() > 8, "40 draws of 15 places gave only {places:?}");
}

#[test]
fn scaled_images_and_labels_keep_their_edges_together() {
    let image = RgbImage::from_fn(32, 8, |x, _| Rgb([if x < 16 { 0 } else { 255 }; 3]));
    let labels = GrayImage::from_fn(32, 8, |x, _| Luma([u8::from(x >= 16)]));
    let pipeline = Pipeline { scale: Some((0.5, 2.0)), crop: Some(size(8, 16)), ..plain() };
    let (mut edges, mut padded) = (0, BTreeSet::new());
    for batch in draws(&image, &labels, pipeline) {
        let values = batch.inputs[0]
            .values
            .iter()
            .zip(class_map(&batch))
            .filter(|(_, label)| **label != 255);
        for (value, label) in values {
            // On the edge itself both answers are right.
            let at_edge = (value - 0.5).abs() < 0.02;
            assert!(at_edge || (*value > 0.5) == (*label == 1), "{value} has label {label}");
        }
        edges += usize::from(class_map(&batch).contains(&0) && class_map(&batch).contains(&1));
        padded.insert(class_map(&batch).iter().filter(|label| **label == 255).count());
    }
    assert!(edges > 10, "only {edges} draws show the edge");
    assert!(padded.len() > 3, "the scale did not vary: {padded:?}");
}

#[test]
fn a_crop_of_a_scaled_picture_is_a_window_of_the_whole_scaled_picture() {
    // By 4/3, no pixel of the result lies half way between two of the picture.
    let (image, labels) = coded(9, 15);
    let scaled = Pipeline { scale: Some((4.0 / 3.0, 4.0 / 3.0)), ..plain() };
    let whole = &draws(&image, &labels, Pipeline { crop: Some(size(12, 20)), ..scaled.clone() })[0];
    for part in draws(&image, &labels, Pipeline { crop: Some(size(6, 8)), ..scaled.clone() }) {
        let same = |top: usize, left: usize| {
            (0..6 * 8).all(|at| {
                let from = (top + at / 8) * 20 + left + at % 8;
                let near =
                    (part.inputs[0].values[at] - whole.inputs[0].values[from]).abs() < 1.5 / 255.0;
                near && class_map(&part)[at] == class_map(whole)[from]
            })
        };
        assert!((0..=6).any(|top| (0..=12).any(|left| same(top, left))));
    }
}

#[test]
fn scale_is_the_factor_of_both_sides() {
    let (image, labels) = coded(12, 16);
    let fixed = |factor| Pipeline { scale: Some((factor, factor)), ..plain() };
    // Without a crop, the size stays.
    for batch in draws(&image, &labels, fixed(0.5)) {
        assert_eq!(batch.size, size(12, 16));
        assert_eq!(class_map(&batch).iter().filter(|label| **label != 255).count(), 6 * 8);
    }
    for batch in draws(&image, &labels, fixed(2.0)) {
        assert_eq!(batch.size, size(12, 16));
        let distinct: BTreeSet<_> = class_map(&batch).iter().collect();
        assert!((6 * 8..=7 * 9).contains(&distinct.len()), "{} pixels seen", distinct.len());
    }
}

#[test]
fn evaluation_brings_the_whole_picture_to_the_size_of_the_network() {
    let folder = Folder::new();
    let image = RgbImage::from_fn(2, 2, |x, _| Rgb([x as u8 * 255; 3]));
    folder.add("a", &image, &coded(2, 2).1);
    let training =
        Pipeline { crop: Some(size(1, 1)), flip: true, scale: Some((0.5, 2.0)), ..plain() };
    let pipeline = training.evaluation(size(2, 4));
    let batch = folder.epoch(pipeline, LoaderOptions::evaluation(1)).unwrap().remove(0);
    assert_eq!(batch.size, size(2, 4));
    assert_eq!(class_map(&batch), [0, 0, 1, 1, 2, 2, 3, 3]);
    for (found, wanted) in batch.inputs[0].values.iter().zip([0.0, 0.25, 0.75, 1.0]) {
        assert!((found - wanted).abs() < 0.005, "{:?}", batch.inputs[0].values);
    }
}

#[test]
fn shrinking_averages_all_pixels_of_the_image() {
    let folder = Folder::new();
    let image = RgbImage::from_fn(64, 64, |x, y| Rgb([if (x + y) % 2 == 0 { 255 } else { 0 }; 3]));
    folder.add("a", &image, &GrayImage::from_pixel(64, 64, Luma([3])));
    let pipeline = plain().evaluation(size(4, 4));
    let batch = folder.epoch(pipeline, LoaderOptions::evaluation(1)).unwrap().remove(0);
    assert!(
        batch.inputs[0].values.iter().all(|value| (value - 0.5).abs() < 0.02),
        "{:?}",
        batch.inputs[0].values
    );
    assert_eq!(class_map(&batch), [3; 16]);
}

#[test]
fn a_crop_that_would_be_mostly_padding_is_refused() {
    let folder = Folder::of(1);
    let crop = |height, width| Pipeline { crop: Some(size(height, width)), ..plain() };
    let found = folder.epoch(crop(48, 32), LoaderOptions::evaluation(1));
    let words = ["48 high and 32 wide", "12 high and 16 wide", "s000"];
    assert_told(found, "nas::data::crop_too_large", &words);
    assert!(folder.epoch(crop(24, 32), LoaderOptions::evaluation(1)).is_ok());
    let scaled = Pipeline { scale: Some((1.0, 2.0)), ..crop(48, 32) };
    assert!(folder.epoch(scaled, LoaderOptions::evaluation(1)).is_ok());
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    let folder = Folder::of(1);
    let new = |pipeline| folder.loader(pipeline, LoaderOptions::evaluation(1));
    let crop = Pipeline { crop: Some(size(0, 8)), ..plain() };
    assert_told(new(crop), "nas::data::empty_size", &["crop"]);
    assert_told(new(plain().evaluation(size(8, 0))), "nas::data::empty_size", &["resize"]);
    for scale in [(2.0, 0.5), (0.0, 1.0), (f32::NAN, 1.0), (1.0, f32::INFINITY)] {
        let pipeline = Pipeline { scale: Some(scale), ..plain() };
        assert_told(new(pipeline), "nas::data::bad_scale", &["scale"]);
    }
    let pipeline = Pipeline { inputs: seen(by([0.0; 3], [0.2, f32::NAN, 0.2])), ..plain() };
    assert_told(new(pipeline), "nas::data::bad_statistics", &["std"]);
}

/// What a picture of 12 x 16, in the colours of its places, becomes.
fn fitted(fit: Fit, to: Size) -> Batch {
    let (image, labels) = coded(12, 16);
    let normalisation = by([0.4; 3], [1.0; 3]);
    let pipeline = Pipeline { fit, inputs: seen(normalisation), ..plain() }.evaluation(to);
    let folder = Folder::new();
    folder.add("a", &image, &labels);
    folder.epoch(pipeline, LoaderOptions::evaluation(1)).unwrap().remove(0)
}

#[test]
fn a_picture_of_the_size_of_the_input_stays_as_it_is_however_it_is_to_fit() {
    let folder = Folder::of(1);
    let plain = folder.epoch(plain(), LoaderOptions::evaluation(1)).unwrap();
    for fit in [Fit::Stretch, Fit::Cover, Fit::Letterbox] {
        let pipeline = Pipeline { fit, ..super::plain() }.evaluation(size(12, 16));
        assert_eq!(folder.epoch(pipeline, LoaderOptions::evaluation(1)).unwrap(), plain);
    }
}

#[test]
fn what_covers_is_cut_off_on_both_sides() {
    // Of 16 columns the middle 12 are seen, two pixels of the picture in one.
    let batch = fitted(Fit::Cover, size(6, 6));
    assert_eq!(batch.size, size(6, 6));
    let columns: BTreeSet<i64> = class_map(&batch).iter().map(|label| label % 16).collect();
    assert_eq!(
        columns.iter().map(|column| (column - 2) / 2).collect::<Vec<_>>(),
        [0, 1, 2, 3, 4, 5]
    );
    for (pixel, value) in batch.inputs[0].values[..36].iter().enumerate() {
        let middle = (2.5 + 2.0 * (pixel % 6) as f32) * 10.0 / 255.0 - 0.4;
        // Interpolation sees the columns beside the two.
        assert!((value - middle).abs() < 0.02, "{value} for {middle}");
    }
    assert_eq!(fitted(Fit::Stretch, size(6, 6)).size, size(6, 6));
    assert_ne!(fitted(Fit::Stretch, size(6, 6)).inputs[0].values, batch.inputs[0].values);
}

#[test]
fn what_is_letterboxed_is_seen_whole_between_bars() {
    let batch = fitted(Fit::Letterbox, size(8, 8));
    let rows = rows(&batch);
    // 12 x 16 becomes 6 x 8, below one row and above one.
    for bar in [0, 7] {
        assert_eq!(rows[bar], [255; 8]);
        for plane in batch.inputs[0].values.chunks(64) {
            // The mean is 102 / 255.
            assert!(plane[8 * bar..8 * bar + 8].iter().all(|value| value.abs() < 1e-6));
        }
    }
    assert!(rows[1..7].iter().all(|row| row.iter().all(|label| *label != 255)));
    let seen: BTreeSet<i64> = rows[1..7].iter().flat_map(|row| row.iter().copied()).collect();
    assert_eq!(seen.len(), 48);
    let same = fitted(Fit::Stretch, size(6, 8));
    assert_eq!(rows[1..7].concat(), class_map(&same));
    assert_eq!(batch.inputs[0].values[8..56], same.inputs[0].values[..48]);
}

#[test]
fn evaluation_sees_the_middle_of_what_is_larger_than_the_input() {
    let folder = Folder::of(1);
    let training = Pipeline { resize: Some(size(12, 16)), crop: Some(size(4, 4)), ..plain() };
    let batch = folder.epoch(training.evaluation(size(6, 7)), LoaderOptions::evaluation(1));
    let batch = batch.unwrap().remove(0);
    let first = 3 * 16 + 4;
    let expected: Vec<i64> = (0..6).flat_map(|y| (0..7).map(move |x| first + 16 * y + x)).collect();
    assert_eq!(class_map(&batch), expected);
    let small = Pipeline { resize: Some(size(6, 8)), ..plain() }.evaluation(size(8, 8));
    let batch = folder.epoch(small, LoaderOptions::evaluation(1)).unwrap().remove(0);
    assert_eq!(rows(&batch)[0], [255; 8]);
    assert_eq!(rows(&batch)[7], [255; 8]);
    assert!(rows(&batch)[1..7].concat().iter().all(|label| *label != 255));
}

/// One draw of a grey picture of 30 x 30 whose pixels all have this value, after another pipeline.
fn grey_draws(value: u8, pipeline: Pipeline) -> Vec<Batch> {
    let image = RgbImage::from_pixel(30, 30, Rgb([value; 3]));
    draws(&image, &GrayImage::from_pixel(30, 30, Luma([3])), pipeline)
}

#[test]
fn a_padded_picture_moves_in_its_window_by_as_much_as_the_padding() {
    let (image, labels) = coded(12, 16);
    let pipeline = Pipeline { pad: 2, crop: Some(size(12, 16)), ..plain() };
    let mut corners = BTreeSet::new();
    for batch in draws(&image, &labels, pipeline) {
        assert_aligned(&batch);
        let (at, label) =
            class_map(&batch).iter().enumerate().find(|(_, label)| **label != 255).unwrap();
        let shift = |window: usize, picture: i64| picture - window as i64;
        let (down, right) = (shift(at / 16, label / 16), shift(at % 16, label % 16));
        assert!(down.abs() <= 2 && right.abs() <= 2, "{down} {right}");
        let shown = class_map(&batch).iter().filter(|label| **label != 255).count() as i64;
        assert_eq!(shown, (12 - down.abs()) * (16 - right.abs()));
        corners.insert((down, right));
    }
    assert!(corners.len() > 12, "40 draws of 25 places gave only {corners:?}");
}

#[test]
fn a_padding_that_could_fill_the_window_is_refused() {
    let folder = Folder::of(1);
    let epoch = |pad| folder.epoch(Pipeline { pad, ..plain() }, LoaderOptions::evaluation(1));
    assert_told(epoch(6), "nas::data::pad_too_large", &["`pad` is 6", "12 high and 16 wide"]);
    assert!(epoch(5).is_ok());
}

#[test]
fn cutout_covers_a_square_with_the_mean_and_leaves_the_labels() {
    let normalisation = by([0.5; 3], [0.5; 3]);
    let pipeline = Pipeline { cutout: 8, inputs: seen(normalisation), ..plain() };
    let (mut whole, mut places) = (0, BTreeSet::new());
    for batch in grey_draws(255, pipeline) {
        assert_eq!(class_map(&batch), [3; 900]);
        let planes: Vec<&[f32]> = batch.inputs[0].values.chunks(900).collect();
        assert!(planes.iter().all(|plane| *plane == planes[0]));
        let cut: Vec<usize> = (0..900).filter(|pixel| planes[0][*pixel] == 0.0).collect();
        assert!(planes[0].iter().all(|value| *value == 0.0 || (value - 1.0).abs() < 1e-6));
        let rows: BTreeSet<_> = cut.iter().map(|pixel| pixel / 30).collect();
        let columns: BTreeSet<_> = cut.iter().map(|pixel| pixel % 30).collect();
        assert_eq!(cut.len(), rows.len() * columns.len(), "a rectangle");
        assert!((4..=8).contains(&rows.len()) && (4..=8).contains(&columns.len()));
        whole += usize::from(cut.len() == 64);
        places.insert(cut[0]);
    }
    assert!(whole > 10 && places.len() > 20, "{whole} whole, at {places:?}");
}

#[test]
fn jitter_changes_brightness_contrast_and_saturation_within_its_strength() {
    let mut seen = BTreeSet::new();
    for batch in grey_draws(100, Pipeline { jitter: 0.4, ..plain() }) {
        // Of one value, only the brightness can change.
        let value = (batch.inputs[0].values[0] * 255.0).round() as u32;
        assert!((60..=140).contains(&value), "{value}");
        assert!(batch.inputs[0].values.iter().all(|other| *other == batch.inputs[0].values[0]));
        seen.insert(value);
    }
    assert!(seen.len() > 20, "{seen:?}");
    assert!(*seen.first().unwrap() < 75 && *seen.last().unwrap() > 125, "{seen:?}");

    // Half black, half red: contrast and saturation show.
    let image = RgbImage::from_fn(4, 4, |x, _| Rgb(if x < 2 { [0; 3] } else { [200, 0, 0] }));
    let labels = GrayImage::new(4, 4);
    let (mut raised, mut green) = (0, 0);
    for batch in draws(&image, &labels, Pipeline { jitter: 0.4, ..plain() }) {
        assert_eq!(class_map(&batch), [0; 16]);
        raised += usize::from(batch.inputs[0].values[0] > 0.0);
        green += usize::from(batch.inputs[0].values[16 + 3] > batch.inputs[0].values[16]);
    }
    assert!((10..=30).contains(&raised), "{raised} of 40 with less contrast");
    assert!((10..=30).contains(&green), "{green} of 40 with less saturation");
}

#[test]
fn blur_spreads_every_other_image_and_keeps_its_mean() {
    let image = RgbImage::from_fn(32, 32, |x, _| Rgb([if x < 16 { 0 } else { 240 }; 3]));
    let labels = GrayImage::new(32, 32);
    let mut blurred = 0;
    for batch in draws(&image, &labels, Pipeline { blur: 2.0, ..plain() }) {
        let row = &batch.inputs[0].values[..32];
        assert!(row.is_sorted() && row[0] == 0.0, "{row:?}");
        assert!((row.iter().sum::<f32>() * 255.0 / 32.0 - 120.0).abs() < 1.0, "{row:?}");
        assert!(batch.inputs[0].values.chunks(32).all(|other| other == row));
        blurred += usize::from(row[15] > 0.0);
    }
    assert!((8..=30).contains(&blurred), "{blurred} of 40");
    // A point spreads alike to all sides.
    let image = RgbImage::from_fn(15, 15, |x, y| Rgb([if (x, y) == (7, 7) { 255 } else { 0 }; 3]));
    let batches = draws(&image, &GrayImage::new(15, 15), Pipeline { blur: 2.0, ..plain() });
    for batch in batches {
        let at = |x: usize, y: usize| batch.inputs[0].values[15 * y + x];
        for (x, y) in [(6, 7), (5, 7), (6, 6), (4, 7)] {
            assert_eq!(at(x, y), at(14 - x, y));
            assert!((at(x, y) - at(y, x)).abs() < 1.5 / 255.0);
        }
    }
}

#[test]
fn grey_pictures_are_augmented_too() {
    let normalisation = by([0.5], [0.5]);
    let pipeline = Pipeline {
        jitter: 0.4,
        blur: 1.0,
        cutout: 6,
        pad: 4,
        inputs: seen(normalisation),
        ..plain()
    };
    let batches = grey_draws(100, pipeline);
    assert!(batches.iter().all(|batch| batch.inputs[0].values.len() == 900));
    assert!(batches.iter().any(|batch| batch.inputs[0].values != batches[0].inputs[0].values));
}

#[test]
fn strengths_are_shares_and_pixels() {
    let folder = Folder::of(1);
    let new = |pipeline| folder.loader(pipeline, LoaderOptions::evaluation(1));
    for jitter in [-0.1, 1.5, f32::NAN] {
        assert_told(new(Pipeline { jitter, ..plain() }), "nas::data::bad_strength", &["jitter"]);
    }
    for blur in [-1.0, f32::INFINITY] {
        assert_told(new(Pipeline { blur, ..plain() }), "nas::data::bad_strength", &["blur"]);
    }
}

#[test]
fn operations_that_move_pixels_move_their_labels() {
    let (image, labels) = coded(12, 16);
    let all: Vec<i64> = labels.as_raw().iter().map(|&label| i64::from(label)).collect();
    let (mut moved, mut coloured) = (0, 0);
    for batch in draws(&image, &labels, Pipeline { operations: 1, magnitude: 20, ..plain() }) {
        if class_map(&batch) == all {
            coloured += 1;
        } else {
            assert_aligned(&batch);
            assert!(class_map(&batch).contains(&255), "what comes from outside is ignored");
            moved += 1;
        }
    }
    assert!(moved > 5 && coloured > 15, "{moved} {coloured}");
    let drawn = || draws(&image, &labels, Pipeline { operations: 2, magnitude: 9, ..plain() });
    assert_eq!(drawn(), drawn());
}
