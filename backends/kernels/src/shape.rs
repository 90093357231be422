//! Sizes of maps and windows, and what is done with values when they are loaded.

/// Maps `[images, height, width, channels]` in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Map {
    /// Pictures.
    pub images: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels, side by side in memory.
    pub channels: usize,
}

impl Map {
    /// Pixels of all pictures.
    #[must_use]
    pub fn pixels(self) -> usize {
        self.images * self.height * self.width
    }

    /// Floats.
    #[must_use]
    pub fn len(self) -> usize {
        self.pixels() * self.channels
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The same with other channels.
    #[must_use]
    pub fn with_channels(self, channels: usize) -> Self {
        Self { channels, ..self }
    }
}

/// The window of a convolution; height before width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Taps.
    pub kernel: [usize; 2],
    /// From one place to the next.
    pub stride: [usize; 2],
    /// From one tap to the next.
    pub dilation: [usize; 2],
    /// Zeros before the first row and column.
    pub before: [usize; 2],
    /// Zeros behind the last row and column.
    pub after: [usize; 2],
}

impl Window {
    /// Taps in all.
    #[must_use]
    pub fn taps(self) -> usize {
        self.kernel.iter().product()
    }

    /// What it makes of maps; `None` where it does not fit into them.
    #[must_use]
    pub fn of(self, map: Map) -> Option<Map> {
        let side = |axis: usize, size: usize| {
            let [kernel, stride, dilation, before, after] =
                [self.kernel, self.stride, self.dilation, self.before, self.after]
                    .map(|sizes| sizes[axis]);
            let free = (size + before + after).checked_sub(dilation * (kernel - 1) + 1)?;
            Some(free / stride + 1)
        };
        Some(Map { height: side(0, map.height)?, width: side(1, map.width)?, ..map })
    }
}

/// Lines of maps, cut into stretches for tasks.
#[derive(Debug, Clone)]
pub(crate) struct Bands {
    stretches: Vec<[usize; 2]>,
    height: usize,
    width: usize,
}

/// Lines of an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Band {
    pub(crate) image: usize,
    /// The first line, and the one behind the last.
    pub(crate) rows: [usize; 2],
}

impl Bands {
    /// At most so many tasks.
    pub(crate) fn new(map: Map, tasks: usize) -> Self {
        let stretches = crate::work::stretches(map.images * map.height, 1, tasks);
        Self { stretches, height: map.height, width: map.width }
    }

    pub(crate) fn len(&self) -> usize {
        self.stretches.len()
    }

    /// The lines of a task, image by image.
    pub(crate) fn of(&self, task: usize) -> impl Iterator<Item = Band> {
        let [from, to] = self.stretches[task];
        let height = self.height;
        (from / height..to.div_ceil(height)).map(move |image| {
            let first = image * height;
            Band { image, rows: [from.max(first) - first, to.min(first + height) - first] }
        })
    }

    /// The pixels of some lines: the first, and the one behind the last.
    pub(crate) fn pixels(&self, band: Band) -> [usize; 2] {
        band.rows.map(|row| (band.image * self.height + row) * self.width)
    }
}

/// Where the gradient of maps goes.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// How their lines are cut into tasks.
    pub(crate) bands: Bands,
    pub(crate) values: crate::work::Shared,
    /// Whether it is added to what is there.
    pub(crate) adds: bool,
    /// Whether any reads it; if not, it need not be computed.
    pub(crate) is_wanted: bool,
}
