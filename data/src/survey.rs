//! What a data set holds, found out before anything is trained on it: every file is read once.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crossbeam_channel::{Sender, unbounded};

use crate::dataset::Dataset;
use crate::decode::{MapShape, check_input_size, input_size, read_map, same_size};
use crate::error::DataError;
use crate::input::Input;
use crate::labels::{Labels, check_labels};
use crate::moves::Moves;
use crate::opening::bytes_of;
use crate::pipeline::Pipeline;
use crate::place::Place;
use crate::resample::Fit;
use crate::sample::Sample;
use crate::size::Size;
use crate::target::{Target, TargetKind};
use crate::warning::{DataWarning, Resized};

/// The share of ignored pixels from which there is a warning, though every class occurs.
const MUCH: f64 = 0.5;

/// A file of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Its path from the folder of the data set, with `/` between folders.
    pub name: String,
    /// The SHA-256 of what it holds, in hexadecimal digits; empty if it cannot be read.
    pub sha256: String,
}

/// What some splits of a data set hold.
#[derive(Debug)]
pub struct Survey {
    /// Their files, and `dataset.json` where there is one.
    pub files: Vec<DataFile>,
    /// What training or scoring on them would fail with, in the order of the samples.
    pub faults: Vec<DataError>,
    /// What will not fail, but is hardly meant.
    pub warnings: Vec<DataWarning>,
}

/// Told how many samples are read, of how many; a break ends the survey.
pub type OnSample<'a> = &'a mut dyn FnMut(usize, usize) -> ControlFlow<()>;

impl Dataset {
    /// Reads every file of these splits as for this pipeline: the headers of all images and that they go on to their end,
    /// all values of all label maps. `None` if `on_sample` ended it.
    ///
    /// # Errors
    /// As [`Dataset::split`], or the pipeline moves images whose numbers cannot follow. What is wrong with a file is among
    /// the faults of the survey.
    pub fn survey(
        &self,
        splits: &[&str],
        pipeline: &Pipeline,
        on_sample: OnSample<'_>,
    ) -> Result<Option<Survey>, DataError> {
        pipeline.check()?;
        let mut read = Vec::new();
        for &name in splits {
            read.push((name, self.split(name)?));
        }
        let samples: Vec<&Sample> = read.iter().flat_map(|(_, split)| split.samples()).collect();
        let Pipeline { classes, ignore, inputs, moves, .. } = pipeline;
        let (classes, ignore, map) = (*classes, *ignore, pipeline.map_shape());
        let has_labels = self.kind == TargetKind::Labels;
        let look = Look { root: &self.root, classes, ignore, inputs, map, moves, has_labels };
        let reshaped = Reshaped::of(pipeline);
        let Some(seen) = look.at_all(&samples, on_sample) else { return Ok(None) };
        let shared = self.shared_files(splits).into_iter().map(|path| look.read(&path).0);
        let files = shared.collect();
        let mut survey = Survey { files, faults: Vec::new(), warnings: Vec::new() };
        let mut tallies: Vec<Tally> = Vec::new();
        let mut seen = seen.into_iter();
        for (name, split) in &read {
            let mut tally = Tally::new(name, classes);
            for (sample, seen) in split.samples().iter().zip(seen.by_ref()) {
                survey.files.extend(seen.files);
                if let Some((reshaped, size)) = reshaped.zip(seen.size) {
                    tally.add_size(&sample.image, size, reshaped);
                }
                match seen.labels {
                    Ok(labels) => tally.add(&labels),
                    Err(fault) => survey.faults.push(fault),
                }
            }
            tallies.push(tally);
        }
        if survey.faults.is_empty() {
            survey.faults.extend(tallies.iter().filter_map(Tally::fault));
        }
        if survey.faults.is_empty() {
            survey.warnings = warnings(&tallies, &self.classes);
        }
        Ok(Some(survey))
    }
}

