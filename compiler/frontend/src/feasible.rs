//! Whether the networks of a space can keep its requirements, and whether these say anything.

use nas_analysis::{count_within, depth_range, least_under, memory_range, sum_range};
use nas_diagnostics::{Fix, Help, Place, Problems, diagnostics};
use nas_grammar::source::At;
use nas_ir::diagram::Entangled;
use nas_ir::exact::Exact;
use nas_ir::linear::Quotient;
use nas_ir::measure::{BoundedRange, Bounds};
use nas_ir::requirement::{Figure, NoLimit, Requirement, limit, rounded};
use nas_ir::{Assignment, Checked, Limit, Measure, Quantity, Space};
use nas_passes::specialise;
use num_bigint::BigUint;

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

/// What to say of a requirement on latencies that nothing tells.
#[derive(Clone, Copy)]
pub(crate) enum Untimed<'t> {
    /// Nothing: it is left open here.
    Open,
    /// The space has no target.
    NoTarget,
    /// The target of this name has no table.
    NoTable(&'t str),
}

/// Reports the requirements of a space that no network keeps, or that every network keeps. What
/// cannot be proved is no problem of the file.
pub(crate) fn check(space: &Checked<Space>, untimed: Untimed<'_>, problems: &mut Problems) {
    let mut checker = Checker { space, problems };
    let (mut orders, mut sums) = (Vec::new(), Vec::new());
    let mut is_hopeless = false;
    for requirement in &space.requirements {
        if requirement.reads(Measure::Latency) && space.device.latency.is_none() {
            checker.report_table(requirement, untimed);
            continue;
        }
        let (kept_by, list) = match requirement.order() {
            Some(_) => (checker.ordered(requirement), &mut orders),
            None if requirement.is_sum() => (checker.alone(requirement), &mut sums),
            None => {
                // Where the bounds are not known, nothing is proved.
                let _ = checker.bounded(requirement);
                continue;
            }
        };
        match kept_by {
            Ok(KeptBy::None) => is_hopeless = true,
            Ok(KeptBy::Some) | Err(_) => list.push(requirement),
            Ok(KeptBy::All) => {}
        }
    }
    // By how much a sum is missed is told best.
    orders.extend(sums);
    if !is_hopeless && orders.len() > 1 {
        let _ = checker.together(&orders);
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

    /// Of which networks requirements speak, where these are not all.
    fn among(&self) -> &'static str {
        if self.space.leaves_out_constant() { " of those that read their input" } else { "" }
    }

    fn report_table(&mut self, requirement: &Requirement, untimed: Untimed<'_>) {
        let name = self.space.name.as_str();
        let edit = match untimed {
            Untimed::Open => return,
            Untimed::NoTarget => format!(
                "write `space {name} for TARGET`, or `search … of {name} for TARGET`, of a target with a line `latency table \"FILE\"`"
            ),
            Untimed::NoTable(target) => {
                format!("write a line `latency table \"FILE\"` in `target {target}`")
            }
        };
        let place = self.place(requirement, "this reads the table".to_owned());
        let place =
            place.advice(format!("{edit}; `nasc latency plan` tells what to measure for it"));
        self.problems.push(NoTable::at(place, name));
    }

    /// Which networks keep a requirement; reports if none does, or all do.
    fn alone(&mut self, requirement: &Requirement) -> Result<KeptBy, Entangled> {
        let Limit { form, most } = &requirement.limit;
        let name = self.space.name.as_str();
        let Some(least) = least_under(self.space, form, &[])? else { return Ok(KeptBy::Some) };
        if sure(-least.score, 1) > *most {
            let (label, help) = self.nearest(requirement, &[], -least.score as i128);
            let place = self.place(requirement, label).help(help);
            self.problems.push(Impossible::at(place, name));
            return Ok(KeptBy::None);
        }
        let Some(greatest) = least_under(self.space, &form.negated(), &[])? else {
            return Ok(KeptBy::Some);
        };
        if sure(greatest.score, -1) > *most {
            return Ok(KeptBy::Some);
        }
        let place = self.place(requirement, self.farthest(requirement, greatest.score as i128));
        self.problems.push(Always::at(place.help(self.left_out(requirement)), name));
        Ok(KeptBy::All)
    }

    /// Which networks keep an order; reports if none does, or all do.
    fn ordered(&mut self, requirement: &Requirement) -> Result<KeptBy, Entangled> {
        let kept = count_within(self.space, std::slice::from_ref(&requirement.limit))?;
        let name = self.space.name.as_str();
        if kept.at_most == BigUint::ZERO {
            let label = format!("every network{} is out of order", self.among());
            let place = self.place(requirement, label).advice(LEAVE_OR_CHANGE);
            self.problems.push(Impossible::at(place, name));
            return Ok(KeptBy::None);
        }
        if kept.at_least < count_within(self.space, &[])?.at_most {
            return Ok(KeptBy::Some);
        }
        let place = self.place(requirement, "no network can be out of order".to_owned());
        self.problems.push(Always::at(place.help(self.left_out(requirement)), name));
        Ok(KeptBy::All)
    }

    /// What to say of a requirement that no network keeps of those within limits, where `least` is
    /// the least of the limited form: by how much the best misses it, and the edit after which one
    /// keeps it.
    fn nearest(&self, requirement: &Requirement, limits: &[Limit], least: i128) -> (String, Help) {
        if let Some(limited) = requirement.quantity() {
            return self.missed(requirement, limited, least);
        }
        let Figure { text, quotient, bound, is_upper } = &requirement.figure;
        let Some(best) = extreme(self.space, quotient, *is_upper, limits) else {
            return ("this is missed".to_owned(), Help::Advice(loosen(requirement)));
        };
        let value = rounded(&best, *is_upper);
        let (end, much, over, op) = if *is_upper {
            ("least", "much", best - bound, "<=")
        } else {
            ("greatest", "little", bound - best, ">=")
        };
        let of = self.among();
        let label =
            format!("the {end} `{text}`{of} is {value}, {} too {much}", rounded(&over, true));
        // What is too long to repeat is no edit.
        let help = if text.contains('…') {
            Help::Advice(loosen(requirement))
        } else {
            self.instead(requirement, format!("{text} {op} {value}"))
        };
        (label, help)
    }

    /// By how much the best possible value of the limited form misses a limit on one quantity, and the
    /// edit after which a network keeps it.
    fn missed(
        &self,
        requirement: &Requirement,
        (quantity, is_upper): (&Quantity, bool),
        least: i128,
    ) -> (String, Help) {
        let over = quantity.show(least - requirement.limit.most);
        let value = if is_upper { least } else { -least };
        let (end, much, op) =
            if is_upper { ("least", "much", "<=") } else { ("greatest", "little", ">=") };
        let (of, figure) = (self.among(), requirement.figure.text.as_str());
        let (name, what) = match quantity.measure() {
            Some(measure) => (measure.name(), String::new()),
            None => (figure, format!(" `{figure}`")),
        };
        let label = format!("the {end}{what}{of} is {}, {over} too {much}", quantity.show(value));
        // What is too long to repeat is no edit.
        if name.contains('…') {
            return (label, Help::Advice(loosen(requirement)));
        }
        // A latency is shown rounded: away, so that the edit cures.
        let slack = if quantity.measure() == Some(Measure::Latency) { 1_000 } else { 0 };
        let value = quantity.show(if is_upper { value + slack } else { value - slack });
        (label, self.instead(requirement, format!("{name} {op} {value}")))
    }

    /// Another claim in place of the one that was written, if that says no more than the requirement.
    fn instead(&self, requirement: &Requirement, claim: String) -> Help {
        let says = |new: &str| format!("write `require {new}`, or {}", change(requirement));
        match self.written(requirement) {
            Some(at) => Fix::replace(at, claim, says).into(),
            None => Help::Advice(says(&claim)),
        }
    }

    /// The statement of a requirement goes, if it says no more than that.
    fn left_out(&self, requirement: &Requirement) -> Help {
        let words = "leave it out, or tighten it";
        let statement = self.written(requirement).and_then(|at| {
            let start = at.before().trim_end().strip_suffix("require")?.len();
            at.move_to(start, at.span.range().end).lines()
        });
        match statement {
            Some(at) => Fix::remove(at, |_| words.to_owned()).into(),
            None => Help::advice(words),
        }
    }

    /// Where a requirement is written, if it is written as it reads, and not denied or as one of
    /// several.
    fn written(&self, requirement: &Requirement) -> Option<At<'_>> {
        let at = self.space.origins.at(requirement.origin)?;
        let is_same = at.text().split_whitespace().eq(requirement.text.split_whitespace());
        is_same.then_some(at)
    }

    /// What to say of a requirement that all networks keep, where `greatest` is the greatest of
    /// the limited form.
    fn farthest(&self, requirement: &Requirement, greatest: i128) -> String {
        if let Some((measure, is_upper)) = requirement.measure() {
            let (end, sign) = if is_upper { ("greatest", 1) } else { ("least", -1) };
            return format!("the {end}{} is {}", self.among(), measure.show(sign * greatest));
        }
        let Figure { text, quotient, is_upper, .. } = &requirement.figure;
        let end = if *is_upper { "greatest" } else { "least" };
        match extreme(self.space, quotient, !is_upper, &[]) {
            Some(value) => {
                format!("the {end} `{text}`{} is {}", self.among(), rounded(&value, *is_upper))
            }
            None => "this is always true".to_owned(),
        }
    }

    /// Reports a requirement that is no limit on a sum, if no network keeps it, or all do, as far
    /// as the bounds on its measures tell.
    fn bounded(&mut self, requirement: &Requirement) -> Result<(), Entangled> {
        let Limit { form, most } = &requirement.limit;
        let (mut nearest, mut farthest) = (0i128, 0i128);
        let mut is_exact = form.0.len() == 1;
        for (quantity, factor) in &form.0 {
            let BoundedRange { min, max } = bounds(self.space, quantity)?;
            let (low, high) = if *factor > 0 { (min, max) } else { (max, min) };
            let end = |bounds: Bounds, is_low| {
                let bound = if is_low { bounds.at_least } else { bounds.at_most };
                i128::from(bound).saturating_mul(*factor)
            };
            is_exact &= low.exact().is_some();
            nearest = nearest.saturating_add(end(low, *factor > 0));
            farthest = farthest.saturating_add(end(high, *factor < 0));
        }
        let name = self.space.name.as_str();
        if nearest > *most {
            let (label, help) = match requirement.quantity() {
                Some(limited) if is_exact => self.missed(requirement, limited, nearest),
                _ => (beyond(requirement, nearest, true), Help::Advice(loosen(requirement))),
            };
            let place = self.place(requirement, label).help(help);
            self.problems.push(Impossible::at(place, name));
        } else if farthest <= *most {
            let place = self.place(requirement, beyond(requirement, farthest, false));
            self.problems.push(Always::at(place.help(self.left_out(requirement)), name));
        }
        Ok(())
    }

    /// Reports requirements that no network keeps together.
    fn together(&mut self, requirements: &[&Requirement]) -> Result<(), Entangled> {
        let limits: Vec<Limit> = requirements.iter().map(|r| r.limit.clone()).collect();
        let within = count_within(self.space, &limits)?;
        if within.at_least > BigUint::ZERO {
            return Ok(());
        }
        let Some((last, others)) = requirements.split_last() else { return Ok(()) };
        let others: Vec<Limit> = others.iter().map(|r| r.limit.clone()).collect();
        let best = least_under(self.space, &last.limit.form, &others)?;
        let Some(best) = best else {
            // The last one is not needed for the contradiction.
            return self.together(requirements.get(..others.len()).unwrap_or_default());
        };
        if last.order().is_none() && sure(-best.bound, 1) <= last.limit.most {
            return Ok(());
        }
        let rest = if others.len() == 1 { "the other is" } else { "the others are" };
        let (missed, help) = match last.order() {
            Some(_) => ("every network is out of order".to_owned(), Help::advice(LEAVE_OR_CHANGE)),
            None => self.nearest(last, &others, -best.score as i128),
        };
        let mut place = self.place(last, format!("where {rest} kept, {missed}"));
        let mut seen = vec![last.origin];
        for requirement in requirements {
            if seen.contains(&requirement.origin) {
                continue;
            }
            seen.push(requirement.origin);
            let mut chain = self.space.origins.chain(requirement.origin).into_iter();
            // All stand in the body of the space, and so in one file.
            if let Some((_, span)) = chain.next() {
                place = place.label(span, "together with this");
            }
        }
        self.problems.push(Together::at(place.help(help), self.space.name.as_str()));
        Ok(())
    }
}

