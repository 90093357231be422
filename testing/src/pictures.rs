//! Pictures that tests make up, written as data sets are laid out.

use std::path::Path;

use image::{GrayImage, ImageBuffer, Luma, Pixel, PixelWithColorType, Rgb, RgbImage};

/// The splits of a data set, and how many pictures each has.
pub type Splits = [(&'static str, u32); 3];

/// Writes an image into a folder, which is made if it is not there.
pub fn save<P>(image: &ImageBuffer<P, Vec<u8>>, path: &Path)
where
    P: Pixel<Subpixel = u8> + PixelWithColorType,
{
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save(path).unwrap();
}

/// Writes an image of a split and the map of its classes, under one name.
pub fn save_labelled(split: &Path, name: &str, image: &RgbImage, labels: &GrayImage) {
    save(image, &split.join("images").join(format!("{name}.png")));
    save(labels, &split.join("labels").join(format!("{name}.png")));
}

/// A picture that tells each pixel's place: red is ten times the column, green ten times the row,
/// the label is `row * width + column`.
#[must_use]
pub fn coded(height: u32, width: u32) -> (RgbImage, GrayImage) {
    let image = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8 * 10, y as u8 * 10, 0]));
    (image, GrayImage::from_fn(width, height, |x, y| Luma([(y * width + x) as u8])))
}

/// Pictures of 32 x 32, red to the left of an edge and blue to the right, which is class 1.
pub fn edges(root: &Path, splits: Splits) {
    label_maps(root, splits, 32, |number, x, y| {
        let noise = (x * 37 + y * 91 + number * 53) as u8 % 64;
        if x >= 8 + 2 * number { ([noise, noise, 255], 1) } else { ([255, noise, noise], 0) }
    });
}

/// Pictures of 16 x 16 whose bright pixels are of class 1: a rectangle on noise.
pub fn rectangles(root: &Path, splits: Splits) {
    label_maps(root, splits, 16, |number, x, y| {
        (rectangle(number).get_pixel(x, y).0, u8::from(is_inside(number, x, y)))
    });
}

/// Pictures of 16 x 16 of the classes `bright` and `dark`: such a rectangle on grey noise.
pub fn bright_and_dark(root: &Path, splits: Splits) {
    classes(root, splits, 16, [("bright", 230), ("dark", 10)], |colour, number, x, y| {
        [if is_inside(number, x, y) { colour } else { 90 + noise(number, x, y) }; 3]
    });
}

/// Pictures of 32 x 32 of the classes `blue` and `red`, each of one colour.
pub fn blue_and_red(root: &Path, splits: Splits) {
    let colours = [("blue", [40, 40, 250]), ("red", [250, 40, 40])];
    classes(root, splits, 32, colours, |colour: [u8; 3], number, _, _| {
        colour.map(|value| value - 9 * number as u8)
    });
}

/// Row and column at which the rectangle in a picture begins.
fn corner(number: u32) -> [u32; 2] {
    [number % 5, number * 7 % 9]
}

/// A rectangle of 7 x 9 that is elsewhere in each picture of 16 x 16.
fn is_inside(number: u32, x: u32, y: u32) -> bool {
    let [top, left] = corner(number);
    (left..left + 7).contains(&x) && (top..top + 9).contains(&y)
}

fn noise(number: u32, x: u32, y: u32) -> u8 {
    ((x * 31 + y * 17 + number * 13) % 64) as u8
}

/// Square pictures with maps of classes; `draw` gives colour and class of a pixel, by the number
/// of its picture, its column and its row.
fn label_maps(
    root: &Path,
    splits: Splits,
    side: u32,
    draw: impl Fn(u32, u32, u32) -> ([u8; 3], u8),
) {
    for (split, count) in splits {
        for number in 0..count {
            let image = RgbImage::from_fn(side, side, |x, y| Rgb(draw(number, x, y).0));
            let labels = GrayImage::from_fn(side, side, |x, y| Luma([draw(number, x, y).1]));
            save_labelled(&root.join(split), &number.to_string(), &image, &labels);
        }
    }
}

/// Square pictures in folders of their classes; `draw` gives the colour of a pixel, by what is told
/// of its class, the number of its picture, its column and its row.
fn classes<T: Copy>(
    root: &Path,
    splits: Splits,
    side: u32,
    classes: [(&str, T); 2],
    draw: impl Fn(T, u32, u32, u32) -> [u8; 3],
) {
    for (split, count) in splits {
        for (class, told) in classes {
            for number in 0..count {
                let image = RgbImage::from_fn(side, side, |x, y| Rgb(draw(told, number, x, y)));
                save(&image, &root.join(split).join(class).join(format!("{number}.png")));
            }
        }
    }
}

