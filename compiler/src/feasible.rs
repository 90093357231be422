//! Whether the networks of a space can keep its requirements, and whether these say anything.

use crate::analyse::{
    Entangled, Form, Limit, count_within, depth_range, least_under, memory_range,
};
use crate::check::Checked;
use crate::error::{Place, Problems, diagnostics};
use crate::ir::Space;
use crate::measure::{BoundedRange, Measure};
use crate::requirement::Requirement;

diagnostics! {
    /// A requirement that no network keeps.
    Error Impossible [nas::require::impossible] "no network of `{space}` keeps this requirement" { space: String }
    /// Requirements of which each can be kept, and no network keeps all.
    Error Together [nas::require::together] "no network of `{space}` keeps all its requirements" { space: String }
    /// A requirement that says nothing.
    Warning Always [nas::require::always] "every network of `{space}` keeps this requirement" { space: String }
    /// A requirement on the latency of a space without a table.
    Error NoTable [nas::require::no_table] "space `{space}` has no latency table" { space: String }
}

/// Reports the requirements of a space that no network keeps, or that every network keeps. What
/// cannot be proved is no problem of the file, and what latencies must be is left open by a compiler
/// that `reads_tables` of none.
pub(crate) fn check(space: &Checked<Space>, reads_tables: bool, problems: &mut Problems) {
    let mut checker = Checker { space, problems };
    let mut kept_by_some = Vec::new();
    let mut is_hopeless = false;
    for requirement in space.requirements.iter().filter(|requirement| requirement.is_sum()) {
        if checker.lacks_table(requirement) {
            if reads_tables {
                checker.report_table(requirement);
            }
            return;
        }
        match checker.alone(requirement) {
            Ok(KeptBy::None) => is_hopeless = true,
            Ok(KeptBy::Some) | Err(Entangled) => kept_by_some.push(requirement),
            Ok(KeptBy::All) => {}
        }
    }
    for requirement in space.requirements.iter().filter(|requirement| !requirement.is_sum()) {
        checker.bounded(requirement);
    }
    if !is_hopeless && kept_by_some.len() > 1 {
        let _ = checker.together(&kept_by_some);
    }
}

/// Which networks keep a requirement.
enum KeptBy {
    None,
    Some,
    All,
}

struct Checker<'c> {
    space: &'c Checked<Space>,
    problems: &'c mut Problems,
}

