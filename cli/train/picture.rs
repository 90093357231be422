//! A picture of what a network sees: image, label and prediction side by side, with a legend.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use nas_data::{Batch, Dataset, Images, Loader, LoaderOptions, Normalisation, Size, Targets};
use nas_ir::{Shape, fault};
use nas_torch::TorchNetwork;
use nasc::render::report::Failure;
use nasc::render::svg::escaped;

/// How many times a pixel is enlarged.
const ZOOM: u32 = 3;
/// Between tiles, in pixels of the picture.
const GAP: u32 = 6;
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
/// The colour of pixels without a class.
const IGNORED: [u8; 3] = [0, 0, 0];

/// Some tiles of a split: what is there, and what a network says.
pub(crate) struct Tiles {
    images: Vec<RgbImage>,
    labels: Vec<Vec<i64>>,
    predictions: Vec<Vec<u8>>,
    classes: Vec<String>,
}

/// Tiles spread over the validation images, predicted.
///
/// # Errors
/// The data set cannot be read, or the network cannot run.
pub(crate) fn tiles(
    network: &TorchNetwork,
    dataset: &Dataset,
    input: Shape,
    classes: usize,
    count: usize,
) -> Result<Tiles, Failure> {
    let [height, width] = input.plane().unwrap_or_else(|| fault("an input that is no picture"));
    let size = Size { height, width };
    let split = dataset.split("val").map_err(Failure::problem)?;
    let step = (split.len() / count.max(1)).max(1);
    let pipeline = dataset.pipeline(input.channels() as usize, classes, None);
    let pipeline = pipeline.map_err(Failure::problem)?.evaluation(size);
    let none = || Failure::input("the network has no picture to show");
    let normalisation = pipeline.inputs.first().map(|input| input.normalisation.clone());
    let normalisation = normalisation.ok_or_else(none)?;
    let loader =
        Loader::new(split, pipeline, LoaderOptions::evaluation(1)).map_err(Failure::problem)?;
    let mut tiles =
        Tiles { images: vec![], labels: vec![], predictions: vec![], classes: Vec::new() };
    for batch in loader.epoch(0).step_by(step).take(count) {
        let Batch { inputs, targets, .. } = batch.map_err(Failure::problem)?;
        let Targets::ClassMaps(labels) = targets else {
            return Err(Failure::input("the data set has no label maps to show"));
        };
        let Some(Images { values: images, .. }) = inputs.into_iter().next() else {
            return Err(none());
        };
        tiles.predictions.push(network.predict(&images, 1).map_err(Failure::problem)?);
        tiles.images.push(picture(&images, size, &normalisation));
        tiles.labels.push(labels);
    }
    let name = |class| dataset.classes.get(class).cloned();
    tiles.classes =
        (0..classes).map(|class| name(class).unwrap_or_else(|| format!("class {class}"))).collect();
    Ok(tiles)
}

/// The normalised values `[C, H, W]` as colours; a single channel is grey.
fn picture(values: &[f32], size: Size, normalisation: &Normalisation) -> RgbImage {
    let Normalisation { mean, std } = normalisation;
    let plane = size.height as usize * size.width as usize;
    RgbImage::from_fn(size.width, size.height, |x, y| {
        let pixel = y as usize * size.width as usize + x as usize;
        let mut channels = mean.iter().zip(std).enumerate().cycle();
        Rgb(std::array::from_fn(|_| {
            let Some((channel, (mean, std))) = channels.next() else { return 0 };
            let value = values.get(channel * plane + pixel).copied().unwrap_or_default();
            ((value * std + mean) * 255.0).round().clamp(0.0, 255.0) as u8
        }))
    })
}

fn colour(class: usize) -> [u8; 3] {
    COLOURS.get(class % COLOURS.len()).copied().unwrap_or(IGNORED)
}

impl Tiles {
    fn label_colour(&self, class: i64) -> [u8; 3] {
        usize::try_from(class).ok().filter(|&c| c < self.classes.len()).map_or(IGNORED, colour)
    }

    /// Rows of three tiles, enlarged.
    fn raster(&self) -> RgbImage {
        let (w, h) = self.images.first().map_or((1, 1), RgbImage::dimensions);
        let (cell_w, cell_h) = (w * ZOOM + GAP, h * ZOOM + GAP);
        let rows = u32::try_from(self.images.len()).unwrap_or(0);
        let white = Rgb([255; 3]);
        let mut raster =
            RgbImage::from_pixel((3 * cell_w - GAP).max(1), (rows * cell_h).max(1), white);
        for (row, ((image, labels), prediction)) in
            (0..).zip(self.images.iter().zip(&self.labels).zip(&self.predictions))
        {
            for (x, y, pixel) in image.enumerate_pixels() {
                let at = y as usize * w as usize + x as usize;
                let label = labels.get(at).map_or(IGNORED, |&class| self.label_colour(class));
                let found = prediction.get(at).map_or(IGNORED, |&class| colour(class.into()));
                for (column, value) in (0..).zip([*pixel, Rgb(label), Rgb(found)]) {
                    for inner in 0..ZOOM * ZOOM {
                        let left = column * cell_w + x * ZOOM + inner % ZOOM;
                        let top = row * cell_h + y * ZOOM + inner / ZOOM;
                        raster.put_pixel(left, top, value);
                    }
                }
            }
        }
        raster
    }

    /// The picture as SVG.
    ///
    /// # Errors
    /// The picture cannot be encoded.
    pub(crate) fn svg(&self, title: &str) -> Result<String, Failure> {
        let raster = self.raster();
        let (width, height) = raster.dimensions();
        let mut png = Cursor::new(Vec::new());
        raster
            .write_to(&mut png, ImageFormat::Png)
            .map_err(|error| Failure::input(format!("cannot draw the picture: {error}")))?;
        let (top, side) = (56, 170);
        let cell = (width + GAP) / 3;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" font-family=\"sans-serif\" font-size=\"14\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"10\" y=\"22\" font-weight=\"bold\">{title}</text>\n",
            w = width + side + 10,
            h = height + top + 10,
            title = escaped(title),
        );
        for (column, name) in (0..).zip(["image", "label", "prediction"]) {
            svg += &format!("<text x=\"{}\" y=\"48\">{name}</text>\n", 10 + column * cell);
        }
        svg += &format!(
            "<image x=\"10\" y=\"{top}\" width=\"{width}\" height=\"{height}\" href=\"data:image/png;base64,{}\"/>\n",
            base64(png.get_ref())
        );
        for (class, name) in self.classes.iter().enumerate() {
            let [r, g, b] = colour(class);
            let (x, y) = (width + 24, top as usize + class * 24);
            svg += &format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"16\" height=\"16\" fill=\"rgb({r},{g},{b})\" stroke=\"#888\"/>\n\
                 <text x=\"{}\" y=\"{}\">{}</text>\n",
                x + 24,
                y + 13,
                escaped(name)
            );
        }
        svg += "</svg>\n";
        Ok(svg)
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0_u32, |word, i| word << 8 | chunk.get(i).map_or(0, |&b| b.into()));
        for digit in 0..4_usize {
            let value = (word >> (18 - 6 * digit) & 63) as usize;
            let shown =
                if digit > chunk.len() { b'=' } else { DIGITS.get(value).copied().unwrap_or(b'=') };
            text.push(char::from(shown));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
