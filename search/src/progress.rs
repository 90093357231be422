//! Tells the caller what happens, and remembers that it said to stop.

use std::ops::ControlFlow;

use crate::evaluator::{Halt, Step};
use crate::event::{Event, OnEvent, StepKind};

/// The caller of a run, who is told what happens and may say to stop.
pub struct Progress<'a> {
    on_event: OnEvent<'a>,
    stopped: bool,
}

impl<'a> Progress<'a> {
    /// One that calls this with each event.
    pub fn new(on_event: OnEvent<'a>) -> Self {
        Self { on_event, stopped: false }
    }

    /// Tells an event.
    pub fn tell(&mut self, event: Event<'_>) {
        self.stopped |= (self.on_event)(event).is_break();
    }

    /// What a backend calls after each step of some work.
    pub fn steps(&mut self, kind: StepKind, number: u32) -> impl FnMut(Step) -> ControlFlow<()> {
        move |step| {
            self.tell(Event::Step { kind, number, step });
            if self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }

    /// What an evaluator calls while it tries networks.
    pub fn beats(&mut self) -> impl FnMut(Option<(u32, Step)>) -> ControlFlow<()> {
        move |beat| {
            self.tell(match beat {
                Some((number, step)) => Event::Step { kind: StepKind::Score, number, step },
                None => Event::Waiting,
            });
            if self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }

    /// Stops here if the caller said so, also where a backend did not heed it.
    ///
    /// # Errors
    /// It is stopped.
    pub fn check(&self) -> Result<(), Halt> {
        if self.stopped { Err(Halt::Interrupted) } else { Ok(()) }
    }
}
