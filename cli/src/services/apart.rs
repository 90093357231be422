//! Work in a process of its own: what ends that process does not end this one.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::source::io_reason;
use crate::render::line::cut;

/// How often it is looked whether the process has ended.
const TICK: Duration = Duration::from_millis(2);
/// The most bytes of an answer.
const MAX_ANSWER: u64 = 256 << 20;
/// The most bytes that are kept of what it says of its end, and the most characters that are told.
const MAX_WORDS: u64 = 1 << 16;
const TOLD: usize = 300;

/// What a process writes to standard output, if it ends well, and in time.
///
/// # Errors
/// It cannot be started, ends early, or takes too long; in words that follow "its process".
pub(crate) fn answer(mut command: Command, time: Duration) -> Result<Vec<u8>, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let spawned = command.spawn();
    let mut child = spawned.map_err(|error| format!("cannot be started: {}", io_reason(&error)))?;
    // It lives as long as this pipe: no longer than this process, however that ends.
    let alive = child.stdin.take();
    let out = read(child.stdout.take(), MAX_ANSWER);
    let err = read(child.stderr.take(), MAX_WORDS);
    let ended = wait(&mut child, time);
    drop(alive);
    let text = |pipe: JoinHandle<Vec<u8>>| pipe.join().unwrap_or_default();
    let (out, err) = (text(out), text(err));
    match ended? {
        status if status.success() => Ok(out),
        status => {
            let words = String::from_utf8_lossy(&err);
            let words = match cut(why(&words), TOLD) {
                words if words.is_empty() => words,
                words => format!(": {words}"),
            };
            Err(format!("ended early ({status}){words}"))
        }
    }
}

/// The line that says why a process ended: the first, which a trace of calls may follow; of Python, whose trace comes
/// before, the last.
fn why(words: &str) -> &str {
    let mut lines = words.lines().filter(|line| !line.trim().is_empty());
    let line = if words.contains("Traceback (most recent call last)") {
        lines.next_back()
    } else {
        lines.next()
    };
    line.unwrap_or_default()
}

fn wait(child: &mut Child, time: Duration) -> Result<ExitStatus, String> {
    let deadline = Instant::now() + time;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(TICK),
            late => {
                let _ = child.kill();
                let _ = child.wait();
                let lost = late.err().map(|error| format!("was lost: {error}"));
                return Err(lost.unwrap_or_else(|| format!("took longer than {time:?}")));
            }
        }
    }
}

/// Reads a pipe to its end, aside, and keeps its beginning.
fn read(pipe: Option<impl Read + Send + 'static>, most: u64) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.by_ref().take(most).read_to_end(&mut bytes);
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
        bytes
    })
}

/// Begins the work of such a process: it ends with the one that started it, takes no more memory
/// than this, where the system can see to that (Linux can), and leaves no image of its memory.
pub(crate) fn begin(memory: u64) {
    limit(memory);
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(crate::render::report::EXIT_BUG.into());
    });
}

#[cfg(target_os = "linux")]
fn limit(memory: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    for (resource, most) in [(Resource::As, memory), (Resource::Core, 0)] {
        let maximum = getrlimit(resource).maximum;
        let current = Some(maximum.map_or(most, |maximum| maximum.min(most)));
        // What cannot be limited goes without.
        let _ = setrlimit(resource, Rlimit { current, maximum });
    }
}

#[cfg(not(target_os = "linux"))]
fn limit(_: u64) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(text: &str, time: Duration) -> Result<String, String> {
        let mut command = Command::new("sh");
        command.args(["-c", text]);
        answer(command, time).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn how_a_process_ended_is_told() {
        let minute = Duration::from_secs(60);
        assert_eq!(shell("echo 5; echo more >&2", minute).unwrap(), "5\n");
        let ended = shell("echo 5; echo no memory >&2; kill -ABRT $$", minute).unwrap_err();
        assert!(ended.starts_with("ended early (signal: 6 (SIGABRT)"), "{ended}");
        assert!(ended.ends_with(": no memory"), "{ended}");
        let python = "echo Traceback '(most recent call last)': >&2; echo no module >&2; exit 1";
        assert!(shell(python, minute).unwrap_err().ends_with(": no module"));
        assert_eq!(shell("exit 3", minute).unwrap_err(), "ended early (exit status: 3)");
        let nothing = answer(Command::new("./nowhere"), minute).unwrap_err();
        assert_eq!(nothing, "cannot be started: there is no such file");
        let began = Instant::now();
        let late = shell("exec sleep 60", Duration::from_millis(50)).unwrap_err();
        assert!(late == "took longer than 50ms" && began.elapsed() < minute / 2, "{late}");
    }

    #[test]
    fn a_process_is_heard_to_its_end() {
        let text = shell("seq 100000", Duration::from_secs(60)).unwrap();
        assert!(text.ends_with("\n100000\n"));
    }
}