/// What every sample is looked at with.
#[derive(Clone, Copy)]
struct Look<'a> {
    root: &'a Path,
    classes: usize,
    ignore: u8,
    inputs: &'a [Input],
    map: MapShape,
    moves: &'a Moves,
    /// Whether vectors are labels.
    has_labels: bool,
}

/// What was seen of a sample.
struct Seen {
    files: Vec<DataFile>,
    /// Of its image.
    size: Option<Size>,
    labels: Result<Counted, DataError>,
}

/// What the size of pictures becomes.
#[derive(Clone, Copy)]
struct Reshaped {
    to: Size,
    fit: Fit,
}

impl Reshaped {
    /// The most by which the ratio of height and width may change without a warning.
    const SHAPE: f64 = 1.1;
    /// The most by which a side may grow or shrink without a warning.
    const SCALE: f64 = 4.0;

    fn of(pipeline: &Pipeline) -> Option<Self> {
        pipeline.resize.map(|to| Self { to, fit: pipeline.fit })
    }

    /// By what height and width of a picture are multiplied.
    fn factors(self, from: Size) -> (f64, f64) {
        let by = |to: u32, from: u32| f64::from(to) / f64::from(from.max(1));
        let (height, width) = (by(self.to.height, from.height), by(self.to.width, from.width));
        match self.fit {
            Fit::Stretch => (height, width),
            Fit::Cover => (height.max(width), height.max(width)),
            Fit::Letterbox => (height.min(width), height.min(width)),
        }
    }

    fn changes_shape(self, from: Size) -> bool {
        let (height, width) = self.factors(from);
        height.max(width) > Self::SHAPE * height.min(width)
    }

    fn changes_scale(self, from: Size) -> bool {
        let (height, width) = self.factors(from);
        height.max(width) > Self::SCALE || height.min(width) < 1.0 / Self::SCALE
    }
}

/// The labels of a sample.
#[derive(Default)]
struct Counted {
    /// How many there are of each class.
    classes: BTreeMap<usize, u64>,
    /// How many pixels have none.
    ignored: u64,
    /// The label map, if all of it is of one value.
    one_value: Option<PathBuf>,
    is_map: bool,
    /// Of a target of numbers whether one of them is known.
    is_known: Option<bool>,
}

