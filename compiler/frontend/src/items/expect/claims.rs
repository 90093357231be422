//! `expect`: claims about a space or a network that the compiler checks.

use std::sync::Arc;

use nas_analysis::Supernet;
use nas_diagnostics::{Fix, Place, suggested};
use nas_grammar::Source;
use nas_grammar::ast::{BinaryOp, Expect, Expr, ExprKind, Span};
use nas_ir::diagram::Entangled;
use nas_ir::linear::names_in;
use nas_ir::measure::{BoundedRange, Bounds};
use nas_ir::{Checked, Costs, Measure, Space};
use num_bigint::{BigInt, BigUint};

use super::errors::ExpectFailed;
use super::errors::NoComparison;
use super::errors::NoFigure;
use super::errors::NoTolerance;
use super::errors::NotExact;
use super::errors::UnknownMeasure;
use super::published::{Side, compare_with_published};
use crate::context::Context;
use crate::elaborate::errors::Unitless;
use crate::elaborate::{Value, between, compare, in_milliseconds, is_latency, unitless};
use crate::int::Int;

/// The figures of a space: the count, the ends of each measure, and the means of sums.
fn figures_of_spaces() -> Vec<String> {
    let of = |measure: Measure| {
        let ends =
            ["min", "max", "mean"].into_iter().filter(move |e| *e != "mean" || measure.is_sum());
        ends.map(move |end| format!("{}.{end}", measure.name()))
    };
    let others = ["count", "supernet.macs", "supernet.params"].map(str::to_owned);
    others.into_iter().chain(Measure::ALL.into_iter().flat_map(of)).collect()
}

/// What to do for a latency.
const NO_TABLE: &str = "write the space `for` a target that has a `latency table`";

/// The checked space of a name.
pub(crate) type Spaces<'s> = &'s dyn Fn(&str) -> Option<Arc<Checked<Space>>>;

/// Whether a claim about a network is about its peak of memory.
pub(crate) fn asks_for_peak(expect: &Expect) -> bool {
    names_in(&expect.claim).iter().any(|(_, name)| *name == Measure::PeakMemory.name())
}

/// Checks a claim of an `arch` item about its network.
pub(crate) fn expect_network(
    context: &mut Context<'_, '_>,
    expect: &Expect,
    space: &str,
    costs: &Costs,
) {
    let Some((op, left, right)) = claim_sides(context, expect) else { return };
    if let Some(number) = unitless([left, right], &is_latency) {
        return no_unit(context, number);
    }
    let figures = Measure::ALL.map(|measure| (measure.name(), figure(costs, measure)));
    let side = |context: &mut _, side| network_side(context, side, space, &figures);
    let (a, b) = (side(context, left), side(context, right));
    if let (Some(a), Some(b)) = (a, b) {
        judge(context, expect, op, (left, a), (right, b));
    }
}

fn network_side(
    context: &mut Context<'_, '_>,
    side: &Expr,
    space: &str,
    figures: &[(&str, Option<Value>)],
) -> Option<Side> {
    let known = |name: &str| figures.iter().find(|(known, _)| *known == name);
    let mut is_figure = false;
    if let ExprKind::Name(name) = &side.kind {
        is_figure = known(name).is_some();
        if !is_figure && context.program.constant(context.program.main(), name).is_none() {
            let names = Measure::ALL.map(Measure::name);
            let (at, lead) = (side.span, "the measures of a network are");
            unknown_measure(context, (at, at), name, &names, lead);
            return None;
        }
    }
    let is_unknown = |name: &str| known(name).is_some_and(|(_, value)| value.is_none());
    if let Some((name, span)) = mentioned(side, &is_unknown) {
        let help = match Measure::named(name) {
            Some(Measure::Latency) if context.names_table(space, None) => return None,
            Some(Measure::Latency) => NO_TABLE,
            _ => "remove this claim: too many parts of the network are independent of each other",
        };
        let place = Place::new(&context.source(), span, "asked for here").advice(help);
        context.problems.push(NoFigure::at(place, name));
        return None;
    }
    let figures = figures.iter().filter_map(|(name, value)| Some((*name, value.clone()?)));
    let value = context.evaluate(side, &figures.collect::<Vec<_>>());
    let is_time = is_latency(side);
    (!value.is_poison()).then_some(Side { value, is_figure, counted: None, is_time })
}

