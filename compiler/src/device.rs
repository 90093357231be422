//! What the costs of a space depend on beside the space: what its target says, and the latency table
//! of the target.

use std::path::Path;

use nas_grammar::ast::{self, Ident};
use nas_grammar::{Problem, Source};

use crate::check::Checked;
use crate::compile::Compiler;
use crate::error::{Place, Problems, diagnostics};
use crate::feasible;
use crate::ir::Space;
use crate::latency::{Missing, Table, Unmeasured, measured, plan};
use crate::measure::Device;
use crate::modules::{LoadError, ModuleId};
use crate::target::{TablePath, Target};

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
}

impl<'p> Compiler<'p, '_> {
    /// The target that a space of this file names; `None` too after a report.
    pub(crate) fn target_of(
        &mut self,
        module: ModuleId,
        item: &'p ast::Space,
    ) -> Option<Asked<'p>> {
        let name = item.target.as_ref()?;
        let source = self.program.module(module)?.source.clone();
        let target = if module == self.program.main() {
            self.target(name)
        } else {
            let (module, item) = self.program.target(module, &name.name)?;
            self.read_target(module, item)
        };
        Some(Asked { target: target?, source, name })
    }

    /// Gives a space what its target says: precision, memory, and a latency if there is a table and
    /// the compiler reads tables; then holds its requirements against that.
    pub(crate) fn equip(
        &mut self,
        space: &mut Checked<Space>,
        asked: Option<&Asked<'_>>,
        problems: &mut Problems,
    ) {
        let device = asked.map_or_else(Device::default, |asked| Device {
            precision: asked.target.precision.unwrap_or_default(),
            memory: asked.target.memory,
            latency: None,
        });
        space.set_device(device);
        if let Some(asked) = asked {
            self.time(space, asked, problems);
        }
        // Without its table, requirements on the latency say nothing new.
        if !problems.has_errors() {
            feasible::check(space, self.tables.is_some(), problems);
        }
    }

    /// Gives a space its latency, if its target has a table and the compiler reads tables.
    fn time(&mut self, space: &mut Checked<Space>, asked: &Asked<'_>, problems: &mut Problems) {
        let target = &asked.target;
        let Some((path, load)) = target.latency.as_ref().zip(self.tables) else { return };
        let source = load(target.source().name(), &path.path);
        if let Ok(source) = &source
            && self.tables_read.iter().all(|known| known.name() != source.name())
        {
            self.tables_read.push(source.clone());
        }
        let Some(table) = read(source, target, path, problems) else { return };
        if let Err(reason) = measured(space, &table) {
            problems.push_boxed(unmeasured(space, &table, &reason, path, asked));
        }
    }
}

/// The table of a file, or `None` after a report.
fn read(
    source: Result<Source, LoadError>,
    target: &Target,
    path: &TablePath,
    problems: &mut Problems,
) -> Option<Table> {
    let place = |label: &str| Place::new(target.source(), path.span, label);
    let table = match source {
        Ok(source) => Table::parse(source.text()).map_err(|error| error.to_string()),
        Err(LoadError::Unreadable(problem)) => {
            problems.push_boxed(problem);
            return None;
        }
        Err(missing) => {
            let place = place("not there").help(format!(
                "make it by `nasc latency measure FILE --out {}`; without this line, networks have no latency",
                beside(target, path)
            ));
            problems.push(UnreadableTable::at(place, path.path.as_str(), missing.to_string()));
            return None;
        }
    };
    let table = match table {
        Ok(table) => table,
        Err(reason) => {
            let place = place("not a table").help("make it by `nasc latency measure` or `import`");
            problems.push(UnreadableTable::at(place, path.path.as_str(), reason));
            return None;
        }
    };
    let (found, wanted) = (table.device.precision, target.precision.unwrap_or_default());
    if found == wanted {
        return Some(table);
    }
    let place = place("measured with other numbers").help(format!(
        "name a table of {}, or write `precision {}` if the device computes with these",
        wanted.name(),
        found.name()
    ));
    let (found, wanted) = (found.name(), wanted.name());
    let name = target.name.as_str();
    problems.push(OtherPrecision::at(place, path.path.as_str(), found, name, wanted));
    None
}

/// What to say of a table that gives a space no latency.
fn unmeasured(
    space: &Checked<Space>,
    table: &Table,
    reason: &Unmeasured,
    path: &TablePath,
    asked: &Asked<'_>,
) -> Problem {
    let place = |label: String| {
        let place = Place::new(&asked.source, asked.name.span, label);
        let is_beside = asked.source.name() == asked.target.source().name();
        if is_beside { place.label(path.span, "this table") } else { place }
    };
    match reason {
        Unmeasured::Missing { missing, parts } => {
            let first = missing.first().map_or("", |missing| missing.about.as_str());
            let help = cure(space, table, path, asked, missing);
            let place = place(format!("such as {first}")).help(help);
            let (path, space) = (path.path.as_str(), space.name.as_str());
            Box::new(MissingParts::at(place, path, missing.len(), *parts, space))
        }
        Unmeasured::Entangled(_) => {
            let place = place("this has a latency table".to_owned()).help(
                "a part may have 4096 cases at most: let fewer decisions meet in one operator, or leave the table out",
            );
            Box::new(Uncut::at(place, space.name.as_str()))
        }
    }
}

/// The command that measures what is missing, and what of the table is of other spaces.
fn cure(
    space: &Checked<Space>,
    table: &Table,
    path: &TablePath,
    asked: &Asked<'_>,
    missing: &[Missing],
) -> String {
    let file = asked.source.name();
    let out = beside(&asked.target, path);
    let it = if missing.len() == 1 { "it" } else { "them" };
    let name = &space.name;
    let measure = format!("measure {it}: `nasc latency measure {file} --space {name} --out {out}`");
    match plan(space).map_or(0, |plan| table.stale(&plan).len()) {
        0 => measure,
        stale => format!(
            "{measure}; what else it has ({stale}) is of other spaces, or of this one before a change"
        ),
    }
}

/// The path of a table as seen from where the file of the target is.
fn beside(target: &Target, table: &TablePath) -> String {
    let folder = Path::new(target.source().name()).parent().unwrap_or(Path::new(""));
    folder.join(&table.path).display().to_string()
}
