//! Where along an axis a picture is seen.

use rand::Rng;

/// Along one axis: which part of the picture is seen, and where it lies in the window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// Start and end in the picture, in pixels of the picture.
    source: (f64, f64),
    /// First pixel of the window that shows the picture.
    pub(crate) offset: u32,
    /// Number of pixels of the window that show it.
    pub(crate) len: u32,
}

impl Span {
    /// Start and end of what is seen, in pixels of the picture.
    pub(crate) fn source(self) -> (f64, f64) {
        self.source
    }

    /// All of a picture of `from` pixels, in `to` pixels.
    pub(crate) fn whole(from: u32, to: u32) -> Self {
        Self { source: (0.0, f64::from(from)), offset: 0, len: to }
    }

    /// The same on a picture that is so many times larger, in a window that is so many times larger.
    pub(crate) fn times(self, times: u32) -> Self {
        let Self { source: (start, end), offset, len } = self;
        let by = f64::from(times);
        Self { source: (start * by, end * by), offset: offset * times, len: len * times }
    }

    /// Where in the window a place of the picture is seen, both in pixels.
    pub(crate) fn seen_at(self, place: f64) -> f64 {
        let (start, end) = self.source;
        f64::from(self.offset) + (place - start) / (end - start) * f64::from(self.len)
    }

    /// The middle of a picture of `from` pixels, enlarged by `factor`, in `to` pixels.
    pub(crate) fn middle(from: u32, to: u32, factor: f64) -> Self {
        let seen = (f64::from(to) / factor).min(f64::from(from));
        let start = (f64::from(from) - seen) / 2.0;
        Self { source: (start, start + seen), offset: 0, len: to }
    }

    /// All of a picture of `from` pixels, enlarged by `factor`, in the middle of `to` pixels.
    pub(crate) fn amid(from: u32, to: u32, factor: f64) -> Self {
        let len = ((f64::from(from) * factor).round() as u32).clamp(1, to.max(1));
        Self { source: (0.0, f64::from(from)), offset: (to - len.min(to)) / 2, len }
    }

    /// The middle of a picture of `base` pixels, grown by `factor`, in a window, or the picture in the middle of it.
    pub(crate) fn centred(base: u32, factor: f32, window: u32) -> Self {
        let size = scaled(base, factor);
        let slack = size.abs_diff(window) / 2;
        let (offset, start) = if size > window { (0, slack) } else { (slack, 0) };
        Self::placed(base, size, offset, start, window)
    }

    /// A random place for a picture of `base` pixels, grown by `factor`, with `pad` pixels on both sides, in a window.
    pub(crate) fn draw(base: u32, factor: f32, pad: u32, window: u32, rng: &mut impl Rng) -> Self {
        let size = scaled(base, factor);
        let padded = size.saturating_add(pad.saturating_mul(2));
        let slack = rng.random_range(0..=padded.abs_diff(window));
        if padded <= window {
            return Self::placed(base, size, slack + pad, 0, window);
        }
        // The window begins `slack` pixels after the padding does.
        Self::placed(base, size, pad.saturating_sub(slack), slack.saturating_sub(pad), window)
    }

    /// A picture of `base` pixels, grown to `size`, from its pixel `start` on, in a window from its pixel `offset` on.
    fn placed(base: u32, size: u32, offset: u32, start: u32, window: u32) -> Self {
        let len = size.saturating_sub(start).min(window.saturating_sub(offset));
        // INVARIANT: the end never exceeds `base`: whole numbers up to 2^53 divide exactly.
        let back = |at: u64| (at * u64::from(base)) as f64 / f64::from(size);
        let source = (back(start.into()), back(u64::from(start) + u64::from(len)));
        Self { source, offset, len }
    }
}

/// So many pixels, grown by a factor; at least one.
pub(crate) fn scaled(pixels: u32, factor: f32) -> u32 {
    ((f64::from(pixels) * f64::from(factor)).round() as u32).max(1)
}
