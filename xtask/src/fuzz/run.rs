//! Running a case in a folder of its own, under limits, and judging how its commands ended.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::case::{Case, Step};
use super::tree::Tree;

/// How often it is looked whether a command has ended.
const TICK: Duration = Duration::from_millis(1);
/// How long what a command started may hold its streams after its end.
const GRACE: Duration = Duration::from_secs(5);
/// The most bytes that a command may write to its streams.
const MOST_OUTPUT: usize = 4 << 20;
/// The exit codes that the README documents, but that of a fault.
const CODES: [i32; 4] = [0, 1, 2, 130];
/// What nasc says of its own faults.
const CONFESSIONS: [&str; 3] = ["a fault of nasc", "panicked", "please report"];
/// What stands beside the folder of a case: nothing may touch it.
const OUTSIDE: [&str; 2] = ["outside.txt", "home"];

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// `None` if it took too long.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: Vec<u8>,
    /// What it started held its streams after its end.
    pub(crate) outlived: bool,
}

/// A fault: what is wrong, and the step at which it was seen.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) what: String,
    pub(crate) step: usize,
    pub(crate) ran: Ran,
}

/// What came of a case: the exit codes of its commands, and the first fault.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) codes: Vec<Option<i32>>,
    pub(crate) fault: Option<Fault>,
}

/// Runs the commands of a case, up to the first fault.
pub(crate) fn case(nasc: &Path, case: &Case) -> Result<Outcome> {
    let place = Place::new()?;
    let work = place.0.path().join("work");
    case.files.write(&work)?;
    let mut outcome = Outcome::default();
    let mut before = Tree::read(&work)?;
    let outside = place.outside()?;
    for (step, it) in case.steps.iter().enumerate() {
        let ran = run(nasc, it, &place)?;
        outcome.codes.push(ran.status.and_then(|status| status.code()));
        let after = Tree::read(&work)?;
        let what = misbehaviour(it, &ran)
            .or_else(|| place.outside().ok()?.difference(&outside, &[]).map(touched))
            .or_else(|| before.difference(&after, &it.writes).map(changed))
            .or_else(|| wrong_end(it, &ran, &case.expected, &after));
        if let Some(what) = what {
            outcome.fault = Some(Fault { what, step, ran });
            break;
        }
        if outcome.codes.last() != Some(&Some(0)) && !it.may_fail {
            break;
        }
        before = after;
    }
    Ok(outcome)
}

fn touched(path: String) -> String {
    format!("`{path}` outside its folder was touched, or left behind")
}

fn changed(path: String) -> String {
    format!("`{path}` was changed, and nothing asked for that")
}

/// A temporary folder with the folder of a case, and what nothing may touch.
struct Place(TempDir);

impl Place {
    fn new() -> Result<Self> {
        let place = Self(tempfile::tempdir().context("no temporary folder can be made")?);
        let [file, folder] = OUTSIDE.map(|name| place.0.path().join(name));
        fs::write(file, "kept\n")?;
        fs::create_dir_all(folder)?;
        fs::create_dir(place.0.path().join("tmp"))?;
        Ok(place)
    }

    /// What lies beside the folder of the case.
    fn outside(&self) -> Result<Tree> {
        let mut all = Tree::read(self.0.path())?;
        all.remove("work");
        Ok(all)
    }
}

/// Runs one command to its end, or kills it with all that it started.
fn run(nasc: &Path, step: &Step, place: &Place) -> Result<Ran> {
    let limit =
        step.memory.map_or("unlimited".to_owned(), |mebibytes| (mebibytes << 10).to_string());
    let [work, home, temporary] = ["work", "home", "tmp"].map(|name| place.0.path().join(name));
    let stdin = step.stdin.as_ref().map(|name| File::open(work.join(name))).transpose()?;
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -c 0; ulimit -v \"$0\"; exec \"$@\"", &limit])
        .arg(nasc)
        .args(&step.args)
        .current_dir(&work)
        .env("HOME", home)
        .env("TMPDIR", temporary)
        .stdin(stdin.map_or_else(Stdio::null, Stdio::from))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn().context("sh cannot be started")?;
    let (out, err) = (read(child.stdout.take()), read(child.stderr.take()));
    let status = wait(&mut child, Duration::from_secs(step.seconds))?;
    let [first, second] = [&out, &err].map(|stream| stream.recv_timeout(GRACE).ok());
    let outlived = status.is_some() && (first.is_none() || second.is_none());
    if outlived {
        kill(&child);
    }
    Ok(Ran { status, out: first.unwrap_or_default(), err: second.unwrap_or_default(), outlived })
}

fn wait(child: &mut Child, time: Duration) -> Result<Option<ExitStatus>> {
    let deadline = Instant::now() + time;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            kill(child);
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(TICK);
    }
}

/// Kills the process group of a child.
fn kill(child: &Child) {
    let group = format!("kill -KILL -- -{}", child.id());
    let _ = Command::new("sh").args(["-c", &group]).stderr(Stdio::null()).status();
}

/// Reads a stream to its end, aside, and keeps its beginning.
fn read(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.by_ref().take(MOST_OUTPUT as u64 + 1).read_to_end(&mut bytes);
            let _ = io::copy(&mut stream, &mut io::sink());
        }
        let _ = sender.send(bytes);
    });
    receiver
}

/// What no command may do, whatever its input.
fn misbehaviour(step: &Step, ran: &Ran) -> Option<String> {
    let Some(status) = ran.status else {
        return Some(format!("it took more than {} s", step.seconds));
    };
    let said = String::from_utf8_lossy(&ran.err);
    if let Some(words) = CONFESSIONS.iter().find(|words| said.contains(*words)) {
        return Some(format!("it says \"{words}\""));
    }
    if let Some(signal) = status.signal() {
        return Some(format!("signal {signal} ended it"));
    }
    if status.code().is_none_or(|code| !CODES.contains(&code)) {
        return Some(format!("its exit code is {:?}", status.code()));
    }
    if ran.outlived {
        return Some("what it started lives on".to_owned());
    }
    let is_raw = step.is_raw && status.success();
    [("output", &ran.out, is_raw), ("error", &ran.err, false)]
        .into_iter()
        .find_map(|(stream, bytes, is_raw)| unreadable(stream, bytes, is_raw))
}

/// Why a stream is not for people.
fn unreadable(stream: &str, bytes: &[u8], is_raw: bool) -> Option<String> {
    if bytes.len() > MOST_OUTPUT {
        return Some(format!("standard {stream} is above {} MiB", MOST_OUTPUT >> 20));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Some(format!("standard {stream} is not UTF-8"));
    };
    let obeyed = |c: &char| {
        c.is_control() && !matches!(c, '\n' | '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found = text.chars().find(obeyed).filter(|_| !is_raw)?;
    Some(format!("standard {stream} has a raw {}", found.escape_unicode()))
}

/// What is wrong with the end of a command that behaved well.
fn wrong_end(step: &Step, ran: &Ran, expected: &Tree, after: &Tree) -> Option<String> {
    let is_done = ran.status.is_some_and(|status| status.success());
    if step.must_end_well && !is_done {
        return Some("it fails, and what came before it went well".to_owned());
    }
    let differs = |name: &&str| after.bytes(name) != expected.bytes(name);
    let other =
        expected.files().into_iter().find(differs).filter(|_| is_done && step.is_compared)?;
    Some(format!("`{other}` is silently another"))
}
