//! `nasc fmt`: files in canonical layout.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::render::report::Failure;
use crate::render::stream::write_out;
use crate::services::files::write_whole;
use crate::services::folders::files_of;
use crate::services::source::{is_stdin, read_source};

/// Arguments of `nasc fmt`.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// The files; a folder means the `.nas` files in it and in its folders but those of runs, `-` standard input, which
    /// is written to standard output.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Change nothing; fail if a file is not in canonical layout.
    #[arg(long)]
    pub check: bool,
}

/// Brings files into canonical layout; all that can be, also where one cannot.
///
/// # Errors
/// A file cannot be read or parsed, or, with `--check`, is not in canonical layout.
pub fn run(args: &FmtArgs) -> Result<(), Failure> {
    let mut failed = false;
    for path in &files_of(&args.files)? {
        if let Err(failure) = format_file(path, args.check) {
            let _ = failure.report();
            failed = true;
        }
    }
    if failed { Err(Failure::Reported) } else { Ok(()) }
}

fn format_file(path: &Path, check: bool) -> Result<(), Failure> {
    let source = read_source(path)?;
    let formatted = nas_grammar::format::format(&source).map_err(Failure::Problems)?;
    let is_done = formatted == **source.text();
    if check && !is_done {
        let name = source.name();
        let how =
            if is_stdin(path) { String::new() } else { format!(": `nasc fmt {}`", path.display()) };
        return Err(Failure::input(format!("{name} is not in canonical layout{how}")));
    }
    if is_stdin(path) && !check {
        return write_out(&formatted);
    }
    if is_done {
        return Ok(());
    }
    write_whole(path, formatted.as_bytes())
}