impl Checker<'_> {
    fn place(&self, requirement: &Requirement, label: String) -> Place {
        let mut chain = self.space.origins.chain(requirement.origin).into_iter();
        match chain.next() {
            Some((source, span)) => Place::new(&source, span, label).chain(chain.collect()),
            None => Place::nowhere(),
        }
    }

    /// Whether it limits latencies that nothing tells.
    fn lacks_table(&self, requirement: &Requirement) -> bool {
        let mut measures = requirement.limit.form.0.iter();
        self.space.device.latency.is_none() && measures.any(|(m, _)| *m == Measure::Latency)
    }

    fn report_table(&mut self, requirement: &Requirement) {
        let place = self.place(requirement, "this reads the table".to_owned());
        let place = place.help(format!(
            "write `space {} for TARGET`, of a target with a line `latency table \"FILE\"`; `nasc latency plan` tells what to measure for it",
            self.space.name
        ));
        self.problems.push(NoTable::at(place, self.space.name.as_str()));
    }

    /// Which networks keep a requirement; reports if none does, or all do.
    fn alone(&mut self, requirement: &Requirement) -> Result<KeptBy, Entangled> {
        let Limit { form, most } = &requirement.limit;
        let name = self.space.name.as_str();
        let Some(least) = least_under(self.space, form, &[])? else { return Ok(KeptBy::Some) };
        let least = -least.score as i128;
        if least > *most {
            let place = self.place(requirement, missed(requirement, least));
            let place = place.help(tightest(requirement, least));
            self.problems.push(Impossible::at(place, name));
            return Ok(KeptBy::None);
        }
        let opposite = Form(form.0.iter().map(|(measure, factor)| (*measure, -factor)).collect());
        let Some(greatest) = least_under(self.space, &opposite, &[])? else {
            return Ok(KeptBy::Some);
        };
        let greatest = greatest.score as i128;
        if greatest <= *most {
            let what = if is_upper(requirement) { "greatest" } else { "least" };
            let label = format!("the {what} is {}", requirement.show(greatest));
            let place = self.place(requirement, label).help("leave it out, or tighten it");
            self.problems.push(Always::at(place, name));
            return Ok(KeptBy::All);
        }
        Ok(KeptBy::Some)
    }

    /// Reports a requirement on one measure that is no sum, if no network keeps it, or all do, as far
    /// as the bounds on the measure tell.
    fn bounded(&mut self, requirement: &Requirement) {
        let Some((measure, is_upper)) = requirement.measure() else { return };
        let BoundedRange { min, max } = match measure {
            Measure::PeakMemory => memory_range(self.space),
            Measure::Depth => depth_range(self.space),
            _ => return,
        };
        // Of the form, which is the measure with its sign changed where it is limited from below.
        let form = |bound: u64| if is_upper { i128::from(bound) } else { -i128::from(bound) };
        let (nearest, farthest) =
            if is_upper { (min.at_least, max.at_most) } else { (max.at_most, min.at_least) };
        let name = self.space.name.as_str();
        if form(nearest) > requirement.limit.most {
            let is_exact = if is_upper { min.exact() } else { max.exact() }.is_some();
            let end = if is_upper { "below" } else { "above" };
            let (label, help) = if is_exact {
                (missed(requirement, form(nearest)), tightest(requirement, form(nearest)))
            } else {
                let label = format!("no network is {end} {}", measure.show(nearest.into()));
                (label, "loosen it, or make the space cheaper".to_owned())
            };
            let place = self.place(requirement, label).help(help);
            self.problems.push(Impossible::at(place, name));
        } else if form(farthest) <= requirement.limit.most {
            let end = if is_upper { "above" } else { "below" };
            let label = format!("no network is {end} {}", measure.show(farthest.into()));
            let place = self.place(requirement, label).help("leave it out, or tighten it");
            self.problems.push(Always::at(place, name));
        }
    }

    /// Reports requirements that no network keeps together.
    fn together(&mut self, requirements: &[&Requirement]) -> Result<(), Entangled> {
        let limits: Vec<Limit> = requirements.iter().map(|r| r.limit.clone()).collect();
        let within = count_within(self.space, &limits)?;
        if within.at_least > num_bigint::BigUint::ZERO {
            return Ok(());
        }
        let Some((last, others)) = requirements.split_last() else { return Ok(()) };
        let others: Vec<Limit> = others.iter().map(|r| r.limit.clone()).collect();
        let best = least_under(self.space, &last.limit.form, &others)?;
        let Some(best) = best else {
            // The last one is not needed for the contradiction.
            return self.together(requirements.get(..others.len()).unwrap_or_default());
        };
        let (least, bound) = (-best.score as i128, -best.bound as i128);
        if bound <= last.limit.most {
            return Ok(());
        }
        let rest = if others.len() == 1 { "the other is" } else { "the others are" };
        let label = format!("where {rest} kept, {}", missed(last, least));
        let mut place = self.place(last, label);
        for requirement in requirements.iter().filter(|r| r.origin != last.origin) {
            let mut chain = self.space.origins.chain(requirement.origin).into_iter();
            // All stand in the body of the space, and so in one file.
            if let Some((_, span)) = chain.next() {
                place = place.label(span, "together with this");
            }
        }
        let place = place.help(tightest(last, least));
        self.problems.push(Together::at(place, self.space.name.as_str()));
        Ok(())
    }
}

/// Whether it limits from above, as far as one can say so of several measures.
fn is_upper(requirement: &Requirement) -> bool {
    requirement.measure().is_none_or(|(_, is_upper)| is_upper)
}

/// By how much the best possible value misses the limit.
fn missed(requirement: &Requirement, least: i128) -> String {
    let over = least - requirement.limit.most;
    match requirement.measure() {
        Some((measure, true)) => {
            format!("the least is {}, {} too much", measure.show(least), measure.show(over))
        }
        Some((measure, false)) => {
            format!("the greatest is {}, {} too little", measure.show(-least), measure.show(over))
        }
        None => format!("no network comes nearer than {:.4}", over as f64 * requirement.unit),
    }
}

/// The edit after which a network keeps it.
fn tightest(requirement: &Requirement, least: i128) -> String {
    match requirement.measure() {
        Some((measure, is_upper)) => {
            let op = if is_upper { "<=" } else { ">=" };
            let value = requirement.show(round_away(requirement, least));
            format!("write `require {} {op} {value}`, or make the space cheaper", measure.name())
        }
        None => "loosen it, or make the space cheaper".to_owned(),
    }
}

/// A latency is shown rounded: up, so that the edit cures.
fn round_away(requirement: &Requirement, least: i128) -> i128 {
    match requirement.measure() {
        Some((Measure::Latency, true)) => least + 100_000,
        _ => least,
    }
}
