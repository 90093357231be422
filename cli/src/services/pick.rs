//! What a command line means by a name: the space of a file, a network of it.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use nas_analysis::least_under;
use nas_diagnostics::nearest;
use nas_frontend::Compiler;
use nas_frontend::items::arch;
use nas_frontend::modules::Program;
use nas_frontend::session::NamedNetwork;
use nas_ir::{Assignment, Checked, Form, Limit, Measure, Network, Space};
use nas_passes::specialise;
use serde::Deserialize;

use super::draw::{draw, known_requirements, none_reads};
use super::input::{Asked, Examined, Input, as_in_run};
use super::provenance::Origin;
use super::source::io_reason;
use crate::render::report::Failure;

/// The space that a command works on: the one named, or the only one of the file.
///
/// # Errors
/// There is none of this name, or several to choose from.
pub fn space(
    program: &Program,
    compiler: &mut Compiler<'_, '_>,
    name: Option<&str>,
) -> Result<Arc<Checked<Space>>, Failure> {
    let name = pick(program, "space", "`--space`", name, &space_names(program))?;
    compiler.space(name, &[]).ok_or(Failure::Reported)
}

pub(super) fn space_names(program: &Program) -> Vec<&str> {
    program.spaces().map(|space| space.name.name.as_str()).collect()
}

/// The one of the main file that is named, or the only one there is; `by` says how to name one.
pub(super) fn pick<'a>(
    program: &Program,
    what: &str,
    by: &str,
    name: Option<&str>,
    names: &[&'a str],
) -> Result<&'a str, Failure> {
    if let Some(found) = names.iter().find(|found| Some(**found) == name) {
        return Ok(found);
    }
    let main = program.module(program.main());
    let file = main.map_or("the file", |main| main.source.name());
    match (name, names) {
        (Some(name), []) => Err(Failure::input(format!("{file} has no {what} `{name}`"))),
        (Some(name), names) => Err(Failure::input(format!(
            "{file} has no {what} `{name}`{}; it has {}",
            hint(name, names),
            names.join(", ")
        ))),
        (None, [only]) => Ok(only),
        (None, []) => Err(Failure::input(format!("{file} has no {what}"))),
        (None, names) => Err(Failure::input(format!(
            "{file} has several {what}s; pick one by {by}: {}",
            names.join(", ")
        ))),
    }
}

/// The name that was probably meant, in brackets.
fn hint(name: &str, among: &[&str]) -> String {
    let near = nearest(name, among.iter().copied());
    near.map_or(String::new(), |near| format!(" (did you mean `{near}`?)"))
}

/// Which network of a space a command is about.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// What `--arch` means.
    Named(&'a str),
    /// That of a file.
    Of(&'a Origin),
}

/// The network that is meant.
///
/// # Errors
/// There is none of this name, or the choices do not fit the space.
pub fn which<'p>(
    program: &'p Program,
    compiler: &mut Compiler<'p, '_>,
    space_name: Option<&str>,
    which: Which<'_>,
) -> Result<NamedNetwork, Failure> {
    match which {
        Which::Named(name) => network(program, compiler, space_name, name),
        Which::Of(Origin { file, space, choices }) => {
            let space_name = space_name.unwrap_or(space);
            chosen(program, compiler, Some(space_name), (file, choices))
        }
    }
}

/// The network of these choices, which are from a file.
fn chosen(
    program: &Program,
    compiler: &mut Compiler<'_, '_>,
    space_name: Option<&str>,
    (file, choices): (&str, &IndexMap<String, String>),
) -> Result<NamedNetwork, Failure> {
    let space = space(program, compiler, space_name)?;
    let assignment = arch::from_choices(&space, choices)
        .map_err(|misfit| Failure::input(format!("{file}: {misfit}")))?;
    Ok(NamedNetwork { space, assignment })
}