/// Checks a claim about spaces: `expect darts.count == 9 ^ 3`.
/// `spaces` has the checked spaces of the main file, without arguments, by name.
pub(crate) fn expect_space(context: &mut Context<'_, '_>, expect: &Expect, spaces: Spaces<'_>) {
    let Some((op, left, right)) = claim_sides(context, expect) else { return };
    let is_latency = |side: &Expr| {
        let (root, path) = path_of(side);
        let is_space = matches!(&root.kind, ExprKind::Name(name) if context.is_space(name));
        is_space && path.first() == Some(&Measure::Latency.name())
    };
    if let Some(number) = unitless([left, right], &is_latency) {
        return no_unit(context, number);
    }
    let (a, b) = (space_side(context, left, spaces), space_side(context, right, spaces));
    if let (Some(a), Some(b)) = (a, b) {
        judge(context, expect, op, (left, a), (right, b));
    }
}

fn claim_sides<'x>(
    context: &mut Context<'_, '_>,
    expect: &'x Expect,
) -> Option<(BinaryOp, &'x Expr, &'x Expr)> {
    use BinaryOp::{Eq, Ge, Gt, Le, Lt, Ne, Near};
    match &expect.claim.kind {
        ExprKind::Binary(op @ (Eq | Near | Ne | Lt | Le | Gt | Ge), left, right) => {
            Some((*op, left, right))
        }
        _ => {
            let source = context.source();
            let claim = source.text().get(expect.claim.span.range()).unwrap_or_default();
            let place = Place::new(&source, expect.claim.span, "not a comparison").advice(format!(
                "compare it with `==`, `<=` or the like: `expect {claim} <= 300M`"
            ));
            context.problems.push(NoComparison::at(place));
            None
        }
    }
}

/// Reports a number without a unit that a latency is compared with.
fn no_unit(context: &mut Context<'_, '_>, number: Span) {
    let source = context.source();
    let fix = in_milliseconds(&source, number);
    context.problems.push(Unitless::at(Place::new(&source, number, "in which unit?").fix(fix)));
}

/// Reports a name that is no measure. Of `demo.macs`, `span` is all and `at` is where the name stands.
fn unknown_measure(
    context: &mut Context<'_, '_>,
    (span, at): (Span, Span),
    name: &str,
    known: &[impl AsRef<str>],
    lead: &str,
) {
    let source = context.source();
    let help = suggested(source.at(at), name, known, lead);
    let place = Place::new(&source, span, "no such measure").help(help);
    context.problems.push(UnknownMeasure::at(place, name));
}

fn space_side(context: &mut Context<'_, '_>, side: &Expr, spaces: Spaces<'_>) -> Option<Side> {
    let (root, path) = path_of(side);
    let name = match &root.kind {
        ExprKind::Name(name) if context.is_space(name) => name.clone(),
        ExprKind::Name(name) if !path.is_empty() => {
            context.unknown_space(name, root.span);
            return None;
        }
        _ => {
            let value = context.evaluate(side, &[]);
            let side = Side { value, is_figure: false, counted: None, is_time: false };
            return (!side.value.is_poison()).then_some(side);
        }
    };
    if path.is_empty() {
        let place = Place::new(&context.source(), side.span, "this is a space");
        let place = place.advice(format!("name one of its figures, such as `{name}.count`"));
        context.problems.push(NoComparison::at(place));
        return None;
    }
    let space = spaces(&name)?;
    let figure = match path.as_slice() {
        ["count"] => {
            let lack = |entangled| Lack::entangled(&space, &entangled);
            nas_analysis::count(&space).map(whole).map_err(lack)
        }
        [measure, end @ ("min" | "max")] if let Some(measure) = Measure::named(measure) => {
            end_of_range(&space, measure, *end == "max")
        }
        [measure, "mean"] if let Some(measure) = Measure::named(measure) => mean(&space, measure),
        ["supernet", "macs"] => Ok(whole(Supernet::of(&space).total.macs)),
        ["supernet", "params"] => Ok(whole(Supernet::of(&space).total.params)),
        _ => {
            let measure = path.join(".");
            let lead = "the figures of a space are";
            let at = behind_dot(&context.source(), root.span, side.span);
            unknown_measure(context, (side.span, at), &measure, &figures_of_spaces(), lead);
            return None;
        }
    };
    match figure {
        Ok(value) => {
            let counted = (path == ["count"]).then_some(space);
            let is_time = path.first() == Some(&Measure::Latency.name());
            Some(Side { value, is_figure: true, counted, is_time })
        }
        Err(lack) => {
            not_known(context, side.span, name, &path.join("."), &lack);
            None
        }
    }
}

