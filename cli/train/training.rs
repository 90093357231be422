//! What `search`, `retrain`, `eval` and `demo` share: a space with its recipe, its data, its
//! backend.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use nas_data::{BatchOf, DataError, Dataset, Drawn, Survey};
use nas_frontend::Compiler;
use nas_frontend::items::arch::from_choices;
use nas_frontend::modules::Program;
use nas_frontend::session::NamedNetwork;
use nas_grammar::Problem;
use nas_ir::recipe::{Data, Recipe};
use nas_ir::{Checked, Model, Network, Space};
use nas_passes::specialise;
use nas_search::command::Exports;
use nas_search::evaluator::Stop;
use nas_search::record::{Choices, RunResult, Status};
use nas_search::strategy::{Method, Reads};
use nas_search::teacher::Teacher;
use nas_search::{
    End, Inputs, Job, RunError, ScoreTable, Scores, Start, Store, regime, strategies,
};
use nas_torch::{Beginnings, Profiler, TorchBackend};
use nasc::render::bar::Bar;
use nasc::render::report::{Failure, counted, print_problems};
use nasc::services::compute::StepsArgs;
use nasc::services::expected::Expected;
use nasc::services::input::{self, as_in_run};
use nasc::services::onnx_file::emit;
use nasc::services::pick::{self, Which};
use nasc::services::provenance::provenance;
use nasc::services::recipe::{PickedRecipe, RecipeArgs, pick_recipe, recipe, searched};
use nasc::services::reference::fresh;
use nasc::services::scores;
use nasc::services::sources::{sources, within};

use crate::beginning;
use crate::compute::Compute;
use crate::memory::{self, Need};
use crate::profile;
use crate::progress::Progress;
use crate::reference::libtorch;
use crate::teacher::{self, Taken};
use crate::tuning_backend::{Tuned, Tuning};
use nasc::tell;

/// The most bad files that are shown.
const LISTED: usize = 10;
/// Seconds from which on it is told how long the data took to read.
const TOLD: f64 = 5.0;
/// What the ONNX file of a trial says of its weights.
const FRESH: &str = "fresh, calibrated";

/// A space to be trained, and all that says how.
pub(crate) struct Training {
    /// The space.
    pub(crate) space: Arc<Checked<Space>>,
    /// The space as it was asked for.
    pub(crate) space_ref: String,
    /// The recipe.
    pub(crate) recipe: Recipe,
    /// The files, named from the folder of the main one.
    pub(crate) sources: Vec<(String, Vec<u8>)>,
    /// The folder of the images.
    pub(crate) data: PathBuf,
    /// What computes.
    compute: Compute,
    /// What notes what steps take.
    profiler: Option<Rc<Profiler>>,
    /// Whether the space is without what its target cannot run.
    drops_unsupported: bool,
    /// What scores its networks.
    scored: Scored,
    /// Weights to begin with.
    begins_with: Beginnings,
    /// What networks learn from beside the targets.
    teacher: Option<Rc<dyn Teacher>>,
    /// The network of integers that is trained in the place of the one that the choices say.
    tuned: Option<Tuned>,
    /// The folder of the file.
    folder: PathBuf,
}

/// What scores the networks of a search.
enum Scored {
    /// What trains, on the data of the recipe.
    Trained,
    /// They are known.
    Known(ScoreTable),
    /// The command of the recipe.
    Command,
}

impl Training {
    /// What a file and options ask to search, as the run does that goes on: in the folder, if there is one, that
    /// `resumed` gives for the name of the recipe.
    ///
    /// # Errors
    /// The file or the options are at fault.
    pub(crate) fn load(
        file: &Path,
        args: &RecipeArgs,
        resumed: impl Fn(&str) -> Option<PathBuf>,
    ) -> Result<Self, Failure> {
        input::Input::with(args.drop.of(file), |program, compiler| {
            let picked = pick_recipe(program, args, None)?;
            if let Some(run) = resumed(picked.name()) {
                as_in_run(compiler, &run)?;
            }
            let space = searched(compiler, picked)?;
            let recipe = recipe(compiler, picked, args)?;
            let space_ref = match picked {
                PickedRecipe::Item(item) => asked(program, item),
                PickedRecipe::Defaults(space) => space.to_owned(),
            };
            let mut training = Self::new(file, args, compiler, space, space_ref, recipe)?;
            training.find_scores()?;
            training.find_beginnings()?;
            training.find_teacher()?;
            Ok(training)
        })
    }

