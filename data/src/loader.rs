//! Batches of a split, epoch by epoch: threads read ahead, the consumer gets them in order.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use rand::seq::SliceRandom;

use crate::batch::Batch;
use crate::decode::Picture;
use crate::error::{BatchOf, DataError};
use crate::pipeline::Pipeline;
use crate::random::{Purpose, stream};
use crate::resample::Scratch;
use crate::sample::{Sample, Split};

/// How a split is cut into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoaderOptions {
    /// Samples in a batch; 0 counts as 1.
    pub batch: usize,
    /// Whether each epoch has its own random order; otherwise samples come by stem.
    pub shuffle: bool,
    /// Whether a last, smaller batch is left out.
    pub drop_last: bool,
    /// What order and augmentation are drawn from.
    pub seed: u64,
    /// Threads that read ahead, each at most two batches; 0 counts as 1. They change no result.
    pub workers: usize,
    /// Bytes of decoded pictures that are kept for the next epoch: one per pixel and channel of an image,
    /// and as many again where its target is an image, or one more per pixel where it is a label map.
    pub cache_bytes: usize,
}

impl LoaderOptions {
    /// Shuffled batches, all of one size, read by one thread for each core; a cache of 512 MiB.
    pub fn training(batch: usize, seed: u64) -> Self {
        let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { batch, shuffle: true, drop_last: true, seed, workers, cache_bytes: 512 << 20 }
    }

    /// Every sample once, by stem.
    pub fn evaluation(batch: usize) -> Self {
        Self { shuffle: false, drop_last: false, ..Self::training(batch, 0) }
    }
}

/// A split, what is done to its pictures and how they form batches. Keeps decoded pictures from
/// one epoch to the next; a clone shares them.
#[derive(Clone)]
pub struct Loader {
    pub(crate) source: Arc<Source>,
}

/// What the threads share.
pub(crate) struct Source {
    split: Split,
    pipeline: Pipeline,
    options: LoaderOptions,
    /// One place for each sample. A full cache stays as it is: an epoch asks for every sample once,
    /// so putting one picture in the place of another would gain nothing.
    pub(crate) cache: Vec<OnceLock<Arc<Picture>>>,
    cache_left: AtomicUsize,
}

impl Loader {
    /// Batches of `split`. Reads no image yet.
    ///
    /// # Errors
    /// The split has too few samples for a batch, an image is of a class that the pipeline does not
    /// have, or the pipeline has a bad setting.
    pub fn new(
        split: Split,
        pipeline: Pipeline,
        options: LoaderOptions,
    ) -> Result<Self, DataError> {
        pipeline.check()?;
        let batch = options.batch.max(1);
        let options = LoaderOptions { batch, workers: options.workers.max(1), ..options };
        if split.len() < if options.drop_last { batch } else { 1 } {
            let (images, of) = (split.len(), BatchOf::Split);
            return Err(DataError::TooFewImages { images, batch, of });
        }
        for sample in split.samples() {
            sample.check_class(pipeline.classes)?;
            sample.check_len(&pipeline.moves)?;
        }
        let cache = std::iter::repeat_with(OnceLock::new).take(split.len()).collect();
        let cache_left = AtomicUsize::new(options.cache_bytes);
        Ok(Self { source: Arc::new(Source { split, pipeline, options, cache, cache_left }) })
    }

    /// Number of batches in an epoch.
    pub fn batches(&self) -> usize {
        let LoaderOptions { batch, drop_last, .. } = self.source.options;
        let samples = self.source.split.len();
        if drop_last { samples / batch } else { samples.div_ceil(batch) }
    }

    /// The batches of one epoch. Worker threads start at once and read ahead.
    pub fn epoch(&self, epoch: u64) -> Batches {
        let total = self.batches();
        let workers = self.source.options.workers.min(total);
        let order: Arc<[usize]> = self.source.order(epoch).into();
        let stop = Arc::new(AtomicBool::new(false));
        let (receivers, threads) = (0..workers)
            .map(|first| {
                let (sender, receiver) = bounded(1);
                let source = Arc::clone(&self.source);
                let (order, stop) = (Arc::clone(&order), Arc::clone(&stop));
                let work = move || {
                    let chunks = order.chunks(source.options.batch).take(total);
                    source.work(chunks.skip(first).step_by(workers), epoch, &stop, &sender);
                };
                // Where no thread can start, the sender is gone, and the consumer is told.
                let name = format!("data-{first}");
                (receiver, thread::Builder::new().name(name).spawn(work).ok())
            })
            .unzip();
        Batches { receivers, threads, stop, next: 0, total }
    }
}