/// What fields are asked of, and their names: `root.field.field`.
fn path_of(side: &Expr) -> (&Expr, Vec<&str>) {
    let (mut root, mut path) = (side, Vec::new());
    while let ExprKind::Field(inner, field) = &root.kind {
        path.push(field.name.as_str());
        root = inner;
    }
    path.reverse();
    (root, path)
}

/// Where the fields stand in `root.field.field`.
fn behind_dot(source: &Source, root: Span, whole: Span) -> Span {
    let fields = source.at(Span { start: root.end, ..whole });
    let text = fields.text().trim_start_matches(|c: char| c == '.' || c.is_whitespace());
    Span::new(whole.range().end - text.len(), whole.range().end)
}

fn not_known(context: &mut Context<'_, '_>, span: Span, space: String, figure: &str, lack: &Lack) {
    let place = Place::new(&context.source(), span, "asked for here");
    match lack {
        // A table that is named and not there was reported.
        Lack::Table if context.names_table(&space, None) => {}
        Lack::Table => {
            context.problems.push(NoFigure::at(place.advice(NO_TABLE), figure));
        }
        Lack::Entangled(decisions) => {
            let help = format!(
                "{decisions} are entangled; remove this claim, or make it about one network \
                 in an `arch`"
            );
            context.problems.push(NotExact::at(place.advice(help), space));
        }
        Lack::NoSum => {
            let help = "only sums over the operators have a mean here, such as `macs.mean`";
            context.problems.push(NoFigure::at(place.advice(help), figure));
        }
        Lack::Between(Bounds { at_least, at_most }) => {
            let help = format!(
                "it lies between {at_least} and {at_most}; remove this claim, or make it about \
                 one network in an `arch`"
            );
            context.problems.push(NotExact::at(place.advice(help), space));
        }
    }
}

fn judge(
    context: &mut Context<'_, '_>,
    expect: &Expect,
    op: BinaryOp,
    a: (&Expr, Side),
    b: (&Expr, Side),
) {
    match &expect.tolerance {
        _ if op == BinaryOp::Near => compare_with_published(context, expect, a, b),
        None => verdict(context, expect, op, a, b),
        Some(tolerance) => {
            let source = context.source();
            let operator = source.at(between(&source, (a.0.span, b.0.span)));
            let says =
                |new: &str| format!("write `{new}` instead of `{}`, or remove it", op.symbol());
            let place = Place::new(&source, tolerance.span, "of an exact comparison")
                .fix(Fix::replace(operator, "~=", says));
            context.problems.push(NoTolerance::at(place));
        }
    }
}

/// How a number of networks comes to be another one, where that one counts otherwise.
fn counted_otherwise(side: &Side, other: &Value) -> &'static str {
    let Some(space) = &side.counted else { return "" };
    let is = |count: Result<BigUint, Entangled>| {
        count.is_ok_and(|count| compare(BinaryOp::Eq, &whole(count), other) == Some(true))
    };
    if is(nas_analysis::count_as_written(space)) {
        ": networks that differ only in what a `zero` cuts off count once"
    } else if is(nas_analysis::count_reading(space)) {
        ": networks that do not read their input count too"
    } else {
        ""
    }
}

