//! `nasc analyze`: exact figures of a whole space.

mod analysis;
mod front;
mod svg;

use std::path::PathBuf;

use clap::Args;

use crate::render::report::Failure;
use crate::render::stream;
use crate::services::input::{DropArgs, Input};
use crate::services::pick;
use crate::{out, outln};
pub use analysis::{Analysis, Required, Requirements, Spread};
pub use front::{Front, Pair};
pub use svg::Published;

/// Arguments of `nasc analyze`.
#[derive(Debug, Args)]
pub struct AnalyzeArgs {
    /// The file.
    pub file: PathBuf,
    /// Whether what the target cannot run is left out.
    #[command(flatten)]
    pub drop: DropArgs,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
    /// Intervals of the histograms in JSON.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub bins: u32,
    /// The Pareto front of two measures, such as macs,params.
    #[arg(long, value_name = "A,B")]
    pub front: Option<Pair>,
    /// Draw the distributions, the front (or the usual ones) and the layers into a folder.
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,
}

/// Exact figures of a whole space.
///
/// # Errors
/// The file is at fault, a front cannot be held, or a picture cannot be written.
pub fn run(args: &AnalyzeArgs) -> Result<(), Failure> {
    let asked = args.drop.of(&args.file);
    let ((space, published), verdict) = Input::examine(asked, |program, compiler| {
        let space = pick::space(program, compiler, args.space.as_deref())?;
        let published = args.svg.as_ref().map(|_| Published::of(program, compiler, &space));
        Ok((space, published.unwrap_or_default()))
    })?;
    let analysis = Analysis::of(&space);
    let front = args.front.map(|measures| Front::of(&space, measures)).transpose()?;
    if args.json {
        let mut value = analysis.to_json(args.bins as usize);
        if let (Some(value), Some(front)) = (value.as_object_mut(), &front) {
            value.insert("front".to_owned(), front.to_json());
        }
        stream::json(&value, true)?;
    } else {
        out!("{}", analysis.to_text())?;
        if let Some(front) = &front {
            out!("{}", front.to_text())?;
        }
    }
    if let Some(folder) = &args.svg {
        let drawn = svg::write(folder, &space, &analysis, &published, front.as_ref())?;
        if !args.json {
            outln!("\n{}: {}", folder.display(), drawn.join(", "))?;
        }
    }
    verdict
}
