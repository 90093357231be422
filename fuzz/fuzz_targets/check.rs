//! Any bytes as a file: the compiler reports or compiles them, and neither panics nor hangs.
#![no_main]

use std::time::Duration;

use nas_testing::exercise::exercise_within;

/// What an input may take of one processor: a second, were it not for the counters of libFuzzer and
/// for what other programs take from the caches.
const LONGEST: Duration = Duration::from_secs(5);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exercise_within(LONGEST, bytes));
