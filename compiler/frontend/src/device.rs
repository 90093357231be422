//! What a space takes from its target: what its item says, and the latency table that it names.

use std::path::Path;

use nas_analysis::latency::{Table, Unmeasured, measured};
use nas_diagnostics::{Fix, Help, Place, Problems, diagnostics};
use nas_grammar::ast::{self, Ident};
use nas_grammar::{Problem, Source};
use nas_ir::device::Device;
use nas_ir::{Checked, Measure, Precision, Space};

use crate::context::Context;
use crate::feasible::{self, NoTable, Untimed};
use crate::items::target::{self, TablePath, Target};
use crate::modules::{LoadError, ModuleId};

diagnostics! {
    /// A file that cannot be read, or is no table.
    Error UnreadableTable [nas::latency::table] "cannot read latency table `{path}`: {reason}" { path: String, reason: String }
    /// A table of parts that computed with other numbers than the target does.
    Error OtherPrecision [nas::latency::precision] "latency table `{path}` is of {found}, target `{target}` of {wanted}" { path: String, found: String, target: String, wanted: String }
    /// A table that does not hold all of a space.
    Error MissingParts [nas::latency::missing] "latency table `{path}` lacks {missing} of the {parts} parts of space `{space}`" { path: String, missing: usize, parts: usize, space: String }
    /// A space of which no table can be made.
    Error Uncut [nas::latency::entangled] "space `{space}` cannot be cut into parts to measure" { space: String }
}

/// A target, and where a space or a recipe asks for it.
pub(crate) struct Asked<'a> {
    pub(crate) target: Target,
    pub(crate) source: Source,
    pub(crate) name: &'a Ident,
    /// What the parts of the space are measured in: the precision of its own target.
    pub(crate) own: Precision,
}

/// The target that a space of this file names; `None` too after a report.
pub(crate) fn target_of<'p>(
    context: &mut Context<'p, '_>,
    module: ModuleId,
    item: &'p ast::Space,
) -> Option<Asked<'p>> {
    let name = item.target.as_ref()?;
    let source = context.program.module(module)?.source.clone();
    let target = if module == context.program.main() {
        target::named(context, name)
    } else {
        let (module, item) = context.program.target(module, &name.name)?;
        target::read(context, module, item)
    };
    let target = target?;
    let own = target.precision.unwrap_or_default();
    Some(Asked { target, source, name, own })
}

/// Gives a space what its target says: precision, operator set, memory, and a latency if there is a
/// table and the compiler reads tables; then holds its requirements against that.
pub(crate) fn equip(
    context: &mut Context<'_, '_>,
    space: &mut Checked<Space>,
    asked: Option<&Asked<'_>>,
    problems: &mut Problems,
) {
    let device = asked.map_or_else(Device::default, |asked| Device {
        precision: asked.target.precision.unwrap_or_default(),
        opset: asked.target.opset,
        memory: asked.target.memory,
        latency: None,
    });
    space.set_device(device);
    if let Some(asked) = asked {
        time(context, space, asked, problems);
    }
    // Without its table, requirements on the latency say nothing new.
    if !problems.has_errors() {
        feasible::check(space, untimed(context, &space.name, asked), problems);
    }
}

/// What to say of latencies that nothing tells. A space without a target takes them from the
/// targets of its searches.
fn untimed<'t>(
    context: &Context<'_, '_>,
    space: &str,
    asked: Option<&'t Asked<'_>>,
) -> Untimed<'t> {
    match asked {
        _ if context.tables.is_none() => Untimed::Open,
        Some(asked) => Untimed::NoTable(&asked.target.name),
        None if is_searched_for_target(context, space) => Untimed::Open,
        None => Untimed::NoTarget,
    }
}

fn is_searched_for_target(context: &Context<'_, '_>, space: &str) -> bool {
    let mut searches = context.program.recipes().filter(|item| item.space.name.name == space);
    searches.any(|item| item.target.is_some())
}

/// Reports a search without a target that needs one: others of its space have one, and tell the
/// latency that a requirement limits.
pub(crate) fn check_search_is_timed(
    context: &mut Context<'_, '_>,
    item: &ast::Search,
    space: &Space,
) {
    let name = space.name.as_str();
    let reads_table = space.requirements.iter().any(|r| r.reads(Measure::Latency));
    if reads_table
        && space.device.latency.is_none()
        && context.tables.is_some()
        && is_searched_for_target(context, name)
    {
        let place = Place::new(&context.source(), item.space.name.span, "searched for no target");
        let says = |new: &str| format!("write `search {} of {name} {new}`", item.name.name);
        let source = context.source();
        let help = match only_timed(context).filter(|_| item.space.args.is_none()) {
            Some(target) => {
                let space = source.at(item.space.name.span);
                Fix::behind(space, format!(" for {target}"), says).into()
            }
            None => Help::advice(format!(
                "{}, of a target with a line `latency table \"FILE\"`",
                says("for TARGET")
            )),
        };
        context.problems.push(NoTable::at(place.help(help), name));
    }
}

