//! Tells the caller what happens, and remembers that it said to stop.

use std::ops::ControlFlow;

use super::Halt;
use crate::evaluator::Step;
use crate::event::{Event, OnEvent, Work};

pub(super) struct Progress<'a> {
    on_event: OnEvent<'a>,
    stopped: bool,
}

impl<'a> Progress<'a> {
    pub(super) fn new(on_event: OnEvent<'a>) -> Self {
        Self { on_event, stopped: false }
    }

    pub(super) fn tell(&mut self, event: Event<'_>) {
        self.stopped |= (self.on_event)(event).is_break();
    }

    /// What a backend calls after each step of some work.
    pub(super) fn steps(&mut self, work: Work, number: u32) -> impl FnMut(Step) -> ControlFlow<()> {
        move |step| {
            self.tell(Event::Step { work, number, step });
            if self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }

    /// Stops here if the caller said so, also where a backend did not heed it.
    pub(super) fn check<E>(&self) -> Result<(), Halt<E>> {
        if self.stopped { Err(Halt::Interrupted) } else { Ok(()) }
    }
}
