//! `nasc explain`: the page of a diagnostic's code.

use clap::Args;

use crate::out;
use crate::render::report::Failure;

/// Arguments of `nasc explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code of a diagnostic, such as nas::shape::groups.
    pub code: String,
}

/// The page of a diagnostic's code.
///
/// # Errors
/// There is no such code.
pub fn run(args: &ExplainArgs) -> Result<(), Failure> {
    match nas_grammar::reference::error_page(&args.code) {
        Some(page) => {
            out!("{page}")
        }
        None => {
            let codes = nas_grammar::reference::error_codes();
            let hint = match probable_code(&args.code, &codes) {
                Some(code) => format!("did you mean {code}?"),
                None => "a code stands above each report, such as nas::shape::groups".to_owned(),
            };
            Err(Failure::input(format!("there is no code `{}`; {hint}", args.code)))
        }
    }
}

/// The code that was meant: by its last part alone, or misspelt.
fn probable_code<'c>(given: &str, codes: &'c [String]) -> Option<&'c str> {
    let mut codes = codes.iter().map(String::as_str);
    let ends = |code: &&str| code.rsplit("::").next() == Some(given);
    codes.clone().find(ends).or_else(|| nas_diagnostics::nearest(given, &mut codes))
}
