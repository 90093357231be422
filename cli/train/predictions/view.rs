//! How an image, what there is to say of it and what a network says are shown, by task.

use image::{Rgb, RgbImage};
use nas_data::{Input, Size, Targets};
use nas_ir::Task;
use nas_torch::Example;

use super::sheet::{Caption, Row};

/// Colours of the first classes, after Okabe and Ito: told apart by the colour-blind.
const COLOURS: [[u8; 3]; 8] = [
    [0, 114, 178],
    [0, 158, 115],
    [230, 159, 0],
    [240, 228, 66],
    [204, 121, 167],
    [213, 94, 0],
    [245, 245, 245],
    [86, 180, 233],
];
/// The colour of pixels of which nothing is known.
const UNKNOWN: [u8; 3] = [0, 0, 0];
/// As many numbers of a vector are shown.
const NUMBERS: usize = 4;

/// What a task shows.
pub(super) struct View {
    pub(super) task: Task,
    /// Names of the classes, where it has any.
    pub(super) classes: Vec<String>,
}

impl View {
    /// What stands above the pictures of a row: the names of the inputs, and of maps.
    pub(super) fn headings<'n>(&self, inputs: impl Iterator<Item = &'n str>) -> Vec<String> {
        let maps = match self.task {
            Task::Segmentation { .. } => &["label", "prediction"][..],
            Task::Regression { .. } => &["target", "prediction"],
            Task::Classification { .. } | Task::Multilabel { .. } => &[],
        };
        inputs.chain(maps.iter().copied()).map(str::to_owned).collect()
    }

    /// The colours of classes, by name; none where colours say nothing.
    pub(super) fn legend(&self) -> Vec<(String, [u8; 3])> {
        match self.task {
            Task::Segmentation { .. } => self
                .classes
                .iter()
                .cloned()
                .enumerate()
                .map(|(class, name)| (name, colour(class)))
                .collect(),
            Task::Classification { .. } | Task::Multilabel { .. } | Task::Regression { .. } => {
                Vec::new()
            }
        }
    }

    /// An image and what is said of it.
    pub(super) fn row(&self, example: &Example) -> Row {
        let Example { inputs, size, targets, output } = example;
        let mut pictures: Vec<RgbImage> =
            inputs.iter().map(|(values, input)| picture(values, *size, input)).collect();
        let caption = match targets {
            Targets::ClassMaps(labels) => {
                let found = self.most_likely(output);
                pictures.push(self.map(labels, *size));
                pictures.push(self.map(&found, *size));
                None
            }
            Targets::Maps { values, channels, size } => {
                let range = range(values);
                pictures.push(shades(values, *size, *channels, range));
                pictures.push(shades(output, *size, *channels, range));
                None
            }
            Targets::Classes(labels) => Some(self.of_one(labels.first().copied(), output)),
            Targets::Vectors { values, .. } => Some(match self.task {
                Task::Multilabel { .. } => self.of_several(values, output),
                _ => Caption { said: numbers(output), else_is: Some(numbers(values)) },
            }),
        };
        Row { pictures, caption }
    }

    /// The most likely class at each place, from logits `[classes, places]`.
    fn most_likely(&self, logits: &[f32]) -> Vec<i64> {
        let places = logits.len() / self.classes.len().max(1);
        let at = |place: usize, class: usize| logits.get(class * places + place).copied();
        let best = |place: usize| {
            let classes =
                (0..self.classes.len()).filter_map(|class| Some((class, at(place, class)?)));
            classes.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(-1, |(class, _)| class as i64)
        };
        (0..places).map(best).collect()
    }

    fn name(&self, class: i64) -> String {
        let name = usize::try_from(class).ok().and_then(|class| self.classes.get(class));
        name.cloned().unwrap_or_else(|| "?".to_owned())
    }

    /// A class, and which it is if it is another.
    fn of_one(&self, label: Option<i64>, logits: &[f32]) -> Caption {
        let found = self.most_likely(logits).first().copied();
        let said = self.name(found.unwrap_or(-1));
        let else_is = label.filter(|_| label != found).map(|label| self.name(label));
        Caption { said, else_is }
    }

    /// Classes, and which they are if they are others.
    fn of_several(&self, labels: &[f32], logits: &[f32]) -> Caption {
        let named = |applies: &dyn Fn(usize) -> bool| {
            let classes = self.classes.iter().enumerate();
            let names: Vec<&str> = classes
                .filter(|(class, _)| applies(*class))
                .map(|(_, name)| name.as_str())
                .collect();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        let said = named(&|class| logits.get(class).is_some_and(|&logit| logit > 0.0));
        let is = named(&|class| labels.get(class).is_some_and(|&label| label > 0.5));
        Caption { else_is: Some(is).filter(|is| *is != said), said }
    }

    /// Classes as colours.
    fn map(&self, classes: &[i64], size: Size) -> RgbImage {
        by_pixel(size, |pixel| {
            let class = classes.get(pixel).and_then(|&class| usize::try_from(class).ok());
            class.filter(|&class| class < self.classes.len()).map_or(UNKNOWN, colour)
        })
    }
}

fn colour(class: usize) -> [u8; 3] {
    COLOURS.get(class % COLOURS.len()).copied().unwrap_or(UNKNOWN)
}

fn by_pixel(size: Size, colour: impl Fn(usize) -> [u8; 3]) -> RgbImage {
    let Size { height, width } = size;
    RgbImage::from_fn(width, height, |x, y| Rgb(colour(y as usize * width as usize + x as usize)))
}

