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

/// Takes the most KiB of address space, the most seconds of a processor, and a command.
const LIMITED: &str = "ulimit -c 0; ulimit -v \"$0\"; ulimit -S -t \"$1\"; shift; exec \"$@\"";
/// How a system ends what takes a processor too long.
const TOO_LONG: (i32, &str) = (24, "SIGXCPU");
/// So many times as long may a command take by the clock, as other programs use the processors.
const PATIENCE: u32 = 20;
/// How often it is looked whether a command has ended.
const TICK: Duration = Duration::from_millis(1);
/// How long what a command started may hold its streams after its end.
const GRACE: Duration = Duration::from_secs(5);
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
        .args(["-c", LIMITED, &limit, &step.seconds.to_string()])
        .arg(nasc)
        .args(&step.args)
        .current_dir(&work)
        .env("HOME", home)
        .env("TMPDIR", temporary)
        .stdin(stdin.map_or_else(Stdio::null, Stdio::from))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let most = (step.output << 20) + 1;
    let mut child = command.spawn().context("sh cannot be started")?;
    let (out, err) = (read(child.stdout.take(), most), read(child.stderr.take(), most));
    let status = wait(&mut child, PATIENCE * Duration::from_secs(step.seconds))?;
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
    let group = format!("kill -s KILL -- -{}", child.id());
    let _ = Command::new("sh").args(["-c", &group]).stderr(Stdio::null()).status();
}

/// Reads a stream to its end, aside, and keeps so many bytes.
fn read(stream: Option<impl Read + Send + 'static>, most: u64) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.by_ref().take(most).read_to_end(&mut bytes);
            let _ = io::copy(&mut stream, &mut io::sink());
        }
        let _ = sender.send(bytes);
    });
    receiver
}

/// What no command may do, whatever its input.
fn misbehaviour(step: &Step, ran: &Ran) -> Option<String> {
    let Some(status) = ran.status else {
        return Some(format!("it took more than {PATIENCE} times {} s", step.seconds));
    };
    let said = String::from_utf8_lossy(&ran.err);
    let (signal, name) = TOO_LONG;
    if status.signal() == Some(signal) || said.contains(name) {
        return Some(format!("it took a processor more than {} s", step.seconds));
    }
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
        .find_map(|(stream, bytes, is_raw)| unreadable(stream, bytes, step.output, is_raw))
}

/// Why a stream is not for people.
fn unreadable(stream: &str, bytes: &[u8], most: u64, is_raw: bool) -> Option<String> {
    if bytes.len() as u64 > most << 20 {
        return Some(format!("standard {stream} is above {most} MiB"));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found of a `nasc` that does this in a folder with a file `in`.
    fn found(does: &str, step: Step) -> Option<String> {
        let case = Case {
            files: Tree::default().with("in", "it"),
            steps: vec![Step { args: vec!["-c".to_owned(), does.to_owned()], ..step }],
            expected: Tree::default().with("out", "right"),
        };
        super::case(Path::new("sh"), &case).unwrap().fault.map(|fault| fault.what)
    }

    #[test]
    fn what_is_no_fault() {
        let step = || Step::quick("");
        assert_eq!(found("echo ä; echo error >&2; exit 1", step()), None);
        assert_eq!(found("printf '\\033'", step().raw()), None);
        assert_eq!(found("printf right > out; echo > in", step().writes("out").writes("in")), None);
        assert_eq!(found("printf right > out", step().writes("out").compared()), None);
        assert_eq!(found("exit 1", step().compared()), None);
    }

    #[test]
    fn what_is_a_fault() {
        let cases = [
            ("kill -SEGV $$", "signal 11 ended it"),
            ("exit 70", "its exit code is Some(70)"),
            ("echo 'a fault of nasc' >&2; exit 1", "it says \"a fault of nasc\""),
            ("printf '\\377'", "standard output is not UTF-8"),
            ("printf '\\033' >&2", "standard error has a raw \\u{1b}"),
            ("head -c 5000000 /dev/zero | tr '\\0' x", "standard output is above 4 MiB"),
            ("echo > in", "`in` was changed, and nothing asked for that"),
            ("echo > new", "`new` was changed, and nothing asked for that"),
            ("rm ../outside.txt", "`outside.txt` outside its folder was touched, or left behind"),
            ("echo > $TMPDIR/a", "`tmp/a` outside its folder was touched, or left behind"),
        ];
        for (does, what) in cases {
            assert_eq!(found(does, Step::quick("")).as_deref(), Some(what), "{does}");
        }
        let late = || Step { seconds: 1, ..Step::quick("") };
        let what = Some("it took a processor more than 1 s");
        assert_eq!(found("while :; do :; done", late()).as_deref(), what);
        assert_eq!(found("echo SIGXCPU >&2; exit 1", late()).as_deref(), what);
        let idle = Step { seconds: 0, ..Step::quick("") };
        let what = Some("it took more than 20 times 0 s");
        assert_eq!(found("exec sleep 60", idle).as_deref(), what);
        let limited = Step { memory: Some(64), ..Step::quick("") }.must_end_well();
        assert_eq!(found("[ $(ulimit -v) = 65536 ]", limited), None);
        let other = found("printf wrong > out", Step::quick("").writes("out").compared());
        assert_eq!(other.as_deref(), Some("`out` is silently another"));
        let failed = found("exit 1", Step::quick("").must_end_well());
        assert_eq!(failed.as_deref(), Some("it fails, and what came before it went well"));
    }
}