    /// What a file and options ask to do with one network, as the run in a folder does if there is
    /// one.
    ///
    /// # Errors
    /// The file or the options are at fault.
    pub(crate) fn load_network(
        file: &Path,
        args: &RecipeArgs,
        space: Option<&str>,
        which: Which<'_>,
        run: Option<&Path>,
    ) -> Result<(Self, Network), Failure> {
        input::Input::with(args.drop.of(file), |program, compiler| {
            if let Some(run) = run {
                as_in_run(compiler, run)?;
            }
            let NamedNetwork { space, assignment } = pick::which(program, compiler, space, which)?;
            let picked = pick_recipe(program, args, Some(&space.name))?;
            let recipe = recipe(compiler, picked, args)?;
            let network = specialise(&space, &assignment);
            let space_ref = space.name.clone();
            let mut training = Self::new(file, args, compiler, space, space_ref, recipe)?;
            training.find_beginnings()?;
            training.find_teacher()?;
            Ok((training, network))
        })
    }

    fn new(
        file: &Path,
        args: &RecipeArgs,
        compiler: &Compiler<'_, '_>,
        space: Arc<Checked<Space>>,
        space_ref: String,
        recipe: Recipe,
    ) -> Result<Self, Failure> {
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let data = folder.join(&recipe.data.path);
        let compute = Compute::of(&args.compute)?;
        let (sources, drops_unsupported) = (sources(compiler), compiler.drops_unsupported());
        Ok(Self {
            space,
            space_ref,
            recipe,
            sources,
            data,
            compute,
            profiler: None,
            drops_unsupported,
            scored: Scored::Trained,
            begins_with: Beginnings::default(),
            teacher: None,
            tuned: None,
            folder,
        })
    }

    /// The same training, with steps as these options say.
    ///
    /// # Errors
    /// The file of a profile cannot be written.
    pub(crate) fn stepping(mut self, args: &StepsArgs) -> Result<Self, Failure> {
        self.compute.options.memory = args.memory;
        self.profiler = args.profile.as_deref().map(profile::profiler).transpose()?;
        Ok(self)
    }

    /// The training by a recipe of the network of integers that one of the space has become. What is read for the recipe to
    /// begin with is left out: the network has its weights.
    pub(crate) fn tuning(&self, recipe: Recipe, tuned: Tuned) -> Self {
        Self {
            space: Arc::clone(&self.space),
            space_ref: self.space_ref.clone(),
            recipe,
            sources: self.sources.clone(),
            data: self.data.clone(),
            compute: self.compute.clone(),
            profiler: self.profiler.clone(),
            drops_unsupported: self.drops_unsupported,
            scored: Scored::Trained,
            begins_with: Beginnings::default(),
            teacher: self.teacher.clone(),
            tuned: Some(tuned),
            folder: self.folder.clone(),
        }
    }

    /// Finds what scores networks. The table of scores that the recipe names, if it does, is read; a run
    /// keeps it beside the sources.
    fn find_scores(&mut self) -> Result<(), Failure> {
        if strategies::is_by_command(&self.recipe).map_err(Failure::problem)? {
            self.scored = Scored::Command;
            return Ok(());
        }
        let Some(name) = strategies::table(&self.recipe).map_err(Failure::problem)? else {
            return Ok(());
        };
        let path = self.folder.join(&name);
        let lines = scores::lines(&path)?;
        self.scored = Scored::Known(scores::table(&path, &lines)?);
        self.sources.push((within(Path::new(&name)), lines));
        Ok(())
    }

    /// Finds the weights to begin with, if the recipe names some; a run keeps them beside the sources.
    fn find_beginnings(&mut self) -> Result<(), Failure> {
        let (begins_with, files) = beginning::read(&self.recipe, &self.folder)?;
        self.begins_with = begins_with;
        self.sources.extend(files);
        Ok(())
    }

    /// Finds the teacher, if the recipe names one; a run keeps its file beside the sources.
    fn find_teacher(&mut self) -> Result<(), Failure> {
        if let Some(Taken { teacher, file }) =
            teacher::read(&self.space, &self.recipe, &self.folder)?
        {
            self.teacher = Some(teacher);
            self.sources.push(file);
        }
        Ok(())
    }

    /// The images.
    ///
    /// # Errors
    /// There is no data set, or it has not the images that the recipe asks for.
    pub(crate) fn dataset(&self) -> Result<Dataset, Failure> {
        let Data { val, take, .. } = self.recipe.data;
        let take = (take > 0).then_some(take as usize);
        let opened = Dataset::open(&self.data);
        let inputs = self.space.graph.inputs();
        let inputs: Vec<String> = inputs.map(|(_, input)| input.name.clone()).collect();
        let opened = opened.and_then(|data| data.with_inputs(&inputs));
        opened.and_then(|data| data.drawn(Drawn { val, take })).map_err(Failure::problem)
    }

