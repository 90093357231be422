//! Engines that are packages of Python. Each is served by a script in an environment of its own,
//! which loads models once and answers with the time of a run.

use std::io::{BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

#[cfg(unix)]
use process_wrap::std::ProcessSession;
use process_wrap::std::{ChildWrapper, CommandWrap};
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;

use super::super::error::{Fault, NoEngine, Refused};
use super::environment;
use crate::render::line::cut;
use crate::render::report::Failure;
use crate::services::source::io_reason;

/// An engine that is a package of Python.
#[derive(Debug)]
pub(crate) struct Python {
    /// Its name, and that of its environment.
    pub(crate) name: &'static str,
    /// What its environment holds, as pip has it.
    packages: &'static [&'static str],
    /// What runs models in it: see `serve.py`.
    script: &'static str,
}

/// All of them.
pub(super) const PYTHONS: [Python; 2] = [
    Python {
        name: "onnxruntime",
        packages: &["onnxruntime==1.31.1"],
        script: include_str!("onnxruntime_engine.py"),
    },
    Python {
        name: "openvino",
        packages: &["openvino==2026.4.1"],
        script: include_str!("openvino_engine.py"),
    },
];

/// What the scripts share.
const SERVE: &str = include_str!("serve.py");
/// How long an engine may take to start, or to load a model and time it.
const TIME: Duration = Duration::from_secs(600);
/// How often it is looked whether the user wants to stop.
const TICK: Duration = Duration::from_millis(20);
/// The most bytes that are kept of what an engine says beside its answers, and the most characters
/// that are told of it.
const MAX_WORDS: u64 = 1 << 16;
const TOLD: usize = 300;

/// An engine at work: a process that answers one question after the other.
pub(crate) struct Served {
    name: &'static str,
    /// Of the engine, as it says itself.
    version: String,
    warmup: usize,
    child: Box<dyn ChildWrapper>,
    questions: ChildStdin,
    answers: Receiver<String>,
    words: Receiver<String>,
    /// The scripts.
    _folder: TempDir,
}

/// A line of the script.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Version(String),
    Ms(f64),
    Error(String),
}

impl Served {
    /// Starts an engine on so many threads, which runs a model `warmup` times before runs count:
    /// in the environment of nasc, which is made if need be, or in a Python of the user's.
    ///
    /// # Errors
    /// There is no environment, or the engine does not start in it.
    pub(crate) fn start(
        engine: &Python,
        python: Option<&Path>,
        threads: u32,
        warmup: usize,
    ) -> Result<Self, Failure> {
        let own = || environment::interpreter(engine.name, engine.packages);
        let python = python.map_or_else(own, |python| Ok(python.to_owned()))?;
        let failed = |why: String| {
            let help = format!(
                "`{}` must be a Python that has the packages: {}",
                python.display(),
                engine.packages.join(", ")
            );
            Failure::problem(NoEngine { engine: engine.name.to_owned(), why, help })
        };
        let io =
            |error: std::io::Error| failed(format!("{}: {}", python.display(), io_reason(&error)));
        let folder = tempfile::tempdir().map_err(io)?;
        std::fs::write(folder.path().join("serve.py"), SERVE).map_err(io)?;
        let script = folder.path().join(format!("{}_engine.py", engine.name));
        std::fs::write(&script, engine.script).map_err(io)?;
        let mut command =
            CommandWrap::with_new(&python, |command| words(command, &script, threads));
        // Ctrl-C is for nasc, which ends the engine once it has kept what was measured.
        #[cfg(unix)]
        command.wrap(ProcessSession);
        let mut child = command.spawn().map_err(io)?;
        let (Some(questions), Some(out), Some(err)) =
            (child.stdin().take(), child.stdout().take(), child.stderr().take())
        else {
            return Err(failed("it has no standard streams".to_owned()));
        };
        let mut served = Self {
            name: engine.name,
            version: String::new(),
            warmup,
            child,
            questions,
            answers: lines(out),
            words: rest(err),
            _folder: folder,
        };
        match served.answer(&|| ControlFlow::Continue(())) {
            Ok(Answer::Version(version)) => {
                served.version = version;
                Ok(served)
            }
            Ok(_) => Err(failed("it does not say its version".to_owned())),
            Err(Silent::Interrupted) => Err(Failure::Interrupted),
            Err(Silent::Gone(why)) => Err(failed(why)),
        }
    }

    /// The version of the engine.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The milliseconds of a run of a model.
    ///
    /// # Errors
    /// The engine refuses the model, or the user stops it.
    pub(crate) fn measure(
        &mut self,
        model: &Path,
        flow: &dyn Fn() -> ControlFlow<()>,
    ) -> Result<f64, Fault> {
        let refused = |why: String| {
            let (engine, model) = (self.name.to_owned(), model.display().to_string());
            Fault::Failure(Failure::problem(Refused { engine, model, why }))
        };
        let path = std::path::absolute(model).unwrap_or_else(|_| model.to_owned());
        let question = json!({"model": path.to_string_lossy(), "warmup": self.warmup});
        // Where it is gone, the answer says so.
        let _ = writeln!(self.questions, "{question}").and_then(|()| self.questions.flush());
        match self.answer(flow) {
            Ok(Answer::Ms(ms)) if super::super::table::time(ms).is_some() => Ok(ms),
            Ok(Answer::Ms(ms)) => Err(refused(format!("{ms} ms is no time"))),
            Ok(Answer::Error(why)) => Err(refused(cut(&why, TOLD))),
            Ok(Answer::Version(_)) => Err(refused("it answers something else".to_owned())),
            Err(Silent::Interrupted) => Err(Fault::Interrupted),
            Err(Silent::Gone(why)) => Err(refused(why)),
        }
    }

    fn answer(&mut self, flow: &dyn Fn() -> ControlFlow<()>) -> Result<Answer, Silent> {
        let deadline = Instant::now() + TIME;
        loop {
            match self.answers.recv_timeout(TICK) {
                Ok(line) => {
                    let other = |_| Silent::Gone(format!("it answers `{}`", cut(&line, TOLD)));
                    return serde_json::from_str(&line).map_err(other);
                }
                Err(RecvTimeoutError::Timeout) if flow().is_break() => {
                    return Err(Silent::Interrupted);
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Silent::Gone(format!("it took longer than {TIME:?}")));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(Silent::Gone(self.end())),
            }
        }
    }

    /// How the process ended, in words.
    fn end(&mut self) -> String {
        let status = self.child.wait().map_or_else(|error| error.to_string(), |it| it.to_string());
        let words = self.words.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
        let last = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        let last = if last.is_empty() { String::new() } else { format!(": {}", cut(last, TOLD)) };
        format!("its process ended early ({status}){last}")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Often it has ended by then.
        let _ = self.child.start_kill();
        let _ = self.child.wait();
    }
}

/// Why there is no answer.
enum Silent {
    /// The user stopped it.
    Interrupted,
    /// The process ended, or said something else.
    Gone(String),
}

fn words(command: &mut Command, script: &PathBuf, threads: u32) {
    command.arg(script).arg(threads.to_string());
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
}

/// The lines of a pipe, as they come.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(pipe).lines().map_while(Result::ok);
        for line in lines {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// What a pipe holds when it ends.
fn rest(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.by_ref().take(MAX_WORDS).read_to_end(&mut bytes);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}