fn verdict(
    context: &mut Context<'_, '_>,
    expect: &Expect,
    op: BinaryOp,
    a: (&Expr, Side),
    b: (&Expr, Side),
) {
    let ((left, a), (right, b)) = (a, b);
    let source = context.source();
    let text = |span: Span| source.text().get(span.range()).unwrap_or_default().to_owned();
    match compare(op, &a.value, &b.value) {
        Some(true) => {}
        Some(false) => {
            let mut place = Place::new(&source, expect.claim.span, "not so");
            place.labels.clear();
            for (side, value, other) in [(left, &a, &b), (right, &b, &a)] {
                let is = value.shown();
                // A number as it stands says itself.
                if value.is_figure || text(side.span) != is {
                    let also = counted_otherwise(value, &other.value);
                    place = place.label(side.span, format!("this is {is}{also}"));
                }
            }
            if place.labels.is_empty() {
                place = place.label(expect.claim.span, "not so");
            }
            if op == BinaryOp::Eq && (a.is_figure || b.is_figure) {
                let (figure, value) = if a.is_figure { (left, &a) } else { (right, &b) };
                let claim = format!("expect {} == {}", text(figure.span), value.shown());
                place = place.fix(Fix::write(source.at(expect.span), claim));
            }
            context.problems.push(ExpectFailed::at(place));
        }
        None => {
            let place = Place::new(&source, left.span, a.value.describe())
                .label(right.span, b.value.describe())
                .advice("compare numbers with numbers");
            context.problems.push(NoComparison::at(place));
        }
    }
}

/// What a measure is in a claim; `None` if there is no exact figure.
fn figure(costs: &Costs, measure: Measure) -> Option<Value> {
    match measure {
        Measure::Latency => costs.latency.map(seconds),
        Measure::PeakMemory if costs.peak_memory_is_bound => None,
        Measure::PeakMemory
        | Measure::Macs
        | Measure::Params
        | Measure::WeightBytes
        | Measure::Depth => costs.of(measure).map(whole),
    }
}

/// The first name in an expression that is one of these.
fn mentioned<'x>(expr: &'x Expr, is_one: &dyn Fn(&str) -> bool) -> Option<(&'x str, Span)> {
    match &expr.kind {
        ExprKind::Name(name) => is_one(name).then_some((name.as_str(), expr.span)),
        ExprKind::Binary(_, left, right) => {
            mentioned(left, is_one).or_else(|| mentioned(right, is_one))
        }
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => mentioned(inner, is_one),
        _ => None,
    }
}

/// Why a figure of a space is not known.
enum Lack {
    /// The target has no latency table.
    Table,
    /// No table of bounded size holds it, by these decisions.
    Entangled(String),
    /// It is the mean of what is no sum.
    NoSum,
    /// It has bounds.
    Between(Bounds),
}

impl Lack {
    fn entangled(space: &Space, entangled: &Entangled) -> Self {
        Self::Entangled(space.paths(entangled.decisions.iter().copied()))
    }
}

/// The least or the greatest of a measure over a space.
fn end_of_range(space: &Checked<Space>, measure: Measure, is_max: bool) -> Result<Value, Lack> {
    let bounded = |BoundedRange { min, max }: BoundedRange| {
        let bounds = if is_max { max } else { min };
        bounds.exact().map(whole).ok_or(Lack::Between(bounds))
    };
    match measure {
        Measure::PeakMemory => return bounded(nas_analysis::memory_range(space)),
        Measure::Depth => return bounded(nas_analysis::depth_range(space)),
        Measure::Latency if space.device.latency.is_none() => return Err(Lack::Table),
        Measure::Latency | Measure::Macs | Measure::Params | Measure::WeightBytes => {}
    }
    let lack = |entangled| Lack::entangled(space, &entangled);
    let range = nas_analysis::range(space, measure).map_err(lack)?;
    let end = if is_max { range.max } else { range.min };
    Ok(if measure == Measure::Latency { seconds(end) } else { whole(end) })
}

/// The mean of a measure over a space.
fn mean(space: &Checked<Space>, measure: Measure) -> Result<Value, Lack> {
    match measure {
        Measure::PeakMemory | Measure::Depth => return Err(Lack::NoSum),
        Measure::Latency if space.device.latency.is_none() => return Err(Lack::Table),
        Measure::Latency | Measure::Macs | Measure::Params | Measure::WeightBytes => {}
    }
    let moments = nas_analysis::moments(space, measure);
    let moments = moments.map_err(|entangled| Lack::entangled(space, &entangled))?;
    let unit = if measure == Measure::Latency { 1e9 } else { 1.0 };
    Ok(Value::Real(moments.mean / unit))
}

fn whole(figure: impl Into<BigInt>) -> Value {
    Value::Int(Int::from(figure.into()))
}

/// Nanoseconds in the unit in which the language computes.
fn seconds(nanoseconds: u64) -> Value {
    Value::Real(nanoseconds as f64 / 1e9)
}