/// What helps where no edit is known.
fn loosen(requirement: &Requirement) -> String {
    format!("loosen it, or {}", change(requirement))
}

/// What helps beside another requirement.
fn change(requirement: &Requirement) -> &'static str {
    if requirement.is_of_measures() { "make the space cheaper" } else { "change the space" }
}

/// What helps where an order cannot be kept.
const LEAVE_OR_CHANGE: &str = "leave it out, or give the decisions candidates that can be in order";

/// A bound on a sum that was added up in floats: below it for a `side` of 1, above it for -1. Whole
/// numbers are exact up to 2^53.
fn sure(sum: f64, side: i128) -> i128 {
    let margin = if sum.abs() < 9e15 { 0 } else { (sum.abs() * 1e-12) as i128 };
    sum as i128 - side * margin
}

/// What is known of both ends of a quantity.
fn bounds(space: &Checked<Space>, quantity: &Quantity) -> Result<BoundedRange, Entangled> {
    let of_label = |label: &str| {
        let own = space.decisions.iter().filter(|decision| decision.label == label);
        let some = Bounds { at_least: 0, at_most: own.count() as u64 };
        Ok(BoundedRange { min: some, max: some })
    };
    match quantity {
        Quantity::Measure(Measure::PeakMemory) => Ok(memory_range(space)),
        Quantity::Measure(Measure::Depth) => Ok(depth_range(space)),
        Quantity::Measure(measure) => sum_range(space, *measure),
        Quantity::Count(count) => of_label(&count.label),
        Quantity::Breaks(order) => of_label(&order.label),
    }
}

