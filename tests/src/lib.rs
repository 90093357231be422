//! End-to-end, golden, differential and diagnostic tests, and what they share.

/// Phases of which every code has a case in `ui/` and an example on its page.
pub const PHASES: [&str; 14] = [
    "parse", "names", "eval", "args", "shape", "choice", "space", "limits", "arch", "expect",
    "recipe", "require", "target", "latency",
];

/// Codes of these phases that no text of a file alone raises: two that have tests of their own, and
/// those of `nasc latency`, which `cli/tests/latency.rs` tests.
pub const ELSEWHERE: [&str; 12] = [
    "nas::parse::too_large",
    "nas::recipe::override_form",
    "nas::latency::answer",
    "nas::latency::engine",
    "nas::latency::environment",
    "nas::latency::figures",
    "nas::latency::format",
    "nas::latency::lacking",
    "nas::latency::mixed",
    "nas::latency::plan",
    "nas::latency::refused",
    "nas::latency::runner",
];
