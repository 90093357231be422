//! Any bytes as a file: the compiler reports or compiles them, and never panics.
#![no_main]

#[path = "../../compiler/tests/common/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exercise::exercise(bytes));