/// More rounds are not needed: each at least squares the error away.
const MAX_ROUNDS: usize = 50;

/// The least value of a quotient among the networks that keep limits, or the greatest (Dinkelbach
/// 1967): the network with the least of `over - ratio * under` has a better ratio, until none has.
fn extreme(
    space: &Checked<Space>,
    quotient: &Quotient,
    is_least: bool,
    limits: &[Limit],
) -> Option<Exact> {
    let of = |assignment: &Assignment| {
        let network = specialise(space, assignment);
        quotient.of(&nas_analysis::figures(space, &network))
    };
    let mut ratio = of(&space.first_assignment())?;
    for round in 0..MAX_ROUNDS {
        let gain = quotient.over.minus(&quotient.under.times(&ratio));
        let gain = if is_least { gain } else { gain.negated() };
        let better = match limit(&gain, false) {
            Ok(Limit { form, .. }) => of(&least_under(space, &form, limits).ok()??.assignment)?,
            // All networks have this ratio.
            Err(NoLimit::NoMeasure) => return Some(ratio),
            Err(NoLimit::TooLarge) => return None,
        };
        // The network to begin with need not keep the limits.
        if better == ratio && round > 0 {
            return Some(ratio);
        }
        ratio = better;
    }
    Some(ratio)
}

/// A proved bound on the limited form in words: that no network is nearer to the limit, or that none
/// is farther.
fn beyond(requirement: &Requirement, bound: i128, is_nearest: bool) -> String {
    match requirement.measure() {
        Some((measure, is_upper)) => {
            let end = if is_upper == is_nearest { "below" } else { "above" };
            let value = if is_upper { bound } else { -bound };
            format!("no network is {end} {}", measure.show(value))
        }
        None if is_nearest => "bounds on its terms rule this out".to_owned(),
        None => "bounds on its terms prove this".to_owned(),
    }
}
