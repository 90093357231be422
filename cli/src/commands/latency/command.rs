//! A command that measures a model and prints how long it took: one of the user's, or the tool of a
//! vendor; on this host or on a board.

use std::collections::HashSet;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nas_ir::Precision;
#[cfg(unix)]
use process_wrap::std::ProcessSession;
use process_wrap::std::{ChildWrapper, CommandWrap};
use regex::Regex;

use super::engines::places::{Place, Words};
use super::engines::tools::{Call, Tool};
use super::error::{BadAnswer, BadCommand, Fault};
use super::item::Item;
use super::printed;
use super::table::{TIMES, time};
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

/// Where commands run, and for how long.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// Where.
    pub(super) place: Place,
    /// The folder there for models.
    pub(super) folder: String,
    /// How long a command may take.
    pub(super) timeout: Duration,
}

/// A command that prints the milliseconds of a model.
pub(super) struct Bench {
    line: Line,
    site: Site,
    /// The models that are there already.
    brought: HashSet<PathBuf>,
}

/// What is called, and what it says.
enum Line {
    /// The words of the user, in which `{model}` stands for the path of a model, and what tells the
    /// figure in its output.
    Text(Words, Option<Regex>),
    /// The tool of a vendor.
    Tool { tool: &'static Tool, program: String, threads: u32, precision: Precision },
}

impl Bench {
    /// The command of this text, in which `{model}` stands for the path of a model. It is split
    /// into words as a shell does it; no shell on this host sees it.
    ///
    /// # Errors
    /// It is no command, or takes no model.
    pub(super) fn new(text: &str, pattern: Option<Regex>, site: Site) -> Result<Self, Failure> {
        let bad = |why| Failure::problem(BadCommand { command: text.to_owned(), why });
        let words = shlex::split(text).ok_or_else(|| bad("a quote is not closed"))?;
        if words.is_empty() {
            return Err(bad("it is empty"));
        }
        if !words.iter().any(|word| word.contains(MODEL)) {
            return Err(bad("it does not say where the model goes"));
        }
        Ok(Self { line: Line::Text(words, pattern), site, brought: HashSet::new() })
    }

    /// The tool of a vendor, at this path.
    pub(super) fn tool(
        tool: &'static Tool,
        program: String,
        (threads, precision): (u32, Precision),
        site: Site,
    ) -> Self {
        let line = Line::Tool { tool, program, threads, precision };
        Self { line, site, brought: HashSet::new() }
    }

    /// The milliseconds of a run of a model.
    ///
    /// # Errors
    /// There is no figure, or the user stops it.
    pub(super) fn measure(
        &mut self,
        item: &Item,
        flow: &dyn Fn() -> ControlFlow<()>,
    ) -> Result<f64, Fault> {
        let model = self.line.model(item)?;
        let there = self.site.place.path(&model, &self.site.folder);
        if !self.brought.contains(&model) {
            if let Some(words) = self.site.place.bring(&model, &there) {
                let answer = self.run(&words, flow)?;
                answer
                    .fault
                    .clone()
                    .map_or(Ok(()), Err)
                    .map_err(|why| bad(why, &words, &answer))?;
            }
            self.brought.insert(model);
        }
        let words = self.site.place.run(&self.line.words(item, &there));
        let answer = self.run(&words, flow)?;
        answer.milliseconds(&self.line).map_err(|why| bad(why, &words, &answer))
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
        let deadline = Instant::now() + self.site.timeout;
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
                return Ok(Err(format!("took longer than {:?}", self.site.timeout)));
            }
            std::thread::sleep(TICK);
        }
    }
}

impl Line {
    /// The file of a model that is measured.
    fn model(&self, item: &Item) -> Result<PathBuf, Fault> {
        let model = match self {
            Self::Text(..) => return Ok(item.model.clone()),
            Self::Tool { tool, .. } => item.model.with_extension(tool.ending),
        };
        if model.exists() {
            return Ok(model);
        }
        let (model, onnx) = (model.display(), item.model.display());
        let text = format!("{model} is not there: convert {onnx} into it, as its tool wants it");
        Err(Fault::Failure(Failure::input(text)))
    }

    /// The command for a model at a path where it runs.
    fn words(&self, item: &Item, model: &str) -> Words {
        match self {
            Self::Text(words, _) => words.iter().map(|w| w.replace(MODEL, model)).collect(),
            Self::Tool { tool, program, threads, precision } => {
                let (threads, precision) = (*threads, *precision);
                let call = Call { model, shapes: &item.shapes, threads, precision };
                [vec![program.clone()], tool.arguments(call)].concat()
            }
        }
    }
}

/// That a command gave no figure.
fn bad(why: String, words: &[String], answer: &Answer) -> Fault {
    let command = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default();
    Fault::Answer(BadAnswer { why, command, answer: answer.shown() })
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
    fn milliseconds(&self, line: &Line) -> Result<f64, String> {
        match (&self.fault, line) {
            (Some(fault), _) => Err(fault.clone()),
            (None, _) if self.out.is_cut => Err("printed more than 1 MiB".to_owned()),
            (None, Line::Text(_, pattern)) => {
                printed::milliseconds(&self.out.text, pattern.as_ref())
            }
            (None, Line::Tool { tool, .. }) => {
                // Some tell their figures where others tell their errors.
                let ms = tool.milliseconds(&format!("{}\n{}", self.err.text, self.out.text))?;
                let no_time = || format!("printed {ms} ms, which is no time ({TIMES})");
                time(ms).map(|_| ms).ok_or_else(no_time)
            }
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
