//! A whole search: a space and its recipe from text, pictures from files, the regime of
//! `nas_search`, and the traits that it trains through.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use nas_data::Dataset;
use nas_ir::recipe::Recipe;
use nas_ir::{Checked, ClassMetric, Metric, Space};
use nas_passes::specialise;
use nas_search::backend::TrainableNetwork;
use nas_search::evaluator::{Part, Pass, Rate, Split, Step};
use nas_search::record::{Record, RunResult};
use nas_search::shared::{Beside, Lesson, Paths, SharedWeights, Sharing};
use nas_search::store::Recorded;
use nas_search::{End, Inputs, Job, Scores, Store, run};
use nas_testing::{Folder, folder, pictures};

use super::source::compiled;
use crate::{Options, TorchBackend, TorchError};

/// Operators, kernels, widths, depth and the size of the picture are decided.
const SPACE: &str = r#"
block unit(x, out) {
    let mid = elastic width [4, 8]
    x -> choose op {
        plain: conv(mid, kernel = elastic kernel [1, 3]) -> batch_norm -> relu
            -> conv(out, kernel = 1)
        pooled: avg_pool(3, stride = 1, padding = "same") -> conv(out, kernel = 1)
    }
}
space s() {
    let size = elastic size [8, 16]
    input image: [3, size, size]
    task segmentation(2, ignore = 255)
    let x = image -> repeat elastic depth [1, 2] { unit(6) }
    output logits = x -> conv(2, kernel = 1, bias = true)
    train output helper = x -> relu -> conv(2, kernel = 1, bias = true)
}
search r of s {
    strategy proxyless { gradient = reinforce }
    minimize cross_entropy + 0.1 * macs / 1M
    data tiles { path = "unused", crop = (12, 16), flip = true, batch = 4, workers = 1 }
    weights sgd { rate = 0.1 }
    schedule { epochs = 4, warmup = 1, split = 0.5 }
    derive { sample = 3, keep = 2 }
    retrain { epochs = 8, batch = 4, drop_path = 0 -> 1 }
}
"#;

/// Whether there is a bright rectangle or a dark one.
const CLASSES: &str = r#"
space s() {
    input image: [3, 16, 16]
    task classification(2)
    output logits = image
        -> choose op {
            plain: conv(6, kernel = 3) -> batch_norm -> relu
            pointwise: conv(6, kernel = 1) -> batch_norm -> relu
        }
        -> global_avg_pool -> linear(2)
    train output helper = image -> conv(4, kernel = 1) -> relu -> global_avg_pool -> linear(2)
}
search r of s {
    strategy gumbel { temperature = 2.0 -> 1.0, mixing = soft }
    minimize cross_entropy + 0.1 * macs / 1M
    data rectangles { path = "unused", crop = (14, 14), flip = true, batch = 4, workers = 1 }
    weights sgd { rate = 0.1 }
    schedule { epochs = 4, warmup = 1, split = 0.5 }
    derive { sample = 2, keep = 1 }
    retrain { epochs = 8, batch = 4 }
}
"#;

fn rectangles(dir: &Path) {
    pictures::rectangles(dir, [("train", 16), ("val", 4), ("test", 4)]);
}

fn bright_and_dark(dir: &Path) {
    pictures::bright_and_dark(dir, [("train", 8), ("val", 4), ("test", 4)]);
}

struct Setting {
    text: String,
    space: Arc<Checked<Space>>,
    recipe: Recipe,
    dir: Folder,
}

impl Setting {
    fn new() -> Self {
        Self::of(SPACE, rectangles)
    }

    fn of(text: &str, draw: fn(&Path)) -> Self {
        let (space, recipe) = compiled(text);
        let dir = folder();
        draw(dir.path());
        Self { text: text.to_owned(), space, recipe, dir }
    }

    fn backend(&self) -> TorchBackend {
        let dataset = Dataset::open(self.dir.path()).unwrap();
        let options = Options { threads: Some(1), ..Options::default() };
        let (space, recipe) = (Arc::clone(&self.space), self.recipe.clone());
        TorchBackend::new(space, recipe, dataset, options).unwrap()
    }