/// Pictures of 16 x 16 with their depth in millimetres: a near rectangle before a far ground. The depth of the first row is
/// not known, which is 0.
pub fn depths(root: &Path, splits: Splits) {
    let depth = |number, x, y| match (is_inside(number, x, y), y) {
        (_, 0) => 0,
        (true, _) => 1000,
        (false, _) => 3000,
    };
    for (split, count) in splits {
        for number in 0..count {
            let split = root.join(split);
            save(&rectangle(number), &split.join("images").join(format!("{number}.png")));
            let map = |x, y| Luma([depth(number, x, y)]);
            save_deep(
                &ImageBuffer::from_fn(16, 16, map),
                &split.join(format!("targets/{number}.png")),
            );
        }
    }
}

/// Grey pictures of 8 x 8, and of each one of 16 x 16 that is as sharp as that is not.
pub fn coarse(root: &Path, splits: Splits) {
    for (split, count) in splits {
        for number in 0..count {
            let split = root.join(split);
            let bright =
                |x, y| if is_inside(number, x, y) { 230 } else { 40 + noise(number, x, y) / 4 };
            let fine = GrayImage::from_fn(16, 16, |x, y| Luma([bright(x, y)]));
            let mean = |x: u32, y: u32| {
                let four = [(0, 0), (1, 0), (0, 1), (1, 1)];
                let sum: u32 =
                    four.map(|(dx, dy)| u32::from(bright(2 * x + dx, 2 * y + dy))).iter().sum();
                (sum / 4) as u8
            };
            let coarse = GrayImage::from_fn(8, 8, |x, y| Luma([mean(x, y)]));
            save(&coarse, &split.join("images").join(format!("{number}.png")));
            save(&fine, &split.join("targets").join(format!("{number}.png")));
        }
    }
}

/// Pictures of 16 x 16 with a rectangle, and a table of the place of its middle as shares of width and height.
pub fn middles(root: &Path, splits: Splits) {
    table(root, splits, "targets.csv", "image,x,y", |number| {
        let [top, left] = corner(number);
        let share = |at: u32, side: u32| (2 * at + side) as f32 / 32.0;
        format!("{},{}", share(left, 7), share(top, 9))
    });
}

/// Pictures of 16 x 16 with a rectangle, and a table of whether it lies in the upper half and in the left one. Of the first
/// picture the latter is not known.
pub fn halves(root: &Path, splits: Splits) {
    table(root, splits, "labels.csv", "image,upper,left", |number| {
        let [top, left] = corner(number);
        let is_left = if number == 0 { String::new() } else { u8::from(left < 5).to_string() };
        format!("{},{is_left}", u8::from(top < 3))
    });
}

/// Pictures of 16 x 16 that are noise, with a depth of 16 bits each, in `rgb` and `depth`: pixels that are near are of class
/// 1, which only the depth tells.
pub fn rgb_and_depth(root: &Path, splits: Splits) {
    for (split, count) in splits {
        for number in 0..count {
            let (split, name) = (root.join(split), format!("{number}.png"));
            let rgb = RgbImage::from_fn(16, 16, |x, y| Rgb([noise(number + 1, x, y); 3]));
            save(&rgb, &split.join("rgb").join(&name));
            let near = |x, y| is_inside(number, x, y);
            let depth = |x, y| Luma([if near(x, y) { 1000 } else { 3000 }]);
            save_deep(&ImageBuffer::from_fn(16, 16, depth), &split.join("depth").join(&name));
            let labels = GrayImage::from_fn(16, 16, |x, y| Luma([u8::from(near(x, y))]));
            save(&labels, &split.join("labels").join(&name));
        }
    }
}

fn save_deep(image: &ImageBuffer<Luma<u16>, Vec<u16>>, path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save(path).unwrap();
}

/// A bright rectangle on noise.
fn rectangle(number: u32) -> RgbImage {
    RgbImage::from_fn(16, 16, |x, y| {
        let noise = noise(number, x, y);
        Rgb(if is_inside(number, x, y) { [200, 180 + noise / 2, 150] } else { [noise, 30, noise] })
    })
}

/// Pictures with a rectangle, and a table with a row for each.
fn table(root: &Path, splits: Splits, file: &str, header: &str, row: impl Fn(u32) -> String) {
    for (split, count) in splits {
        let split = root.join(split);
        let mut csv = format!("{header}\n");
        for number in 0..count {
            save(&rectangle(number), &split.join("images").join(format!("{number}.png")));
            csv += &format!("{number}.png,{}\n", row(number));
        }
        std::fs::write(split.join(file), csv).unwrap();
    }
}