impl Look<'_> {
    /// Looks at the samples on all cores; what was seen comes in their order.
    fn at_all(self, samples: &[&Sample], on_sample: OnSample<'_>) -> Option<Vec<Seen>> {
        let (next, of) = (AtomicUsize::new(0), samples.len());
        let mut seen: Vec<Option<Seen>> = samples.iter().map(|_| None).collect();
        thread::scope(|scope| {
            let (sender, receiver) = unbounded();
            let threads = thread::available_parallelism().map_or(1, usize::from).min(of);
            for _ in 0..threads {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || self.work(samples, next, &sender));
            }
            drop(sender);
            for (done, (index, found)) in receiver.iter().enumerate() {
                if let Some(place) = seen.get_mut(index) {
                    *place = Some(found);
                }
                if on_sample(done + 1, of).is_break() {
                    // Nobody finds another sample.
                    next.store(of, Ordering::Relaxed);
                    return None;
                }
            }
            seen.into_iter().collect()
        })
    }

    fn work(self, samples: &[&Sample], next: &AtomicUsize, sender: &Sender<(usize, Seen)>) {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(sample) = samples.get(index) else { return };
            if sender.send((index, self.at(sample))).is_err() {
                return;
            }
        }
    }

    fn at(self, sample: &Sample) -> Seen {
        let mut files = Vec::new();
        let mut sizes = Vec::new();
        let places = std::iter::once(&sample.image).chain(&sample.others);
        for (place, input) in places.zip(self.inputs) {
            sizes.push(match place {
                Place::File(path) => {
                    let (file, bytes) = self.read(path);
                    files.push(file);
                    bytes.and_then(|bytes| input_size(path, &bytes, input))
                }
                // Its file is among the shared ones, and was whole when its split was read.
                Place::Record { container, .. } => Ok(container.records.size),
            });
        }
        let target = sample.target.file().map(|path| {
            let (file, bytes) = self.read(path);
            files.push(file);
            (path, bytes)
        });
        let seen = sizes.first().and_then(|size| size.as_ref().ok().copied());
        let size = common_size(sample, sizes);
        Seen { files, size: seen, labels: self.labels(sample, size, target) }
    }

    /// A file, and its bytes.
    fn read(self, path: &Path) -> (DataFile, Result<Vec<u8>, DataError>) {
        let inside = path.strip_prefix(self.root).unwrap_or(path);
        let name = inside.to_string_lossy().replace('\\', "/");
        let bytes = bytes_of(path);
        let sha256 = bytes.as_ref().map(|bytes| nas_files::sha256(bytes)).unwrap_or_default();
        (DataFile { name, sha256 }, bytes)
    }

    fn labels(
        self,
        sample: &Sample,
        size: Result<Size, DataError>,
        target: Option<(&Path, Result<Vec<u8>, DataError>)>,
    ) -> Result<Counted, DataError> {
        sample.check_class(self.classes)?;
        sample.check_len(self.moves)?;
        let size = size?;
        match (&sample.target, target) {
            (Target::ClassMap(_), Some((path, bytes))) => {
                let labels = Labels::of(path, bytes?)?;
                same_size(sample, path, size, labels.size())?;
                let labels = labels.decode()?;
                check_labels(&labels, self.classes, self.ignore, path)?;
                Ok(self.count(labels.as_raw(), path))
            }
            (Target::Map(_), Some((path, bytes))) => {
                let map = read_map(path, &bytes?, self.map)?;
                same_size(sample, path, size.times(self.map.times), map.size)?;
                let is_known = Some(map.values.iter().any(|value| !value.is_nan()));
                Ok(Counted { is_known, ..Counted::default() })
            }
            (Target::Vector(numbers), _) => {
                let is_known = Some(numbers.iter().any(|number| !number.is_nan()));
                let applies = |&(_, number): &(usize, &f32)| self.has_labels && *number == 1.0;
                let classes = numbers.iter().enumerate().filter(applies);
                let classes = classes.map(|(class, _)| (class, 1)).collect();
                Ok(Counted { classes, is_known, ..Counted::default() })
            }
            (Target::Class(class), _) => {
                let classes = BTreeMap::from([(*class as usize, 1)]);
                Ok(Counted { classes, ..Counted::default() })
            }
            _ => Ok(Counted::default()),
        }
    }

    fn count(self, labels: &[u8], path: &Path) -> Counted {
        let mut counts = [0_u64; 256];
        for &label in labels {
            if let Some(count) = counts.get_mut(usize::from(label)) {
                *count += 1;
            }
        }
        let mut classes: BTreeMap<usize, u64> =
            counts.into_iter().enumerate().filter(|&(_, count)| count > 0).collect();
        let one_value = (classes.len() == 1).then(|| path.to_owned());
        let ignored = classes.remove(&usize::from(self.ignore)).unwrap_or_default();
        Counted { classes, ignored, one_value, is_map: true, is_known: None }
    }
}

/// The size that the images of all inputs have.
fn common_size(sample: &Sample, sizes: Vec<Result<Size, DataError>>) -> Result<Size, DataError> {
    let mut sizes = sizes.into_iter();
    let first = sizes.next().unwrap_or(Ok(Size { height: 0, width: 0 }))?;
    for (other, size) in sample.others.iter().zip(sizes) {
        check_input_size(sample, first, other, size?)?;
    }
    Ok(first)
}

