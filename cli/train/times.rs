//! How long a run will take, in words.

use nas_search::regime::Times;
use nasc::render::report::counted;

use crate::pace::shown;

/// A line: the whole, and its parts.
#[must_use]
pub(crate) fn line(times: &Times) -> String {
    let Times { learning, scoring, trials, retraining } = times;
    let parts = [
        (learning, "for", "epoch", " of the supernet"),
        (scoring, "to score", "network", ""),
        (trials, "to train", "network", ""),
        (retraining, "for", "epoch", " of the retraining"),
    ];
    let parts = parts.into_iter().filter(|((count, _), ..)| *count > 0);
    let parts = parts.map(|((count, time), verb, what, of)| {
        format!("{} {verb} {}{of}", shown(*time), counted(*count as usize, what))
    });
    let parts: Vec<String> = parts.collect();
    format!("time: about {}: {}", shown(times.whole()), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_a_run_lacks_is_not_told() {
        let seconds = Duration::from_secs;
        let times = Times {
            learning: (5, seconds(45)),
            scoring: (48, seconds(8)),
            trials: (0, seconds(0)),
            retraining: (1, seconds(3605)),
        };
        assert_eq!(
            line(&times),
            "time: about 61 min: 45 s for 5 epochs of the supernet, 8 s to score 48 networks, 61 min for 1 epoch of the \
             retraining"
        );
    }
}
