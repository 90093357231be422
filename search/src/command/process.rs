//! A command at work. It ends with all that it started: when its time is over, when the run is stopped, and
//! when this process ends in whatever way.

use std::fs::File;
use std::io;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

#[cfg(unix)]
use process_wrap::std::ProcessSession;
use process_wrap::std::{ChildWrapper, CommandWrap};

use super::printed::{Printed, listen};

/// How long a command that has ended is listened to: what it started and let go may keep the pipe.
const REST: Duration = Duration::from_secs(1);

/// A command that was started.
pub(super) struct Process {
    child: Box<dyn ChildWrapper>,
    printed: Receiver<Printed>,
    deadline: Instant,
    timeout: Duration,
    /// Whether it has ended: then its number may be that of another.
    is_over: bool,
    #[cfg(unix)]
    _guard: guard::Guard,
}

impl Process {
    /// Starts a command in a session of its own, so that what it starts can be ended with it. What it prints
    /// goes to the log, and what is an object also to a file of these.
    ///
    /// # Errors
    /// The system cannot start it.
    pub(super) fn start(
        mut command: Command,
        log: File,
        objects: File,
        timeout: Duration,
    ) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.try_clone()?);
        let mut command = CommandWrap::from(command);
        #[cfg(unix)]
        command.wrap(ProcessSession);
        let mut child = command.spawn()?;
        #[cfg(unix)]
        let guard = guard::Guard::of(child.id()).inspect_err(|_| end(&mut *child))?;
        let (sender, printed) = channel();
        if let Some(pipe) = child.stdout().take() {
            std::thread::spawn(move || listen(pipe, log, objects, &sender));
        }
        let deadline = Instant::now() + timeout;
        Ok(Self {
            child,
            printed,
            deadline,
            timeout,
            is_over: false,
            #[cfg(unix)]
            _guard: guard,
        })
    }

    /// Whether it has ended, and if so, how: the inner error says what went wrong, in words that follow "it".
    /// Nothing that it started is left then.
    pub(super) fn ended(&mut self) -> Option<Result<(), String>> {
        let ended = match self.child.try_wait() {
            Ok(Some(status)) => as_told(status),
            Ok(None) if Instant::now() < self.deadline => return None,
            Ok(None) => Err(format!("took longer than {} s", self.timeout.as_secs())),
            Err(error) => Err(format!("was lost: {error}")),
        };
        end(&mut *self.child);
        self.is_over = true;
        Some(ended)
    }

    /// What it has printed since this was asked for last.
    pub(super) fn printed(&self) -> Vec<Printed> {
        self.printed.try_iter().collect()
    }

    /// What it has printed since then, after it has ended.
    pub(super) fn rest(&self) -> Vec<Printed> {
        let deadline = Instant::now() + REST;
        let mut rest = Vec::new();
        loop {
            match self.printed.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(printed) => rest.push(printed),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return rest,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_over {
            end(&mut *self.child);
        }
    }
}

/// Ends a command, and what is left of what it started.
fn end(child: &mut dyn ChildWrapper) {
    let _ = child.start_kill();
    let _ = child.wait();
}

/// How a command ended that failed.
fn as_told(status: ExitStatus) -> Result<(), String> {
    if status.success() { Ok(()) } else { Err(format!("failed ({status})")) }
}

#[cfg(unix)]
mod guard {
    //! What ends a command if this process is killed: a shell that waits at a pipe, which the system closes
    //! then. (A signal at the death of the parent, which Linux has, reaches only the first process of
    //! a command, and is set where no safe code can.)

    use std::io;
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};

    const SCRIPT: &str = "read -r _; kill -s KILL -- \"-$1\"";

    pub(super) struct Guard(Child);

    impl Guard {
        /// That of a group of processes.
        pub(super) fn of(group: u32) -> io::Result<Self> {
            let mut command = Command::new("sh");
            command.args(["-c", SCRIPT, "sh", &group.to_string()]);
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            // Ctrl-C in a terminal is not for it.
            command.process_group(0);
            command.spawn().map(Self)
        }
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}
