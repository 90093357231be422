//! `--svg`: pictures of a whole space.

mod distribution;
mod front;
mod layers;
mod published;
mod words;

use std::path::Path;

use nas_ir::{Checked, Measure, Space};

use super::analysis::Analysis;
use super::front::{Front, Pair};
use crate::render::plot::Page;
use crate::render::report::Failure;
use crate::services::files::write_whole;
pub use published::Published;

/// Draws all pictures into a folder, and returns their names: the distributions, the front that was
/// asked for or the usual ones, the layers. What the decisions are too entangled for is left out.
///
/// # Errors
/// A file cannot be written.
pub(super) fn write(
    folder: &Path,
    space: &Checked<Space>,
    analysis: &Analysis,
    published: &Published,
    asked: Option<&Front>,
) -> Result<Vec<String>, Failure> {
    let usual = [Pair(Measure::Macs, Measure::Params), Pair(Measure::Latency, Measure::Macs)];
    let usual: Vec<Front> = match asked {
        Some(_) => Vec::new(),
        None => usual.into_iter().filter_map(|pair| Front::of(space, pair).ok()).collect(),
    };
    let fronts = asked.into_iter().chain(&usual).map(|front| {
        let Pair(a, b) = front.measures;
        let page = front::page(space, analysis, published, front);
        (format!("front_{}_{}.svg", a.name(), b.name()), page)
    });
    let distribution = distribution::page(analysis, published);
    let pages = distribution.map(|page| ("distribution.svg".to_owned(), page)).into_iter();
    let measures: &[Measure] = if space.device.latency.is_some() {
        &[Measure::Latency, Measure::Macs]
    } else {
        &[Measure::Macs]
    };
    let layers = layers::page(space, measures).map(|page| ("layers.svg".to_owned(), page));
    let pages: Vec<(String, Page)> = pages.chain(fronts).chain(layers).collect();
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::input(format!("cannot make {}: {error}", folder.display())))?;
    for (name, page) in &pages {
        write_whole(&folder.join(name), page.svg().as_bytes())?;
    }
    Ok(pages.into_iter().map(|(name, _)| name).collect())
}