/// Normalised values `[C, H, W]` as they were: colours, or where they are numbers or of other channels than those of
/// colours, the first of them in shades.
fn picture(values: &[f32], size: Size, input: &Input) -> RgbImage {
    let plane = (size.height * size.width) as usize;
    let Input { normalisation, scale } = input;
    let channels = normalisation.mean.iter().zip(&normalisation.std);
    let stored: Vec<f32> = values
        .chunks(plane.max(1))
        .zip(channels)
        .flat_map(|(plane, (mean, std))| plane.iter().map(move |value| value * std + mean))
        .collect();
    match (scale, input.channels()) {
        (None, channels @ (1 | 3)) => shades(&stored, size, channels, (0.0, 1.0)),
        _ => {
            let first = stored.get(..plane).unwrap_or(&stored);
            shades(first, size, 1, range(first))
        }
    }
}

/// The least and the greatest of the values that are known.
fn range(values: &[f32]) -> (f32, f32) {
    let known = || values.iter().copied().filter(|value| value.is_finite());
    (known().fold(f32::INFINITY, f32::min), known().fold(f32::NEG_INFINITY, f32::max))
}

/// Values `[C, H, W]`: three channels as colours, of others the first as grey, black being the least and white the
/// greatest of a range.
fn shades(values: &[f32], size: Size, channels: usize, (low, high): (f32, f32)) -> RgbImage {
    let plane = (size.height * size.width) as usize;
    by_pixel(size, |pixel| {
        std::array::from_fn(|channel| {
            let channel = if channels == 3 { channel } else { 0 };
            let value = values.get(channel * plane + pixel).copied().unwrap_or(f32::NAN);
            // What is not known is black.
            ((value - low) / (high - low) * 255.0).round().clamp(0.0, 255.0) as u8
        })
    })
}

fn numbers(values: &[f32]) -> String {
    let mut shown: Vec<String> =
        values.iter().take(NUMBERS).map(|value| format!("{value:.3}")).collect();
    if values.len() > NUMBERS {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(task: Task) -> View {
        View { task, classes: ["cat", "dog", "cow"].map(str::to_owned).to_vec() }
    }

    fn example(targets: Targets, output: Vec<f32>) -> Example {
        let normalisation = nas_data::Normalisation { mean: vec![0.5], std: vec![0.25] };
        let inputs = vec![(vec![2.0, -2.0, 0.0, 1.0], Input { normalisation, scale: None })];
        Example { inputs, size: Size { height: 2, width: 2 }, targets, output }
    }

    fn caption(task: Task, targets: Targets, output: &[f32]) -> (String, Option<String>) {
        let Caption { said, else_is } =
            view(task).row(&example(targets, output.to_vec())).caption.unwrap();
        (said, else_is)
    }

    #[test]
    fn words_say_what_is_right_where_the_network_is_wrong() {
        let one = Task::Classification { classes: 3 };
        let of = |label| caption(one, Targets::Classes(vec![label]), &[0.1, 0.7, 0.2]);
        assert_eq!(of(1), ("dog".to_owned(), None));
        assert_eq!(of(2), ("dog".to_owned(), Some("cow".to_owned())));
        let several = Task::Multilabel { classes: 3 };
        let of = |values: [f32; 3]| {
            let targets = Targets::Vectors { values: values.to_vec(), len: 3 };
            caption(several, targets, &[1.0, -1.0, 2.0])
        };
        assert_eq!(of([1.0, 0.0, 1.0]), ("cat, cow".to_owned(), None));
        assert_eq!(of([0.0; 3]), ("cat, cow".to_owned(), Some("none".to_owned())));
        let numbers = Targets::Vectors { values: vec![1.0, 2.5], len: 2 };
        let said = caption(Task::Regression { values: 2 }, numbers, &[1.25, 2.0]);
        assert_eq!(said, ("1.250, 2.000".to_owned(), Some("1.000, 2.500".to_owned())));
    }

    #[test]
    fn maps_stand_beside_the_image() {
        let task = Task::Segmentation { classes: 3, ignore: 255 };
        // Three planes of four pixels: the classes 0, 1, 2, 2.
        let logits = vec![9.0, 0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0, 9.0, 9.0];
        let row = view(task).row(&example(Targets::ClassMaps(vec![0, 1, 2, 255]), logits));
        let [image, label, found] = row.pictures.as_slice() else { panic!("not three") };
        let grey: Vec<u8> = image.pixels().map(|pixel| pixel.0[0]).collect();
        assert_eq!(grey, [255, 0, 128, 191]);
        let colours =
            |picture: &RgbImage| picture.pixels().map(|pixel| pixel.0).collect::<Vec<_>>();
        assert_eq!(colours(label), [COLOURS[0], COLOURS[1], COLOURS[2], UNKNOWN]);
        assert_eq!(colours(found), [COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[2]]);
        let depths = Targets::Maps {
            values: vec![1.0, 2.0, 3.0, f32::NAN],
            channels: 1,
            size: Size { height: 2, width: 2 },
        };
        let row = view(Task::Regression { values: 1 }).row(&example(depths, vec![2.0; 4]));
        let shades =
            |picture: &RgbImage| picture.pixels().map(|pixel| pixel.0[0]).collect::<Vec<_>>();
        assert_eq!(shades(&row.pictures[1]), [0, 128, 255, 0]);
        assert_eq!(shades(&row.pictures[2]), [128; 4]);
    }
}
