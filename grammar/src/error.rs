//! What the parser reports.

use miette::{Diagnostic, LabeledSpan, Severity, SourceSpan};
use thiserror::Error;

use crate::source::Source;

/// What a diagnostic is called, and how bad is what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code: `nas::parse::syntax`.
    pub name: &'static str,
    /// Whether it is an error or a warning.
    pub severity: Severity,
}

/// Declares errors, and lists their codes.
macro_rules! errors {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident [$code:path] $title:literal $(help $help:literal)? {
            $( $(#[$attribute:meta])* $field:ident : $type:ty, )+
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Error, Diagnostic)]
            #[error($title)]
            #[diagnostic(code($code) $(, help($help))?)]
            pub struct $name {
                $( $(#[$attribute])* pub $field: $type, )+
            }
        )+

        /// The codes of the parser.
        pub const CODES: &[Code] =
            &[$(Code { name: stringify!($code), severity: Severity::Error }),+];
    };
}

errors! {
    /// The text does not follow the grammar.
    Syntax [nas::parse::syntax] "{title}" {
        /// What could have stood there, in words.
        title: String,
        /// The file.
        #[source_code]
        source_code: Source,
        /// Where, with what stands there, and the bracket that is not closed.
        #[label(collection)]
        labels: Vec<LabeledSpan>,
        /// What helps, where something is likely.
        #[help]
        help: Option<String>,
    }

    /// Brackets, or operators of one expression, beyond what a reader or a stack can take.
    Nesting [nas::parse::nesting] "{what} more than {limit} deep" help "{help}" {
        /// What is too deep.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// What helps.
        help: &'static str,
        /// The file.
        #[source_code]
        source_code: Source,
        /// Where.
        #[label("the limit is passed here")]
        at: SourceSpan,
    }

    /// The file is larger than a file of this language ever is.
    TooLarge [nas::parse::too_large] "{name} has more than {limit} bytes"
    help "split it into files and `use` them" {
        /// The file's name.
        name: String,
        /// The limit.
        limit: usize,
    }

    /// The file is not text.
    NotUtf8 [nas::parse::not_utf8] "{name} is not UTF-8 text"
    help "save it as UTF-8; the first invalid byte is at offset {offset}, in line {line}" {
        /// The file's name.
        name: String,
        /// Offset of the first byte that is not UTF-8.
        offset: usize,
        /// Its line, from 1.
        line: usize,
        /// The file, with a mark in place of what is not UTF-8.
        #[source_code]
        source_code: Source,
        /// The first mark.
        #[label("not UTF-8")]
        at: SourceSpan,
    }
}
