//! Scores networks by a command: as many side by side as the recipe says.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nas_ir::{Assignment, Checked, Costs, Network, Space};
use nas_passes::specialise;
use serde::Serialize;

use super::line::{Filling, JSON, ONNX, WEIGHTS, file, shell};
use super::printed::Printed;
use super::process::Process;
use super::settings::{CommandSettings, Exports};
use crate::error::{Fault, NoScore, RunError};
use crate::evaluator::{Evaluation, Evaluator, FailedTrial, Halt, OnBeat, Step};
use crate::metrics::Metrics;
use crate::record::Choices;
use crate::trial::Trial;
use crate::work::Work;

/// How often it is looked whether a command has ended.
const TICK: Duration = Duration::from_millis(5);
/// The file of all that the commands of a trial printed, beside what was printed as metrics.
const LOG: &str = "log.txt";
const METRICS: &str = "metrics.jsonl";
/// The last bytes of a log that are looked at, and of these the last lines that are told, and of a line the
/// first characters.
const TAIL: u64 = 1 << 14;
const LINES: usize = 10;
const COLUMNS: usize = 160;

/// What runs the commands.
pub(crate) struct CommandScorer<'j> {
    space: &'j Checked<Space>,
    settings: CommandSettings,
    exports: Exports<'j>,
    /// The folder of the folders of the trials, an absolute path.
    trials: PathBuf,
    /// The seed of the trial of a number.
    seed: &'j dyn Fn(u32) -> u32,
    /// Those that were begun and not yet evaluated, in order.
    open: VecDeque<Job>,
}

/// A trial that was begun.
struct Job {
    number: u32,
    assignment: Assignment,
    epochs: u32,
    began: Instant,
    /// How often its command failed.
    failures: u32,
    state: State,
}

enum State {
    Running {
        process: Process,
        /// The last object that it printed with all metrics that it must tell.
        last: Option<Printed>,
    },
    /// The system could not start it.
    Unstarted(io::Error),
    Done(Evaluation),
}

/// What a command reads of a network.
#[derive(Serialize)]
struct Written<'n> {
    choices: &'n Choices,
    cost: &'n Costs,
}

impl Evaluator for CommandScorer<'_> {
    fn jobs(&self) -> usize {
        self.settings.jobs
    }

    fn begin(&mut self, number: u32, trial: &Trial) -> Result<(), Halt> {
        let (assignment, epochs) = (trial.assignment.clone(), trial.budget.epochs);
        let folder = self.folder(number);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(refused("clear", &folder, error).into());
            }
            _ => {}
        }
        let state = self.start(number, &assignment, epochs)?;
        let began = Instant::now();
        self.open.push_back(Job { number, assignment, epochs, began, failures: 0, state });
        Ok(())
    }

    fn evaluate(&mut self, _: u32, _: &Trial, on_beat: OnBeat<'_>) -> Result<Evaluation, Halt> {
        loop {
            // Where one stops the run, the others end with it.
            let mut open = std::mem::take(&mut self.open);
            open.iter_mut().try_for_each(|job| self.advance(job, &mut *on_beat))?;
            self.open = open;
            match self.open.pop_front() {
                Some(Job { state: State::Done(evaluation), .. }) => return Ok(evaluation),
                Some(running) => self.open.push_front(running),
                None => return Err(RunError::NoCommand.into()),
            }
            going(on_beat(None))?;
            std::thread::sleep(TICK);
        }
    }
}

impl<'j> CommandScorer<'j> {
    /// One that runs the command of these settings, with a folder for each trial in this one, an absolute
    /// path, and with the seed of a trial by its number.
    pub(crate) fn new(
        space: &'j Checked<Space>,
        settings: CommandSettings,
        exports: Exports<'j>,
        trials: PathBuf,
        seed: &'j dyn Fn(u32) -> u32,
    ) -> Self {
        Self { space, settings, exports, trials, seed, open: VecDeque::new() }
    }

    /// The folder of a trial.
    fn folder(&self, number: u32) -> PathBuf {
        self.trials.join(format!("{number:06}"))
    }

    /// Hears what the command of a trial printed; where it has ended, the trial is done, or it is run once more.
    fn advance(&self, job: &mut Job, on_beat: OnBeat<'_>) -> Result<(), Halt> {
        let outcome = match &mut job.state {
            State::Done(_) => return Ok(()),
            State::Unstarted(error) => Err(format!("cannot be started: {error}")),
            State::Running { process, last } => {
                let ended = process.ended();
                let printed = if ended.is_some() { process.rest() } else { process.printed() };
                for printed in printed {
                    if let Some(done) = printed.epoch {
                        let loss = printed.get("loss").unwrap_or_default();
                        let step = Step { done, of: job.epochs as usize, loss };
                        going(on_beat(Some((job.number, step))))?;
                    }
                    if printed.tells(self.settings.keys()) {
                        *last = Some(printed);
                    }
                }
                let Some(ended) = ended else { return Ok(()) };
                ended.and_then(|()| self.score(last.as_ref()))
            }
        };
        let done = match outcome {
            Ok(score) => Ok(score),
            Err(why) if job.failures >= self.settings.retries => Err(self.failed(job, why)),
            Err(why) => {
                job.failures = job.failures.saturating_add(1);
                self.empty(job, &why)?;
                job.state = self.start(job.number, &job.assignment, job.epochs)?;
                return Ok(());
            }
        };
        let seconds = job.began.elapsed().as_secs_f64();
        let (work, epoch) = (Work::default(), None);
        job.state = State::Done(Evaluation { score: done, seconds, work, epoch });
        Ok(())
    }

