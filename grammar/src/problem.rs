//! A problem: what is said of it, and the edit that cures it.

use std::fmt;
use std::ops::Deref;

use miette::Diagnostic;

use crate::fix::Fix;

/// One diagnostic, whatever phase raised it, with the edit that cures it where there is one.
pub struct Problem {
    said: Box<dyn Diagnostic + Send + Sync>,
    fix: Option<Box<Fix>>,
}

impl Problem {
    /// A diagnostic, whose help says what the edit is.
    pub fn new(said: impl Diagnostic + Send + Sync + 'static, fix: Option<Fix>) -> Self {
        Self { said: Box::new(said), fix: fix.map(Box::new) }
    }

    /// The edit that cures it.
    #[must_use]
    pub fn fix(&self) -> Option<&Fix> {
        self.fix.as_deref()
    }
}

impl<D: Diagnostic + Send + Sync + 'static> From<D> for Problem {
    fn from(said: D) -> Self {
        Self::new(said, None)
    }
}

impl Deref for Problem {
    type Target = dyn Diagnostic + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.said
    }
}

impl AsRef<dyn Diagnostic + Send + Sync> for Problem {
    fn as_ref(&self) -> &(dyn Diagnostic + Send + Sync + 'static) {
        &*self.said
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem").field("said", &self.said).field("fix", &self.fix).finish()
    }
}

/// The title.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.said, f)
    }
}
