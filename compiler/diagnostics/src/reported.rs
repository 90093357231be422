//! Evidence that something was reported.

/// Evidence that an error was reported. What is missing because of it may stay silent, and nothing
/// else may: a value that is missing holds one of these, so that no statement can vanish without a
/// word (as `ErrorGuaranteed` of rustc).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported(());

impl Reported {
    /// For an error that did not go through [`Problems::error`](crate::Problems::error) here: an
    /// earlier phase found it, or it is kept back and pushed later.
    #[must_use]
    pub fn elsewhere() -> Self {
        Self(())
    }
}