    /// The score that was printed last.
    fn score(&self, last: Option<&Printed>) -> Result<Metrics, String> {
        let last = last.ok_or_else(|| {
            let keys: Vec<String> = self.settings.keys().map(|key| format!("`{key}`")).collect();
            match keys.as_slice() {
                [key] => format!("printed no {key}"),
                keys => format!("printed no object with all of {}", keys.join(", ")),
            }
        })?;
        if let Some(key) = self.settings.keys().find(|key| last.get(key).is_none()) {
            return Err(format!("printed a `{key}` that is no finite number"));
        }
        let score = last.score(&self.settings.ranking);
        score.ok_or_else(|| "printed no score".to_owned())
    }

    /// What is recorded of a trial that failed, and told if all others did.
    fn failed(&self, job: &Job, why: String) -> FailedTrial {
        let folder = self.folder(job.number);
        let file = folder.join(LOG);
        let line = self.filling(&folder, job.number, job.epochs).line(&self.settings.command);
        let report = NoScore {
            trials: (job.number as usize).saturating_add(1),
            why: format!("it {why}"),
            command: line.to_string_lossy().into_owned(),
            log: tail(&file).unwrap_or_default(),
            metric: self.settings.ranking.metric.key().to_owned(),
            file,
        };
        FailedTrial { why: format!("it {why}"), report: Box::new(report).into() }
    }

    fn filling<'t>(&self, dir: &'t Path, trial: u32, epochs: u32) -> Filling<'t> {
        Filling { dir, epochs, seed: (self.seed)(trial), trial }
    }

    /// Leaves of the folder of a trial only the log, with a line about what went wrong.
    fn empty(&self, job: &Job, why: &str) -> Result<(), RunError> {
        let folder = self.folder(job.number);
        let entries = fs::read_dir(&folder).map_err(|e| refused("read", &folder, e))?;
        for entry in entries.flatten().filter(|entry| entry.file_name() != LOG) {
            let (path, is_folder) = (entry.path(), entry.file_type().is_ok_and(|it| it.is_dir()));
            let removed =
                if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|e| refused("remove", &path, e))?;
        }
        let path = folder.join(LOG);
        let failures = job.failures;
        let noted =
            appended(&path).and_then(|mut log| writeln!(log, "[nasc: run {failures} {why}]"));
        noted.map_err(|e| refused("append to", &path, e))
    }

    /// Writes what a command reads, and starts it.
    fn start(&self, number: u32, assignment: &Assignment, epochs: u32) -> Result<State, Halt> {
        let dir = self.folder(number);
        fs::create_dir_all(&dir).map_err(|e| refused("create", &dir, e))?;
        let filling = self.filling(&dir, number, epochs);
        self.write(&dir, specialise(self.space, assignment), filling.seed)?;
        let mut command = shell(&filling.line(&self.settings.command));
        let slot = number as usize % self.settings.jobs.max(1);
        command.current_dir(self.exports.folder);
        command.env("NASC_TRIAL_DIR", &dir).env("NASC_SLOT", slot.to_string());
        let log = appended(&dir.join(LOG)).map_err(|e| refused("open", &dir.join(LOG), e))?;
        let objects = dir.join(METRICS);
        let objects = File::create(&objects).map_err(|e| refused("create", &objects, e))?;
        Ok(match Process::start(command, log, objects, self.settings.timeout) {
            Ok(process) => State::Running { process, last: None },
            Err(error) => State::Unstarted(error),
        })
    }

    /// Writes the files of a network: its choices and costs, and what else the command names.
    fn write(&self, dir: &Path, network: Network, seed: u32) -> Result<(), Halt> {
        let cost = nas_analysis::costs(&network);
        let choices: Choices = network.choices.clone().into_iter().collect();
        let written = Written { choices: &choices, cost: &cost };
        let mut json = serde_json::to_vec_pretty(&written)
            .map_err(|error| refused("write", dir, io::Error::other(error)))?;
        json.push(b'\n');
        put(dir, JSON, &json)?;
        let [onnx, weights] = [ONNX, WEIGHTS].map(|name| self.settings.command.has(name));
        if !(onnx || weights) {
            return Ok(());
        }
        let model = (self.exports.fresh)(network, seed.into()).map_err(Halt::backend)?;
        if weights {
            let bytes = nas_safetensors::to_bytes(&model.weights, None);
            let bytes = bytes.map_err(|error| refused("write", dir, io::Error::other(error)))?;
            put(dir, WEIGHTS, &bytes)?;
        }
        if onnx {
            let bytes: Result<Vec<u8>, Fault> = (self.exports.onnx)(model);
            put(dir, ONNX, &bytes.map_err(Halt::backend)?)?;
        }
        Ok(())
    }
}

/// Nothing, unless the caller says to stop.
fn going(flow: ControlFlow<()>) -> Result<(), Halt> {
    if flow.is_break() { Err(Halt::Interrupted) } else { Ok(()) }
}

/// Writes the file that a placeholder stands for.
fn put(dir: &Path, placeholder: &str, bytes: &[u8]) -> Result<(), RunError> {
    let path = dir.join(file(placeholder).unwrap_or(placeholder));
    fs::write(&path, bytes).map_err(|e| refused("write", &path, e))
}

fn appended(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// The last lines of a file.
fn tail(path: &Path) -> io::Result<String> {
    let mut log = File::open(path)?;
    let start = log.metadata()?.len().saturating_sub(TAIL);
    log.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    log.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
    let cut = |line: &&str| format!("  | {}", line.chars().take(COLUMNS).collect::<String>());
    Ok(last.iter().map(cut).collect::<Vec<String>>().join("\n"))
}

fn refused(action: &'static str, path: &Path, source: io::Error) -> RunError {
    RunError::Io { action, path: path.to_owned(), source }
}
