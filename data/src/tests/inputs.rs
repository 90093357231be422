//! Tests of networks with several inputs, and of inputs that are no colours.

use image::{ImageBuffer, Luma, Rgba};

use super::*;

/// Pictures of 12 x 16 in `rgb` that tell each pixel's place, and in `depth`, of 16 bits, that tell it, too.
fn both() -> Folder {
    let folder = Folder::new();
    let (image, labels) = coded(12, 16);
    let depth = ImageBuffer::<Luma<u16>, _>::from_fn(16, 12, |x, y| Luma([(1000 * y + x) as u16]));
    for name in ["a", "b"] {
        save(&image, &folder.root().join(format!("train/rgb/{name}.png")));
        save(&labels, &folder.root().join(format!("train/labels/{name}.png")));
        fs::create_dir_all(folder.root().join("train/depth")).unwrap();
        depth.save(folder.root().join(format!("train/depth/{name}.png"))).unwrap();
    }
    folder
}

/// The data set with both inputs, and what reads them.
fn opened(folder: &Folder) -> (Dataset, Pipeline) {
    let data = folder.describe(r#"{"inputs": {"depth": {"scale": 1, "mean": [0], "std": [1]}}}"#);
    let names = ["rgb", "depth"].map(str::to_owned);
    let data = data.unwrap().with_inputs(&names).unwrap();
    let rgb = seen(by([0.0; 3], [1.0; 3]));
    let depth = data.input("depth", 1).unwrap();
    let inputs = rgb.into_iter().chain([depth]).collect();
    (data, Pipeline { inputs, ..plain() })
}

#[test]
fn the_images_of_all_inputs_move_together() {
    let folder = both();
    let (data, pipeline) = opened(&folder);
    let pipeline = Pipeline { crop: Some(size(5, 6)), flip: true, ..pipeline };
    let split = data.split("train").unwrap();
    let loader = Loader::new(split, pipeline, LoaderOptions::training(2, 3)).unwrap();
    for batch in (0..10).map(|epoch| loader.epoch(epoch).next().unwrap().unwrap()) {
        let [rgb, depth] = batch.inputs.as_slice() else { panic!() };
        assert_eq!((rgb.channels, depth.channels), (3, 1));
        let area = 30;
        for (at, depth) in depth.values.iter().enumerate() {
            let first = at / area * 3 * area + at % area;
            let [x, y] = [0, area].map(|plane| (rgb.values[first + plane] * 25.5).round());
            assert_eq!(*depth, 1000.0 * y + x, "16 bits are kept");
            assert_eq!(class_map(&batch)[at] as f32, 16.0 * y + x);
        }
    }
}

#[test]
fn an_image_that_an_input_lacks_is_told() {
    let folder = both();
    fs::remove_file(folder.root().join("train/depth/b.png")).unwrap();
    let (data, _) = opened(&folder);
    assert_told(data.split("train"), "nas::data::missing_input", &["depth", "b.png"]);
    fs::remove_dir_all(folder.root().join("train/depth")).unwrap();
    assert_told(data.split("train"), "nas::data::missing_folder", &["train/depth"]);
}

#[test]
fn images_of_two_sizes_are_told() {
    let folder = both();
    save(&GrayImage::new(8, 6), &folder.root().join("train/depth/b.png"));
    let (data, pipeline) = opened(&folder);
    let loader =
        Loader::new(data.split("train").unwrap(), pipeline.clone(), LoaderOptions::evaluation(2));
    let found = loader.unwrap().epoch(0).next().unwrap();
    assert_told(found, "nas::data::other_input_size", &["rgb/b.png", "depth/b.png", "6 high"]);
    let survey =
        data.survey(&["train"], &pipeline, &mut |_, _| std::ops::ControlFlow::Continue(()));
    let survey = survey.unwrap().unwrap();
    assert_eq!(survey.files.len(), 2 * 3 + 1);
    let words = ["depth/b.png"];
    assert_told::<()>(
        Err(survey.faults.into_iter().next().unwrap()),
        "nas::data::other_input_size",
        &words,
    );
}

#[test]
fn a_picture_of_four_channels_is_four_planes() {
    let folder = Folder::new();
    let image =
        ImageBuffer::<Rgba<u16>, _>::from_fn(3, 2, |x, y| Rgba([x as u16, y as u16, 1000, 65535]));
    fs::create_dir_all(folder.root().join("train/images")).unwrap();
    image.save(folder.root().join("train/images/a.png")).unwrap();
    save(&GrayImage::new(3, 2), &folder.label("a"));
    let data = folder.describe(r#"{"mean": [0, 0, 0, 0.5], "std": [1]}"#).unwrap();
    let pipeline = data.pipeline(4, 250, None).unwrap();
    let batch = folder.epoch(pipeline, LoaderOptions::evaluation(1)).unwrap().remove(0);
    let planes: Vec<f32> = batch.inputs[0].values.iter().map(|value| value * 65535.0).collect();
    assert_eq!(batch.inputs[0].channels, 4);
    let near = |found: f32, wanted: f32| (found - wanted).abs() < 0.01;
    assert!(near(planes[2], 2.0) && near(planes[6 + 3], 1.0) && near(planes[12], 1000.0));
    assert!(near(planes[18], 65535.0 / 2.0), "less the mean");
    let found = folder.epoch(
        data.pipeline(5, 250, None).unwrap_or_else(|_| plain()),
        LoaderOptions::evaluation(1),
    );
    assert!(found.is_ok(), "three channels are its colours");
    let five = Pipeline { inputs: seen(by([0.0; 5], [1.0; 5])), ..plain() };
    let found = folder.epoch(five, LoaderOptions::evaluation(1));
    assert_told(found, "nas::data::channels", &["4 channels", "5 are wanted"]);
}

/// Each input has the folders of the classes.
#[test]
fn classes_of_several_inputs_are_read_together() {
    let folder = Folder::new();
    let (image, _) = coded(12, 16);
    let depth = ImageBuffer::<Luma<u16>, _>::from_fn(16, 12, |x, y| Luma([(1000 * y + x) as u16]));
    for (class, name) in [("cat", "a"), ("cat", "b"), ("dog", "a")] {
        save(&image, &folder.root().join(format!("train/rgb/{class}/{name}.png")));
        let place = folder.root().join(format!("train/depth/{class}"));
        fs::create_dir_all(&place).unwrap();
        depth.save(place.join(format!("{name}.png"))).unwrap();
    }
    let (data, pipeline) = opened(&folder);
    assert_eq!(data.classes, ["cat", "dog"]);
    let split = data.split("train").unwrap();
    assert_eq!(split.len(), 3);
    let loader = Loader::new(split, pipeline, LoaderOptions::evaluation(3)).unwrap();
    let batch = loader.epoch(0).next().unwrap().unwrap();
    assert_eq!(batch.inputs.iter().map(|input| input.channels).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(batch.inputs[1].values[17], 1001.0);
    assert_eq!(batch.targets, Targets::Classes(vec![0, 0, 1]));
    fs::remove_file(folder.root().join("train/depth/cat/b.png")).unwrap();
    assert_told(data.split("train"), "nas::data::missing_input", &["depth/cat", "b.png"]);
    fs::remove_dir_all(folder.root().join("train/depth/dog")).unwrap();
    let (data, _) = opened(&folder);
    fs::remove_file(folder.root().join("train/rgb/cat/b.png")).unwrap();
    assert_told(data.split("train"), "nas::data::missing_folder", &["train/depth/dog"]);
    // What belongs together has one name.
    save(&image, &folder.root().join("train/rgb/cat/a.bmp"));
    assert_told(data.split("train"), "nas::data::unreadable", &["a.", "same name"]);
}

#[test]
fn files_of_many_images_hold_one_input() {
    let folder = super::containers::cifar_10();
    let names = ["rgb", "depth"].map(str::to_owned);
    let found = Dataset::open(folder.root()).unwrap().with_inputs(&names);
    assert_told(found, "nas::data::one_input", &["rgb, depth"]);
    let pets = super::targets::pets();
    let found = Dataset::open(pets.root()).unwrap().with_inputs(&names).unwrap();
    assert_told(found.split("train"), "nas::data::missing_folder", &["train/rgb"]);
}
