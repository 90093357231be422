//! How work is told to people: a bar on a terminal, elsewhere a line from time to time; and Ctrl-C, which stops it.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use nas_grammar::{visible, visible_name};

use super::report::Failure;
use super::terminal::has_cursor;
use crate::tell;

/// Where there is no bar, so long after the last line there is another one.
const EVERY: Duration = Duration::from_secs(30);
/// How many bars look at whether Ctrl-C was pressed.
static LOOKING: AtomicUsize = AtomicUsize::new(0);

/// Tells work on standard error, and looks at whether Ctrl-C was pressed as long as it is there.
pub struct Bar {
    /// None where standard error is no terminal.
    bar: Option<ProgressBar>,
    /// When the last line was told.
    told: Cell<Instant>,
    stop: Arc<AtomicBool>,
}

impl Bar {
    /// A bar that stops the work at Ctrl-C.
    ///
    /// # Errors
    /// The system takes no handler.
    pub fn new() -> Result<Self, Failure> {
        Self::with("{msg:28} {wide_bar} {pos}/{len}")
    }

    /// A bar that also says how long the rest takes.
    ///
    /// # Errors
    /// As [`Bar::new`].
    pub fn with_rest() -> Result<Self, Failure> {
        Self::with("{msg:28} {wide_bar} {pos}/{len}, {eta} left")
    }

    fn with(template: &str) -> Result<Self, Failure> {
        let bar = has_cursor().then(|| {
            let bar = ProgressBar::no_length();
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        let stop = interrupt()?;
        LOOKING.fetch_add(1, Ordering::Relaxed);
        Ok(Self { bar, told: Cell::new(Instant::now()), stop })
    }

    /// Whether Ctrl-C was pressed.
    pub fn flow(&self) -> ControlFlow<()> {
        if self.stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// A line.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(visible(text)),
            None => tell!("{text}"),
        }
        self.told.set(Instant::now());
    }

    /// Where the work stands.
    pub fn step(&self, what: &str, done: usize, of: usize) -> ControlFlow<()> {
        self.step_or(what, done, of, || format!("{what}: {done}/{of}"))
    }

    /// Where the work stands; where there is no bar, in the words of a line.
    pub fn step_or(
        &self,
        what: &str,
        done: usize,
        of: usize,
        line: impl FnOnce() -> String,
    ) -> ControlFlow<()> {
        if let Some(bar) = &self.bar {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
            bar.set_message(visible_name(what).into_owned());
        }
        self.wait(line)
    }

    /// The work goes on; where there is no bar, that is told in a line, if it is time for one.
    pub fn wait(&self, line: impl FnOnce() -> String) -> ControlFlow<()> {
        if self.bar.is_none() && is_due(self.told.get(), Instant::now()) {
            self.line(&line());
        }
        self.flow()
    }

    /// No more steps.
    pub fn finish(self) {}
}

impl Drop for Bar {
    fn drop(&mut self) {
        LOOKING.fetch_sub(1, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Whether it is time for a line, so long after the last.
fn is_due(told: Instant, now: Instant) -> bool {
    now.saturating_duration_since(told) >= EVERY
}

/// Set by Ctrl-C. A second one, and one that no bar looks at, ends the process at once, which leaves every
/// file whole too.
fn interrupt() -> Result<Arc<AtomicBool>, Failure> {
    static STOP: OnceLock<Result<Arc<AtomicBool>, String>> = OnceLock::new();
    let stop = STOP.get_or_init(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let handler = move || {
            if flag.swap(true, Ordering::Relaxed) || LOOKING.load(Ordering::Relaxed) == 0 {
                // Without what libtorch does at an ordinary end, while others still compute with it.
                signal_hook::low_level::exit(130);
            }
            tell!("stopping after this step …");
        };
        ctrlc::set_handler(handler).map(|()| stop).map_err(|error| error.to_string())
    });
    stop.clone().map_err(|error| Failure::input(format!("cannot handle Ctrl-C: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_half_a_minute_after_the_last() {
        let told = Instant::now();
        assert!(!is_due(told, told + Duration::from_secs(29)));
        assert!(is_due(told, told + Duration::from_secs(30)));
    }
}