/// The target of the file that has a latency table, if it is the only one.
fn only_timed<'p>(context: &Context<'p, '_>) -> Option<&'p str> {
    let has_table = |target: &&ast::Target| {
        target.entries.iter().any(|entry| matches!(entry, ast::TargetEntry::Latency(..)))
    };
    let mut timed = context.program.targets().filter(has_table);
    match (timed.next(), timed.next()) {
        (Some(only), None) => Some(&only.name.name),
        _ => None,
    }
}

/// Gives a space its latency, if its target has a table and the compiler reads tables.
fn time(
    context: &mut Context<'_, '_>,
    space: &mut Checked<Space>,
    asked: &Asked<'_>,
    problems: &mut Problems,
) {
    let target = &asked.target;
    let Some((path, load)) = target.latency.as_ref().zip(context.tables) else { return };
    let source = load(target.source().name(), &path.path);
    if let Ok(source) = &source
        && context.tables_read.iter().all(|known| known.name() != source.name())
    {
        context.tables_read.push(source.clone());
    }
    let Some(table) = read(source, &space.name, asked, path, problems) else { return };
    if let Err(reason) = measured(space, &table) {
        problems.push(unmeasured(space, &reason, path, asked));
    }
}

/// The table of a file, or `None` after a report.
fn read(
    source: Result<Source, LoadError>,
    space: &str,
    asked: &Asked<'_>,
    path: &TablePath,
    problems: &mut Problems,
) -> Option<Table> {
    let target = &asked.target;
    let place = |label: &str| Place::new(target.source(), path.span, label);
    let table = match source {
        Ok(source) => Table::parse(source.text()).map_err(|error| error.to_string()),
        Err(LoadError::Unreadable(problem)) => {
            problems.push(problem);
            return None;
        }
        Err(missing) => {
            let place = place("not there").advice(format!(
                "make it: {}; without this line, networks have no latency",
                measuring(space, asked, &path.path)
            ));
            problems.push(UnreadableTable::at(place, path.path.as_str(), missing.to_string()));
            return None;
        }
    };
    let table = match table {
        Ok(table) => table,
        Err(reason) => {
            let place =
                place("not a table").advice("make it by `nasc latency measure` or `import`");
            problems.push(UnreadableTable::at(place, path.path.as_str(), reason));
            return None;
        }
    };
    let (found, wanted) = (table.device.precision, target.precision.unwrap_or_default());
    if found == wanted {
        return Some(table);
    }
    let (found, wanted) = (found.name(), wanted.name());
    let stem = path.path.strip_suffix(".json").unwrap_or(&path.path);
    let other = format!("{stem}_{wanted}.json");
    let place = place("measured with other numbers").advice(format!(
        "write `precision {found}` if the device computes with these; else name a table of {wanted}, such as `{other}`: {}",
        measuring(space, asked, &other)
    ));
    let name = target.name.as_str();
    problems.push(OtherPrecision::at(place, path.path.as_str(), found, name, wanted));
    None
}

/// What to say of a table that gives a space no latency.
fn unmeasured(space: &Space, reason: &Unmeasured, path: &TablePath, asked: &Asked<'_>) -> Problem {
    let place = |label: String| {
        let place = Place::new(&asked.source, asked.name.span, label);
        let is_beside = asked.source.name() == asked.target.source().name();
        if is_beside { place.label(path.span, "this table") } else { place }
    };
    match reason {
        Unmeasured::Missing { missing, parts, stale } => {
            let first = missing.first().map_or("", |missing| missing.about.as_str());
            let (name, lacks) = (space.name.as_str(), missing.len());
            let help = cure(name, path, asked, lacks, *stale);
            let place = place(format!("such as {first}")).advice(help);
            MissingParts::at(place, path.path.as_str(), lacks, *parts, name)
        }
        Unmeasured::Entangled(entangled) => {
            let paths = space.paths(entangled.decisions.iter().copied());
            let place = place("this has a latency table".to_owned()).advice(format!(
                "a part may have 4096 cases at most, and {paths} meet in one: let fewer decisions \
                 meet, or leave the table out",
            ));
            Uncut::at(place, space.name.as_str())
        }
    }
}

/// The command that measures what is missing, and how much of the table is of other spaces.
fn cure(space: &str, path: &TablePath, asked: &Asked<'_>, lacks: usize, stale: usize) -> String {
    let it = if lacks == 1 { "it" } else { "them" };
    let measure = format!("measure {it}: {}", measuring(space, asked, &path.path));
    match stale {
        0 => measure,
        stale => format!(
            "{measure}; what else it has ({stale}) is of other spaces, or of this one before a change"
        ),
    }
}

/// The command that measures a space into a table beside its target; before it an edit, where what
/// the space itself is `for` computes with other numbers.
fn measuring(space: &str, asked: &Asked<'_>, table: &str) -> String {
    let Asked { target, source, own, .. } = asked;
    let folder = Path::new(target.source().name()).parent().unwrap_or(Path::new(""));
    let out = folder.join(table);
    let file = source.name();
    let command = format!("`nasc latency measure {file} --space {space} --out {}`", out.display());
    if *own == target.precision.unwrap_or_default() {
        return command;
    }
    format!("write `space {space} for {}`, then {command}", target.name)
}