/// The network that `--arch` means: an `arch` item, a JSON file, `random:SEED`, uniformly from the
/// space, or `least:MEASURE` and `greatest:MEASURE`, at an end of it. A file in the folder of a run
/// is of the space of that run.
///
/// # Errors
/// It means none of them, or the file does not fit the space.
pub fn network<'p>(
    program: &'p Program,
    compiler: &mut Compiler<'p, '_>,
    space_name: Option<&str>,
    which: &str,
) -> Result<NamedNetwork, Failure> {
    if let Some(item) = program.archs().find(|item| item.name.name == which) {
        return compiler.named_network(item).ok_or(Failure::Reported);
    }
    if let Some(seed) = which.strip_prefix("random:") {
        let seed = seed.parse().map_err(|_| {
            Failure::input(format!("`{which}`: the seed is a whole number, such as random:1"))
        })?;
        let space = space(program, compiler, space_name)?;
        let assignment = draw(&space, seed)?.next().ok_or(Failure::Reported)??;
        return Ok(NamedNetwork { space, assignment });
    }
    if let Some((end @ ("least" | "greatest"), measure)) = which.split_once(':') {
        let space = space(program, compiler, space_name)?;
        let assignment = extreme(&space, end == "greatest", measure)?;
        return Ok(NamedNetwork { space, assignment });
    }
    if which.ends_with(".json") {
        as_in_run(compiler, Path::new(which).parent().unwrap_or(Path::new("")))?;
        return chosen(program, compiler, space_name, (which, &read_choices(which)?));
    }
    let names: Vec<&str> = program.archs().map(|item| item.name.name.as_str()).collect();
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(Failure::held(format!(
        "there is no network `{which}`{}: name an `arch` item of the file ({known}), a JSON file, random:SEED, or least:MEASURE",
        hint(which, &names)
    )))
}

/// As [`network`], of a file, with its place in the space.
///
/// # Errors
/// As [`network`], or the file is at fault.
pub fn named_network(
    asked: Asked<'_>,
    space: Option<&str>,
    which: &str,
) -> Result<(NamedNetwork, Network), Failure> {
    examined_network(asked, space, which).and_then(|(found, verdict)| verdict.map(|()| found))
}

/// As [`named_network`], with the verdict on the claims of the file: see [`Input::examine`].
///
/// # Errors
/// The file is at fault, or there is no such network.
pub fn examined_network(
    asked: Asked<'_>,
    space: Option<&str>,
    which: &str,
) -> Result<Examined<(NamedNetwork, Network)>, Failure> {
    Input::examine(asked, |program, compiler| {
        let named = self::network(program, compiler, space, which)?;
        let network = specialise(&named.space, &named.assignment);
        Ok((named, network))
    })
}

/// The network of the least or the greatest value of a measure, of all in the space.
fn extreme(
    space: &Checked<Space>,
    is_greatest: bool,
    measure: &str,
) -> Result<Assignment, Failure> {
    let sums = Measure::SUMS.map(Measure::name);
    let Some(measure) = Measure::named(measure).filter(|measure| measure.is_sum()) else {
        let (near, sums) = (hint(measure, &sums), sums.join(", "));
        return Err(Failure::input(format!(
            "`{measure}` is no sum of which the networks at the ends are known{near}: {sums} are"
        )));
    };
    if measure == Measure::Latency && space.device.latency.is_none() {
        return Err(Failure::held(format!("space `{}` has no latency table", space.name)));
    }
    let form = Form::multiple(measure, if is_greatest { -1 } else { 1 });
    let limits = known_requirements(space).map(|requirement| requirement.limit.clone());
    let found = least_under(space, &form, &limits.collect::<Vec<Limit>>());
    let found = found.map_err(|error| Failure::held(space.entanglement(&error)))?;
    let none = || match known_requirements(space).next() {
        Some(_) => Failure::held(format!("no network of `{}` keeps its requirements", space.name)),
        None => none_reads(space),
    };
    found.map(|best| best.assignment).ok_or_else(none)
}

/// The candidate of each decision, from a JSON file that holds them or has them as its `choices`,
/// as a line of `nasc sample` and the result of a run do.
fn read_choices(file: &str) -> Result<IndexMap<String, String>, Failure> {
    let text = nas_files::read_to_string(Path::new(file))
        .map_err(|error| Failure::input(format!("{file}: {}", io_reason(&error))))?;
    let misfit = |error: serde_json::Error| {
        Failure::input(format!(
            "{file} is not one JSON object of decisions and candidates: {error}"
        ))
    };
    let whole: serde_json::Value = serde_json::from_str(&text).map_err(misfit)?;
    let choices = whole.get("choices").filter(|choices| choices.is_object());
    IndexMap::deserialize(choices.unwrap_or(&whole)).map_err(misfit)
}
