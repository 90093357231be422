//! What measures a model: tract on this host, or a command that prints milliseconds.

use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nas_tract::{Model, seeded_inputs};
#[cfg(unix)]
use process_wrap::std::ProcessSession;
use process_wrap::std::{ChildWrapper, CommandWrap};
use regex::Regex;

use super::error::{BadAnswer, BadCommand};
use super::printed;
use crate::render::report::Failure;
use crate::services::source::io_reason;

/// What stands in a command for the path of the model.
const MODEL: &str = "{model}";
/// How often it is looked whether a command has ended.
const TICK: Duration = Duration::from_millis(5);
/// How long a command that has ended is listened to: what it started and let go may keep the pipes.
const REST: Duration = Duration::from_secs(1);
/// What is read of a command's output, at most.
const MAX_OUTPUT: u64 = 1 << 20;
/// The seed of the inputs on which models are timed.
const SEED: u64 = 1;

/// What measures models.
pub(super) enum Runner {
    /// tract, in this process.
    Tract(Tract),
    /// A command.
    Command(Bench),
}

/// Why there is no figure.
pub(super) enum Fault {
    /// The user stopped it.
    Interrupted,
    /// It may work another time.
    Answer(BadAnswer),
    /// It will not work another time either.
    Failure(Failure),
}

impl Runner {
    /// The milliseconds of one run of a model. It is asked from time to time whether to go on.
    ///
    /// # Errors
    /// There is no figure.
    pub(super) fn measure(
        &mut self,
        model: &Path,
        flow: &dyn Fn() -> ControlFlow<()>,
    ) -> Result<f64, Fault> {
        match self {
            Self::Tract(tract) => tract.measure(model).map_err(Fault::Failure),
            Self::Command(bench) => bench.measure(model, flow),
        }
    }
}

/// tract, with the models that it has loaded.
pub(super) struct Tract {
    models: HashMap<PathBuf, Model>,
    warmup: usize,
}

impl Tract {
    /// One that runs a model so many times before a run counts.
    #[must_use]
    pub(super) fn new(warmup: usize) -> Self {
        Self { models: HashMap::new(), warmup }
    }

    fn measure(&mut self, path: &Path) -> Result<f64, Failure> {
        if !self.models.contains_key(path) {
            let bytes = nas_files::read(path).map_err(|error| {
                Failure::input(format!("{}: {}", path.display(), io_reason(&error)))
            })?;
            self.models.insert(path.to_owned(), Model::load(&bytes).map_err(Failure::problem)?);
        }
        let Some(model) = self.models.get(path) else { return Err(Failure::Reported) };
        let shapes: Vec<&[u32]> = model.inputs().iter().map(|port| port.dims.as_slice()).collect();
        let times = model.time(&seeded_inputs(&shapes, SEED), self.warmup, 1);
        let times = times.map_err(Failure::problem)?;
        Ok(times.iter().sum::<Duration>().as_secs_f64() * 1e3)
    }
}

/// A command that prints the milliseconds of a model.
pub(super) struct Bench {
    words: Vec<String>,
    timeout: Duration,
    /// What tells the figure in its output.
    pattern: Option<Regex>,
}

impl Bench {
    /// The command of this text, in which `{model}` stands for the path of a model. It is split
    /// into words as a shell does it; no shell sees it.
    ///
    /// # Errors
    /// It is no command, or takes no model.
    pub(super) fn new(
        text: &str,
        timeout: Duration,
        pattern: Option<Regex>,
    ) -> Result<Self, Failure> {
        let bad = |why| Failure::problem(BadCommand { command: text.to_owned(), why });
        let words = shlex::split(text).ok_or_else(|| bad("a quote is not closed"))?;
        if words.is_empty() {
            return Err(bad("it is empty"));
        }
        if !words.iter().any(|word| word.contains(MODEL)) {
            return Err(bad("it does not say where the model goes"));
        }
        Ok(Self { words, timeout, pattern })
    }

