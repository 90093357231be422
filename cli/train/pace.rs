//! How long the rest of a phase takes.

use std::time::{Duration, Instant};

/// How fast a phase goes on: its epochs, or the networks that it tries.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Where this process took it up, and when.
    before: u32,
    began: Instant,
    /// How many are done, and when the last one was.
    done: u32,
    last: Instant,
    of: u32,
}

impl Pace {
    /// Of a phase of so many, of which some are done.
    pub(crate) fn new(done: u32, of: u32, now: Instant) -> Self {
        Self { before: done, began: now, done, last: now, of }
    }

    /// So many are done now.
    pub(crate) fn advance(&mut self, done: u32, of: u32, now: Instant) {
        (self.done, self.of, self.last) = (done, of, now);
    }

    /// How many there are in all, as far as it is known.
    pub(crate) fn of(&self) -> u32 {
        self.of
    }

    /// How many are still to be done.
    pub(crate) fn left_to_do(&self) -> u32 {
        self.of.saturating_sub(self.done)
    }

    /// "3/40", the one that is under way.
    pub(crate) fn place(&self) -> String {
        format!("{}/{}", self.done.saturating_add(1).min(self.of), self.of)
    }

    /// What the rest takes, if it goes on as it did: "12 min left". None before the first is done.
    pub(crate) fn left(&self, now: Instant) -> Option<String> {
        let done = self.done.checked_sub(self.before).filter(|&done| done > 0)?;
        let each = self.last.saturating_duration_since(self.began) / done;
        let rest = each.saturating_mul(self.left_to_do());
        let rest = rest.saturating_sub(now.saturating_duration_since(self.last));
        Some(format!("{} left", shown(rest)))
    }
}

/// A time in the largest units that tell it.
pub(crate) fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6000 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_as_fast_as_what_was_done() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut pace = Pace::new(10, 40, began);
        assert_eq!((pace.left(at(60)), pace.place()), (None, "11/40".to_owned()));
        pace.advance(15, 40, at(100));
        // Five took 100 s, so that 25 take 500 s, of which 20 are over.
        assert_eq!(pace.left(at(120)), Some("8 min left".to_owned()));
        assert_eq!(pace.place(), "16/40");
        pace.advance(40, 40, at(600));
        assert_eq!(
            (pace.left(at(700)), pace.place()),
            (Some("0 s left".to_owned()), "40/40".to_owned())
        );
        assert_eq!(shown(Duration::from_secs(3 * 3600 + 120)), "3 h 2 min");
    }
}
