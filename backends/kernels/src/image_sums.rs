//! Sums that are wanted of each image.

use crate::shape::Bands;
use crate::work::Partials;

/// Sums of the lines of each image in each task, which are added up in order.
#[derive(Debug)]
pub(crate) struct ImageSums {
    rows: Partials<f64>,
    /// The image of each row.
    images: Vec<usize>,
    /// Of each task the first row.
    first: Vec<usize>,
}

impl ImageSums {
    /// So many sums each.
    pub(crate) fn new(bands: &Bands, width: usize) -> Self {
        let (mut images, mut first) = (Vec::new(), Vec::new());
        for task in 0..bands.len() {
            first.push(images.len());
            images.extend(bands.of(task).map(|band| band.image));
        }
        Self { rows: Partials::new(images.len(), width), images, first }
    }

    /// The sums of a task for an image.
    ///
    /// # Safety
    /// There is such a task, it has lines of the image, and nothing else writes its rows.
    pub(crate) unsafe fn row(&self, task: usize, image: usize) -> *mut f64 {
        let first = self.first[task];
        // The images of a task follow each other.
        unsafe { self.rows.row(first + image - self.images[first]) }
    }

    /// The sums over all images.
    pub(crate) fn total(&self) -> Vec<f64> {
        self.rows.total()
    }

    /// The sums of each image.
    pub(crate) fn of_images(&self) -> Vec<Vec<f64>> {
        let mut all: Vec<Vec<f64>> = Vec::new();
        for (row, &image) in self.rows.rows().zip(&self.images) {
            match all.get_mut(image) {
                Some(sums) => sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value),
                None => all.push(row.to_vec()),
            }
        }
        all
    }
}