    /// What trains.
    ///
    /// # Errors
    /// There is no data set, or the space is for nothing that can be trained.
    pub(crate) fn backend(&self) -> Result<TorchBackend, Failure> {
        let (space, recipe) = (Arc::clone(&self.space), self.recipe.clone());
        let backend = TorchBackend::new(space, recipe, self.dataset()?, self.compute.options);
        let backend = backend.map_err(Failure::problem)?.beginning_with(self.begins_with.clone());
        let backend = backend.profiled_by(self.profiler.clone());
        Ok(match &self.teacher {
            Some(teacher) => backend.taught_by(Rc::clone(teacher)),
            None => backend,
        })
    }

    /// Opens a run directory: to search, or to train the network that is given.
    ///
    /// # Errors
    /// The data set cannot be read, a file of it is bad, or what `open` fails with.
    pub(crate) fn store(
        &self,
        start: Option<Start<'_>>,
        open: impl FnOnce(&Inputs<'_>) -> Result<Store, RunError>,
    ) -> Result<Store, Failure> {
        // What cannot be trained at all leaves no run.
        let mut reads = Reads::Nothing;
        if start.is_none() {
            strategies::check(&self.space, &self.recipe).map_err(Failure::problem)?;
            reads = strategies::reads(&self.recipe).map_err(Failure::problem)?;
        }
        let data = match self.scored {
            Scored::Known(_) | Scored::Command => Vec::new(),
            Scored::Trained => self.surveyed(start, reads)?,
        };
        let of_programs = [
            ("nasc", env!("CARGO_PKG_VERSION").to_owned()),
            ("libtorch", nas_torch::LIBTORCH_VERSION.to_owned()),
            ("tract", nas_tract::VERSION.to_owned()),
        ];
        let versions = of_programs.into_iter().chain(self.compute.versions());
        let versions = versions.map(|(name, version)| (name.to_owned(), version));
        let inputs = Inputs {
            space_ref: &self.space_ref,
            space: &self.space,
            drop_unsupported: self.drops_unsupported,
            sources: &self.sources,
            start,
            recipe: &self.recipe,
            data: &data,
            versions: &versions.collect::<Vec<_>>(),
        };
        open(&inputs).map_err(Failure::problem)
    }

    /// The files of the data, which are sound, for a run that fits into memory.
    fn surveyed(
        &self,
        start: Option<Start<'_>>,
        reads: Reads,
    ) -> Result<Vec<(String, String)>, Failure> {
        let (backend, dataset) = (self.backend()?, self.dataset()?);
        let network = start.map(|start| self.network_of(start.choices)).transpose()?;
        tell!("device: {}", self.compute.told());
        memory::check(self.compute.options.memory, self.compute.free(), |memory| {
            self.needs(&backend, network.as_ref(), memory)
        })?;
        backend.check_frozen(network.as_ref()).map_err(Failure::problem)?;
        beginning::tell(&backend, &self.begins_with, network.as_ref())?;
        self.check_batches(&dataset, reads).map_err(Failure::problem)?;
        self.tell_drawn(&dataset).map_err(Failure::problem)?;
        let survey = survey(&backend)?;
        let files = survey.files.iter().map(|file| (file.name.clone(), file.sha256.clone()));
        let files = files.collect();
        // Before there is a folder, so that what is bad leaves none behind.
        sound(survey)?;
        Ok(files)
    }

    /// What the steps of a run take of memory, where they may take so many bytes: those of its search, and those of the
    /// retraining.
    fn needs(
        &self,
        backend: &TorchBackend,
        network: Option<&Network>,
        memory: Option<u64>,
    ) -> Result<Vec<Need>, Failure> {
        let Recipe { data, weights, retrain, .. } = &self.recipe;
        let of_retraining = |what, forecast| {
            let (setting, batch, section) = ("retrain.batch", retrain.batch, "retrain");
            Need {
                what,
                setting,
                batch,
                section,
                accumulate: retrain.training.accumulate,
                forecast,
            }
        };
        let mut needs = Vec::new();
        if network.is_none() {
            let search = strategies::search(&self.space, &self.recipe).map_err(Failure::problem)?;
            let forecast = backend.forecast_search(&search.method, memory);
            let forecast = forecast.map_err(Failure::problem)?;
            let what = "the search";
            needs.push(match search.method {
                // Each network is trained as the retraining does.
                Method::Alone(..) => of_retraining(what, forecast),
                _ => {
                    let (setting, batch, section) = ("data.batch", data.batch, "weights");
                    Need { what, setting, batch, section, accumulate: weights.accumulate, forecast }
                }
            });
        }
        let (what, forecast) = match &self.tuned {
            Some(Tuned { network, powers_of_two }) => {
                ("the tuning", backend.forecast_tuning(network, *powers_of_two, memory))
            }
            None => ("the retraining", backend.forecast_retraining(network, memory)),
        };
        needs.push(of_retraining(what, forecast.map_err(Failure::problem)?));
        Ok(needs)
    }

    /// The network of these choices.
    fn network_of(&self, choices: &Choices) -> Result<Network, Failure> {
        let assignment = from_choices(&self.space, choices)
            .map_err(|misfit| Failure::input(misfit.to_string()))?;
        Ok(specialise(&self.space, &assignment))
    }

    /// Whether there are images for a batch in each phase, found out before the first begins.
    fn check_batches(&self, dataset: &Dataset, reads: Reads) -> Result<(), DataError> {
        let Recipe { data, retrain, seed, .. } = &self.recipe;
        let train = dataset.split("train")?;
        let of_search = match reads {
            Reads::Nothing => Vec::new(),
            Reads::All => vec![(train.len(), BatchOf::Search)],
            Reads::Parts { weights } => {
                let (weights, choices) = train.divide(weights, *seed);
                vec![(weights.len(), BatchOf::Weights), (choices.len(), BatchOf::Choices)]
            }
        };
        let of_search = of_search.into_iter().map(|(images, of)| (images, of, data.batch));
        let mut parts = of_search.chain([(train.len(), BatchOf::Retrain, retrain.batch)]);
        let short = parts.find(|&(images, _, batch)| images < batch as usize);
        short.map_or(Ok(()), |(images, of, batch)| {
            Err(DataError::TooFewImages { images, batch: batch as usize, of })
        })
    }

    /// Tells how many images are used for what, where the recipe says so and not the folder.
    fn tell_drawn(&self, dataset: &Dataset) -> Result<(), DataError> {
        let Data { val, take, .. } = self.recipe.data;
        if val > 0.0 || take > 0 {
            let images = |split: &str| dataset.split(split).map(|of| counted(of.len(), "image"));
            let of = if val > 0.0 { " of `train`" } else { "" };
            tell!("data: {} to train on, {}{of} to validate on", images("train")?, images("val")?);
        }
        Ok(())
    }

    /// Does what is left of a run. The hint says how to go on after a stop.
    ///
    /// # Errors
    /// Training fails, or the user stops it.
    pub(crate) fn run(&self, store: &mut Store, hint: &str) -> Result<RunResult, Failure> {
        let (backend, tuning);
        let folder = std::path::absolute(self.folder.join("."));
        let folder = folder.map_err(|error| Failure::input(error.to_string()))?;
        let onnx = |model| self.onnx(model).map_err(Failure::into_problem);
        let scores = match &self.scored {
            Scored::Known(known) => Scores::Known(known),
            Scored::Command => {
                Scores::Command(Exports { folder: &folder, fresh: &calibrated, onnx: &onnx })
            }
            Scored::Trained => {
                backend = self.backend()?;
                match &self.tuned {
                    Some(tuned) => {
                        tuning = Tuning { backend: &backend, tuned };
                        Scores::Training(&tuning)
                    }
                    None => Scores::Training(&backend),
                }
            }
        };
        let job = Job { space: &self.space, recipe: &self.recipe, scores };
        let by_proxies = strategies::are_proxies_cheap(&self.recipe).map_err(Failure::problem)?;
        let untrained = match self.scored {
            Scored::Known(_) => "known",
            Scored::Trained | Scored::Command if by_proxies => "untrained",
            Scored::Trained | Scored::Command => "inherited",
        };
        if self.compute.options.memory.is_some() {
            store.spare_memory();
        }
        let mut progress = Progress::new(self.recipe.objective.measure(), untrained)?;
        if !store.is_resumed() {
            self.tell_times(&job, store, &progress, hint)?;
        }
        let outcome = regime::run(&job, store, &mut |event| progress.event(&event));
        progress.finish();
        let outcome = outcome.map_err(|failure| match failure {
            nas_search::Failure::Run(error) => Failure::problem(error),
            nas_search::Failure::Backend(fault) => Failure::Problems(vec![fault]),
        })?;
        match outcome {
            End::Finished(result) => {
                memory::tell_peak(self.compute.peak());
                profile::tell_idle(self.profiler.as_deref());
                if result.trained.is_some() {
                    self.keep_expected(store, &result)?;
                }
                Ok(*result)
            }
            End::Interrupted(Status { phase, done, of }) => {
                let dir = store.dir().display();
                tell!("stopped in {phase} after {done} of {of}; {dir} is whole: {hint}");
                Err(Failure::Interrupted)
            }
        }
    }

    /// Tells how long a run will take that begins. What fails here is left to the run.
    fn tell_times(
        &self,
        job: &Job<'_>,
        store: &Store,
        progress: &Progress,
        hint: &str,
    ) -> Result<(), Failure> {
        match regime::rehearse(job, store, &mut |_| progress.rehearsed()) {
            Ok(times) => {
                if let Some(times) = times {
                    progress.times(&times);
                }
                Ok(())
            }
            Err(Stop::Interrupted) => {
                tell!("stopped before the first step; {} is whole: {hint}", store.dir().display());
                Err(Failure::Interrupted)
            }
            Err(Stop::Failed(_)) => Ok(()),
        }
    }

    /// The bytes of a model as ONNX, in the operator set of the target.
    fn onnx(&self, model: Model) -> Result<Vec<u8>, Failure> {
        let provenance = provenance(&model.network, &self.sources, FRESH, None);
        let options = nas_onnx::Options {
            opset: self.space.device.opset.unwrap_or_default(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            provenance,
            ..nas_onnx::Options::default()
        };
        emit(model, &options)
    }

    /// Writes what the network of a result expects of its inputs beside the weights.
    fn keep_expected(&self, store: &mut Store, result: &RunResult) -> Result<(), Failure> {
        let expected = self.expected(&self.network_of(&result.choices)?)?;
        let written = expected.map(|expected| store.write_json(Expected::FILE, &expected));
        written.transpose().map(|_| ()).map_err(Failure::problem)
    }
}

/// A network with the fresh weights of a seed, calibrated as those of `nasc export` are.
fn calibrated(network: Network, seed: u64) -> Result<Model, Problem> {
    let made = fresh(network, seed, Some(&libtorch()));
    made.map(|(model, _)| model).map_err(Failure::into_problem)
}

/// What the files of the data hold; how far it is stands on a bar.
fn survey(backend: &TorchBackend) -> Result<Survey, Failure> {
    let (bar, since) = (Bar::with_rest()?, Instant::now());
    let mut images = 0;
    let survey = backend.survey(&mut |done, of| {
        images = of;
        bar.step("read the data", done, of)
    });
    bar.finish();
    let survey = survey.map_err(Failure::problem)?.ok_or(Failure::Interrupted)?;
    let seconds = since.elapsed().as_secs_f64();
    if seconds >= TOLD {
        tell!("data: {} read in {seconds:.0} s", counted(images, "image"));
    }
    Ok(survey)
}

/// Tells what is hardly meant in the data.
///
/// # Errors
/// What training would fail with, the first few files.
fn sound(survey: Survey) -> Result<(), Failure> {
    let Survey { faults, warnings, .. } = survey;
    let warnings: Vec<Problem> = warnings.into_iter().map(Problem::from).collect();
    print_problems(&warnings);
    if faults.is_empty() {
        return Ok(());
    }
    if let Some(more) = faults.len().checked_sub(LISTED).filter(|&more| more > 0) {
        tell!("{} of the data are bad; {more} more than are shown", counted(faults.len(), "file"));
    }
    tell!("nothing was trained: repair the data, then run this again");
    Err(Failure::Problems(faults.into_iter().take(LISTED).map(Problem::from).collect()))
}

/// The space of a recipe as its source asks for it: `darts(width = 36)`.
fn asked(program: &Program, item: &nas_grammar::ast::Search) -> String {
    let name = item.space.name.name.clone();
    let args = item.space.args.as_deref().unwrap_or_default();
    let (Some(first), Some(last)) = (args.first(), args.last()) else { return name };
    let range = first.span().start as usize..last.span().end as usize;
    let text = program.modules.first().and_then(|module| module.source.text().get(range));
    text.map_or(name.clone(), |text| format!("{name}({text})"))
}

/// A stop of the backend as the command's failure.
#[must_use]
pub(crate) fn stopped(stop: Stop) -> Failure {
    match stop {
        Stop::Interrupted => Failure::Interrupted,
        Stop::Failed(fault) => Failure::Problems(vec![fault]),
    }
}