/// The labels of a split.
struct Tally {
    split: String,
    classes: Vec<u64>,
    ignored: u64,
    maps: usize,
    one_value: Vec<PathBuf>,
    /// Targets of numbers, and those of which one number is known.
    of_numbers: usize,
    known: usize,
    images: usize,
    /// Those whose shape changes, and those that become much larger or smaller.
    shape: Vec<Resized>,
    scale: Vec<Resized>,
}

impl Tally {
    fn new(split: &str, classes: usize) -> Self {
        let (split, classes) = (split.to_owned(), vec![0; classes]);
        Self {
            split,
            classes,
            ignored: 0,
            maps: 0,
            one_value: Vec::new(),
            of_numbers: 0,
            known: 0,
            images: 0,
            shape: Vec::new(),
            scale: Vec::new(),
        }
    }

    fn add_size(&mut self, image: &Place, size: Size, reshaped: Reshaped) {
        self.images += 1;
        let changed = [
            (&mut self.shape, reshaped.changes_shape(size)),
            (&mut self.scale, reshaped.changes_scale(size)),
        ];
        for (changed, _) in changed.into_iter().filter(|(_, changes)| *changes) {
            changed.push(Resized { image: image.clone(), from: size, to: reshaped.to });
        }
    }

    fn add(&mut self, counted: &Counted) {
        for (&class, found) in &counted.classes {
            if let Some(count) = self.classes.get_mut(class) {
                *count += found;
            }
        }
        self.ignored += counted.ignored;
        self.maps += usize::from(counted.is_map);
        self.one_value.extend(counted.one_value.clone());
        self.of_numbers += usize::from(counted.is_known.is_some());
        self.known += usize::from(counted.is_known == Some(true));
    }

    fn labelled(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// The share of the pixels of label maps that have no class.
    fn ignored(&self) -> f64 {
        self.ignored as f64 / (self.ignored + self.labelled()).max(1) as f64
    }

    /// Where nothing is labelled, nothing is learned and nothing is scored.
    fn fault(&self) -> Option<DataError> {
        let split = self.split.clone();
        if self.of_numbers > 0 && self.known == 0 {
            return Some(DataError::NoValues { split });
        }
        (self.maps > 0 && self.labelled() == 0).then_some(DataError::NoLabels { split })
    }

    fn missing(&self) -> Vec<usize> {
        let classes = self.classes.iter().enumerate();
        classes.filter(|&(_, &count)| count == 0).map(|(class, _)| class).collect()
    }
}

fn warnings(tallies: &[Tally], names: &[String]) -> Vec<DataWarning> {
    let mut warnings = Vec::new();
    for tally in tallies {
        let (split, of) = (&tally.split, tally.images);
        if let Some(first) = tally.shape.first() {
            let (split, first, found) = (split.clone(), first.clone(), tally.shape.len());
            warnings.push(DataWarning::ChangesShape { split, first, found, of });
        }
        if let Some(first) = tally.scale.first() {
            let (split, first, found) = (split.clone(), first.clone(), tally.scale.len());
            warnings.push(DataWarning::ChangesScale { split, first, found, of });
        }
    }
    for tally in tallies.iter().filter(|tally| tally.labelled() > 0) {
        let (split, ignored) = (tally.split.clone(), tally.ignored());
        let missing = tally.missing();
        if !missing.is_empty() {
            let named = |class: &usize| match names.get(*class) {
                Some(name) => format!("{class} (`{name}`)"),
                None => class.to_string(),
            };
            let classes = missing.iter().map(named).collect();
            let ignored = (tally.maps > 0).then_some(ignored);
            warnings.push(DataWarning::NeverOccurs { split: split.clone(), classes, ignored });
        } else if ignored >= MUCH {
            warnings.push(DataWarning::MostlyIgnored { split: split.clone(), ignored });
        }
        if let Some(first) = tally.one_value.first() {
            let (first, found, of) = (first.clone(), tally.one_value.len(), tally.maps);
            warnings.push(DataWarning::OneValue { split, first, found, of });
        }
    }
    warnings
}