    fn measure(&self, model: &Path, flow: &dyn Fn() -> ControlFlow<()>) -> Result<f64, Fault> {
        let model = model.to_string_lossy();
        let words: Vec<String> = self.words.iter().map(|w| w.replace(MODEL, &model)).collect();
        let answer = self.run(&words, flow)?;
        answer.milliseconds(self.pattern.as_ref()).map_err(|why| {
            let command = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default();
            Fault::Answer(BadAnswer { why, command, answer: answer.shown() })
        })
    }

    fn run(&self, words: &[String], flow: &dyn Fn() -> ControlFlow<()>) -> Result<Answer, Fault> {
        let Some((program, arguments)) = words.split_first() else { return Ok(Answer::default()) };
        let mut command = CommandWrap::with_new(program, |command| {
            command.args(arguments);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        });
        // In a session of its own, what it starts can be ended with it, and what asks a terminal for
        // a password fails instead of waiting.
        #[cfg(unix)]
        command.wrap(ProcessSession);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                let why = format!("cannot be started: {}", io_reason(&error));
                return Ok(Answer { fault: Some(why), ..Answer::default() });
            }
        };
        let pipes = (read(child.stdout().take()), read(child.stderr().take()));
        let ended = self.wait(&mut *child, flow);
        // What is left of it would run beside the next measurement; often nothing is.
        let _ = child.start_kill();
        let _ = child.wait();
        let ended = ended?;
        let text = |pipe: Receiver<Output>| pipe.recv_timeout(REST).unwrap_or_default();
        let (out, err) = (text(pipes.0), text(pipes.1));
        let fault = match ended {
            Ok(status) if status.success() => None,
            Ok(status) => Some(format!("failed ({status})")),
            Err(why) => Some(why),
        };
        Ok(Answer { out, err, fault })
    }

    /// Waits for the end of a command; the inner error says that it took too long.
    fn wait(
        &self,
        child: &mut dyn ChildWrapper,
        flow: &dyn Fn() -> ControlFlow<()>,
    ) -> Result<Result<ExitStatus, String>, Fault> {
        let deadline = Instant::now() + self.timeout;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(Ok(status)),
                Ok(None) => {}
                Err(error) => return Ok(Err(format!("was lost: {error}"))),
            }
            if flow().is_break() {
                return Err(Fault::Interrupted);
            }
            if Instant::now() >= deadline {
                return Ok(Err(format!("took longer than {:?}", self.timeout)));
            }
            std::thread::sleep(TICK);
        }
    }
}

/// Reads a pipe to its end, aside.
fn read(pipe: Option<impl Read + Send + 'static>) -> Receiver<Output> {
    let (sender, receiver) = channel();
    if let Some(mut pipe) = pipe {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.by_ref().take(MAX_OUTPUT).read_to_end(&mut bytes);
            // Who writes on is heard to the end: else its own end would be a broken pipe.
            let rest = std::io::copy(&mut pipe, &mut std::io::sink());
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let _ = sender.send(Output { text, is_cut: rest.is_ok_and(|rest| rest > 0) });
        });
    }
    receiver
}

/// What came out of a pipe.
#[derive(Default)]
struct Output {
    text: String,
    /// Whether there was more.
    is_cut: bool,
}

/// What a command wrote, and what went wrong with it.
#[derive(Default)]
struct Answer {
    out: Output,
    err: Output,
    fault: Option<String>,
}

impl Answer {
    fn milliseconds(&self, pattern: Option<&Regex>) -> Result<f64, String> {
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None if self.out.is_cut => Err("printed more than 1 MiB".to_owned()),
            None => printed::milliseconds(&self.out.text, pattern),
        }
    }

    /// The last lines that it wrote.
    fn shown(&self) -> String {
        const LINES: usize = 12;
        let lines: Vec<&str> = self.out.text.lines().chain(self.err.text.lines()).collect();
        let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
        let last: Vec<String> = last.iter().map(|line| printed::cut(line)).collect();
        if last.is_empty() { "nothing".to_owned() } else { last.join("\n  ") }
    }
}