    /// Runs, or goes on, until this many events were told.
    fn run(&self, name: &str, stop_at: usize) -> Option<RunResult> {
        let dir = self.dir.path().join(name);
        let (space, recipe) = (&*self.space, &self.recipe);
        let (sources, versions) = ([("s.nas".to_owned(), self.text.clone().into_bytes())], []);
        let inputs = Inputs {
            space_ref: "s",
            space,
            drop_unsupported: false,
            sources: &sources,
            start: None,
            recipe,
            data: &[],
            versions: &versions,
        };
        let create = if dir.exists() { Store::open } else { Store::create };
        let mut store = create(&dir, &inputs).unwrap();
        let job = Job { space, recipe, scores: Scores::Training(&self.backend()) };
        let mut told = 0;
        let outcome = run(&job, &mut store, &mut |_| {
            told += 1;
            if told >= stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match outcome.unwrap() {
            End::Finished(result) => Some(*result),
            End::Interrupted(_) => None,
        }
    }
}

/// [`SPACE`], to be searched at random.
fn at_random(by: &str) -> String {
    let strategy = format!("strategy random {{}}\n    score {{ by = {by}, epochs = 2 }}");
    SPACE
        .replace("strategy proxyless { gradient = reinforce }", &strategy)
        .replace("schedule { epochs = 4, warmup = 1, split = 0.5 }", "schedule { epochs = 4 }")
}

/// [`SPACE`] of one size, its widths to be masked.
fn masked() -> String {
    SPACE
        .replace("let size = elastic size [8, 16]", "let size = 16")
        .replace("strategy proxyless { gradient = reinforce }", "strategy fbnetv2 {}")
}

#[test]
fn a_search_from_text_and_files_finds_a_network_that_works() {
    for text in [SPACE.to_owned(), masked(), at_random("inherited"), at_random("train")] {
        let setting = Setting::of(&text, rectangles);
        let result = setting.run("whole", usize::MAX).unwrap().trained.unwrap();
        assert!(result.test.as_ref().unwrap().primary().1 > 0.8, "{result:?}");
        // Stopped and gone on with, it ends the same.
        while setting.run("parts", 40).is_none() {}
        let parts = setting.run("parts", usize::MAX).unwrap().trained.unwrap();
        assert_eq!(parts.val, result.val);
        let read =
            |name: &str, file: &str| fs::read(setting.dir.path().join(name).join(file)).unwrap();
        for file in ["assignment.json", "candidates.json"] {
            assert_eq!(read("whole", file), read("parts", file), "{file}");
        }
        let [whole, parts] =
            ["whole", "parts"].map(|run| Recorded::open(&setting.dir.path().join(run)).unwrap());
        assert_eq!(whole.trials().unwrap(), parts.trials().unwrap());
        assert_eq!(whole.epochs().unwrap(), parts.epochs().unwrap());
    }
}

#[test]
fn a_classification_is_searched_in_folders_of_classes() {
    let setting = Setting::of(CLASSES, bright_and_dark);
    let result = setting.run("whole", usize::MAX).unwrap();
    let trained = result.trained.clone().unwrap();
    let (metric, accuracy) = trained.test.as_ref().unwrap().primary();
    assert!(*metric == Metric::Accuracy && accuracy > 0.8, "{result:?}");
    while setting.run("parts", 30).is_none() {}
    for file in ["result.json", "candidates.json", "weights.safetensors"] {
        let read = |name: &str| fs::read(setting.dir.path().join(name).join(file)).unwrap();
        assert!(read("whole") == read("parts"), "{file} differs");
    }
    let epochs = Recorded::open(&setting.dir.path().join("whole")).unwrap().epochs().unwrap();
    let Some(Record::Retrain(last)) = epochs.last() else { panic!("{epochs:?}") };
    let by_class: Vec<ClassMetric> = last.val.by_class().map(|(metric, _)| metric).collect();
    assert!(*last.val.primary().0 == Metric::Accuracy && by_class == [ClassMetric::F1]);
}

fn go_on(_: Step) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A network scores the same with weights that it inherits and with the same weights as its own.
#[test]
fn inherited_weights_are_those_of_the_network() {
    let setting = Setting::new();
    let dataset = Dataset::open(setting.dir.path()).unwrap();
    let options = Options { threads: Some(1), estimate: 0, ..Options::default() };
    let (space, recipe) = (Arc::clone(&setting.space), setting.recipe.clone());
    let backend = TorchBackend::new(space, recipe, dataset, options).unwrap();
    let mut supernet = backend.shared_supernet(Sharing::default()).unwrap();
    let mut assignment = setting.space.first_assignment();
    let wide = setting.space.decision_ids().filter(|(_, d)| d.label == "width");
    wide.for_each(|(id, _)| assignment.set(id, 1));
    let steps = supernet.steps(Part::All).unwrap();
    let steps = vec![vec![setting.space.first_assignment(), assignment.clone()]; steps];
    let paths = Paths { steps, lesson: Lesson::Labels };
    for epoch in 0..4 {
        let pass =
            Pass { part: Part::All, epoch, learning_rate: Rate::constant(0.1), drop_path: 1.0 };
        supernet.train(&pass, &paths, &mut go_on).unwrap();
    }
    let exam = supernet.exam(&assignment, Beside::Nothing).unwrap();
    let (inherited, _) = exam(&mut go_on).unwrap();
    let beside = [(); 3].map(|()| {
        let exam = supernet.exam(&assignment, Beside::Others).unwrap();
        thread::spawn(move || exam(&mut go_on).unwrap())
    });
    assert_eq!(beside.map(|exam| exam.join().unwrap().0), [(); 3].map(|()| inherited.clone()));
    let mut network = backend.trainable(&specialise(&setting.space, &assignment)).unwrap();
    assert_ne!(network.score(Split::Val, &mut go_on).unwrap(), inherited);
    let part = supernet.mixture.inherit(&setting.space, &assignment, false).unwrap();
    network.load(&part.weights().unwrap()).unwrap();
    assert_eq!(network.score(Split::Val, &mut go_on).unwrap(), inherited);
}

#[test]
fn what_cannot_be_trained_is_said() {
    let setting = Setting::new();
    let refused = |text: &str, dir: &Path| {
        let (space, recipe) = compiled(text);
        let dataset = Dataset::open(dir).unwrap();
        let refused = TorchBackend::new(space, recipe, dataset, Options::default()).map(drop);
        refused.expect_err("it was taken")
    };
    let aimless = SPACE.replace("task segmentation(2, ignore = 255)", "");
    let error = refused(&aimless, setting.dir.path());
    assert!(matches!(error, TorchError::Task { .. }), "{error}");
    assert!(error.to_string().contains("no task"), "{error}");

    let classes = Setting::of(CLASSES, bright_and_dark);
    for (text, dir, words) in [
        (SPACE, &classes.dir, "has a class for each image, not a label map"),
        (CLASSES, &setting.dir, "has a label map for each image, not a class"),
    ] {
        let error = refused(text, dir.path());
        assert!(matches!(error, TorchError::Targets { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}