impl Source {
    /// Indices of the samples in the order of an epoch.
    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.split.len()).collect();
        if self.options.shuffle {
            order.shuffle(&mut stream(self.options.seed, Purpose::Order { epoch }));
        }
        order
    }

    /// Makes batches until there are no more, one fails, or nobody wants them.
    fn work<'a>(
        &self,
        chunks: impl Iterator<Item = &'a [usize]>,
        epoch: u64,
        stop: &AtomicBool,
        sender: &Sender<Result<Batch, DataError>>,
    ) {
        let mut scratch = Scratch::new();
        for chunk in chunks {
            let Some(made) = self.batch(chunk, epoch, stop, &mut scratch).transpose() else {
                return;
            };
            let failed = made.is_err();
            if sender.send(made).is_err() || failed {
                return;
            }
        }
    }

    /// The batch of these samples; none where the work was stopped.
    pub(crate) fn batch(
        &self,
        indices: &[usize],
        epoch: u64,
        stop: &AtomicBool,
        scratch: &mut Scratch,
    ) -> Result<Option<Batch>, DataError> {
        let mut batch: Option<Batch> = None;
        for (nth, &index) in indices.iter().enumerate() {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let Some(sample) = self.split.samples().get(index) else { continue };
            let picture = self.picture(index, sample, scratch)?;
            let found = self.pipeline.window(picture.size());
            let batch = batch.get_or_insert_with(|| {
                let ground = (self.pipeline.ignore, self.pipeline.times);
                Batch::empty(indices.len(), found, &picture, &self.pipeline.inputs, ground)
            });
            if batch.size != found {
                let (image, expected) = (sample.image.clone(), batch.size);
                return Err(DataError::MixedSizes { image, expected, found });
            }
            let purpose = Purpose::Augment { epoch, sample: index as u64 };
            let mut rng = stream(self.options.seed, purpose);
            self.pipeline.write(&picture, sample, &mut rng, scratch, batch, nth)?;
            batch.stems.push(sample.stem());
        }
        Ok(batch)
    }

    /// The decoded picture of a sample, from the cache where it is there.
    fn picture(
        &self,
        index: usize,
        sample: &Sample,
        scratch: &mut Scratch,
    ) -> Result<Arc<Picture>, DataError> {
        let place = self.cache.get(index);
        if let Some(picture) = place.and_then(OnceLock::get) {
            return Ok(Arc::clone(picture));
        }
        let picture = Arc::new(self.pipeline.read(sample, scratch)?);
        let fits = |left: usize| left.checked_sub(picture.bytes());
        let granted = self.cache_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        if let (Some(place), Ok(_)) = (place, granted) {
            // Two epochs at a time may both bring it; the first stays.
            let _ = place.set(Arc::clone(&picture));
        }
        Ok(picture)
    }
}

/// The batches of one epoch, in order. The first error ends them. Dropping it stops the threads:
/// each finishes at most the picture it is at.
pub struct Batches {
    /// Worker `w` of `n` makes the batches `w`, `w + n`, `w + 2n`, …, so asking the workers in turn
    /// gives them in order, and each waits once a batch of it is unclaimed.
    pub(crate) receivers: Vec<Receiver<Result<Batch, DataError>>>,
    threads: Vec<Option<JoinHandle<()>>>,
    pub(crate) stop: Arc<AtomicBool>,
    next: usize,
    total: usize,
}

impl Iterator for Batches {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.total {
            return None;
        }
        let worker = self.receivers.get(self.next % self.receivers.len().max(1));
        let made = worker.and_then(|receiver| receiver.recv().ok());
        let made = made.unwrap_or(Err(DataError::WorkerLost));
        self.next += 1;
        if made.is_err() {
            self.total = self.next;
            self.finish();
        }
        Some(made)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.total - self.next;
        (usize::from(left > 0), Some(left))
    }
}

impl Batches {
    fn finish(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.receivers.clear(); // A thread that waits to send sees that nobody will receive.
        for thread in self.threads.drain(..).flatten() {
            // A thread that panicked has been reported to the consumer as lost.
            let _ = thread.join();
        }
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.finish();
    }
}
