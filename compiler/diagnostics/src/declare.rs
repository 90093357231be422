//! `diagnostics!`, which declares the diagnostics of a module.

/// Declares diagnostics: for each a struct with its own fields and those of a
/// [`Place`](crate::Place), and for all a list of their codes.
#[macro_export]
macro_rules! diagnostics {
    ($(
        $(#[doc = $doc:literal])+
        $severity:ident $name:ident [$code:path] $title:literal { $($field:ident : $type:ty),* $(,)? }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, thiserror::Error, miette::Diagnostic)]
            #[error($title)]
            #[diagnostic(code($code), severity($severity))]
            #[allow(missing_docs, reason = "the title says what each field is")]
            pub struct $name {
                $(pub $field: $type,)*
                #[source_code]
                pub source_code: nas_grammar::Source,
                #[label(collection)]
                pub labels: Vec<miette::LabeledSpan>,
                #[help]
                pub help: Option<String>,
                #[related]
                pub chain: Vec<$crate::CalledFrom>,
            }

            impl $name {
                pub(crate) fn at(
                    place: $crate::Place
                    $(, $field: impl Into<$type>)*
                ) -> nas_grammar::Problem {
                    let $crate::Shown { source: source_code, labels, help, fix, chain } =
                        place.shown();
                    let said = Self { $($field: $field.into(),)* source_code, labels, help, chain };
                    nas_grammar::Problem::new(said, fix)
                }
            }
        )+

        /// The codes of these diagnostics. Unless a list of the crate has them, this does not compile.
        #[deny(dead_code)]
        pub(crate) const CODES: &[nas_grammar::error::Code] = &[$(
            nas_grammar::error::Code {
                name: stringify!($code),
                severity: miette::Severity::$severity,
            }
        ),+];
    };
}
