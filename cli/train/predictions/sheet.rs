//! Pictures in rows, with maps or words beside them, as one SVG.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{ImageFormat, RgbImage};
use nasc::render::report::Failure;
use nasc::render::svg::escaped;

/// The width of a picture, about; small ones are enlarged a whole number of times.
const CELL: u32 = 170;
/// The same of pictures that have words below them.
const TILE: u32 = 112;
/// Pictures with words beside each other.
const COLUMNS: usize = 6;
const GAP: u32 = 8;
/// Width of a letter of the words below pictures, about.
const LETTER: u32 = 7;
/// Height of the words.
const WORDS: u32 = 34;
const TOP: u32 = 56;
const LEFT: u32 = 10;
/// Width of the legend.
const LEGEND: u32 = 170;

/// What is drawn.
pub(super) struct Sheet<'t> {
    pub(super) title: &'t str,
    /// Above each column of pictures.
    pub(super) headings: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// Names and their colours.
    pub(super) legend: Vec<(String, [u8; 3])>,
}

/// An image and what is said of it.
pub(super) struct Row {
    /// Beside each other.
    pub(super) pictures: Vec<RgbImage>,
    /// Below them.
    pub(super) caption: Option<Caption>,
}

/// What is said of an image, and what is right if that is something else.
pub(super) struct Caption {
    pub(super) said: String,
    pub(super) else_is: Option<String>,
}

impl Sheet<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// A picture cannot be encoded.
    pub(super) fn svg(&self) -> Result<String, Failure> {
        let has_words = self.rows.iter().any(|row| row.caption.is_some());
        let wide = self.rows.iter().map(|row| row.pictures.len()).max().unwrap_or(1).max(1) as u32;
        let (cell, beside) =
            if has_words { (TILE, (COLUMNS / wide as usize).max(1)) } else { (CELL, 1) };
        let (mut body, mut y, mut right) = (String::new(), TOP, 0);
        for line in self.rows.chunks(beside) {
            let (mut x, mut bottom) = (LEFT, y);
            for row in line {
                let left = x;
                for picture in &row.pictures {
                    let shown = fitted(picture, cell);
                    let (width, height) = shown.dimensions();
                    body += &embedded(&shown, x, y)?;
                    x += width.max(cell) + GAP;
                    bottom = bottom.max(y + height);
                }
                if let Some(caption) = &row.caption {
                    body += &caption.svg(left, bottom, x - left);
                }
            }
            right = right.max(x);
            y = bottom + GAP + if has_words { WORDS } else { 0 };
        }
        let legend = self.legend(right + GAP);
        let width = right + if self.legend.is_empty() { LEFT } else { LEGEND };
        let height = y.max(TOP + 24 * self.legend.len() as u32) + GAP;
        Ok(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" \
             font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-weight=\"bold\">{}</text>\n{}{body}{legend}</svg>\n",
            escaped(self.title),
            self.above(cell, has_words),
        ))
    }

    /// What stands above the columns; where words stand below pictures, what these are.
    fn above(&self, cell: u32, has_words: bool) -> String {
        let text = |x: u32, words: &str| {
            format!("<text x=\"{x}\" y=\"46\" fill=\"#555\">{}</text>\n", escaped(words))
        };
        if has_words {
            return text(
                LEFT,
                "what the network says, and below it what is right, if that is something else",
            );
        }
        let columns = self.headings.iter().zip(0_u32..);
        columns.map(|(name, column)| text(LEFT + column * (cell + GAP), name)).collect()
    }

    fn legend(&self, x: u32) -> String {
        let entry = |((name, [r, g, b]), at): (&(String, [u8; 3]), u32)| {
            let y = TOP + at * 24;
            format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"16\" height=\"16\" fill=\"rgb({r},{g},{b})\" stroke=\"#888\"/>\n\
                 <text x=\"{}\" y=\"{}\">{}</text>\n",
                x + 24,
                y + 13,
                escaped(name)
            )
        };
        self.legend.iter().zip(0..).map(entry).collect()
    }
}

impl Caption {
    /// The words below pictures that are so wide.
    fn svg(&self, x: u32, bottom: u32, wide: u32) -> String {
        let colour = if self.else_is.is_some() { "#b3261e" } else { "#222" };
        let line = |y: u32, colour: &str, words: &str| {
            let words = cut(words, wide / LETTER);
            format!(
                "<text x=\"{x}\" y=\"{y}\" font-size=\"12\" fill=\"{colour}\">{}</text>\n",
                escaped(&words)
            )
        };
        let right = self.else_is.iter().map(|right| line(bottom + 29, "#555", right));
        line(bottom + 15, colour, &self.said) + &right.collect::<String>()
    }
}

/// Words of at most so many letters; what is too much is left out, and marked.
fn cut(words: &str, most: u32) -> String {
    let most = most as usize;
    if words.chars().count() <= most {
        return words.to_owned();
    }
    words.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A picture as large as a cell is wide: pixels of a small one stay squares.
fn fitted(picture: &RgbImage, cell: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    if width > cell {
        let height = (u64::from(height) * u64::from(cell) / u64::from(width)).max(1);
        let height = u32::try_from(height).unwrap_or(cell);
        return imageops::resize(picture, cell, height, FilterType::Nearest);
    }
    let times = (cell / width.max(1)).max(1);
    imageops::resize(picture, width * times, height * times, FilterType::Nearest)
}

fn embedded(picture: &RgbImage, x: u32, y: u32) -> Result<String, Failure> {
    let mut png = Cursor::new(Vec::new());
    picture
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|error| Failure::input(format!("cannot draw the picture: {error}")))?;
    let ((width, height), png) = (picture.dimensions(), base64(png.get_ref()));
    Ok(format!(
        "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" href=\"data:image/png;base64,{png}\"/>\n"
    ))
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
    fn words_end_where_the_next_picture_begins() {
        assert_eq!(cut("t-shirt", 7), "t-shirt");
        assert_eq!(cut("1.250, 2.000", 7), "1.250,…");
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
