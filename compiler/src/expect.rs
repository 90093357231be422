//! `expect`: claims about a space or a network that the compiler checks.

use nas_grammar::ast::{BinaryOp, Expect, Expr, ExprKind, Span};
use num_bigint::{BigInt, BigUint};

use crate::analyse;
use crate::check::Checked;
use crate::compile::Compiler;
use crate::elaborate::{Value, compare};
use crate::error::{Place, diagnostics};
use crate::int::Int;
use crate::ir::Space;
use crate::names::did_you_mean;
use crate::network::Cost;
use crate::measure::Measure;

diagnostics! {
    /// A claim that is not true.
    Error ExpectFailed [nas::expect::failed] "this expectation does not hold" {}
    /// A claim that is no comparison.
    Error NoComparison [nas::expect::comparison] "an expectation is a comparison" {}
    /// A measure that does not exist.
    Error UnknownMeasure [nas::expect::measure] "unknown measure `{name}`" { name: String }
    /// A figure that cannot be computed exactly.
    Error NotExact [nas::expect::entangled] "the decisions of `{space}` are too entangled for an exact figure" { space: String }
}

/// The measures of a network.
const NETWORK: [&str; 2] = ["macs", "params"];
/// The measures of a space.
const SPACE: [&str; 5] = ["count", "macs.min", "macs.max", "params.min", "params.max"];

/// One side of a claim.
struct Side {
    value: Value,
    /// Whether it is a figure of the network or the space, rather than a static value.
    is_figure: bool,
}

impl Compiler<'_, '_> {
    /// Checks a claim of an `arch` item about its network.
    pub(crate) fn expect_network(&mut self, expect: &Expect, cost: &Cost) {
        let figures = [("macs", cost.macs), ("params", cost.params)]
            .map(|(name, value)| (name, Value::Int(Int::from(BigInt::from(value)))));
        let sides = self.claim_sides(expect);
        let Some((op, left, right)) = sides else { return };
        let mut evaluate = |side: &Expr| {
            let is_figure =
                matches!(&side.kind, ExprKind::Name(name) if NETWORK.contains(&name.as_str()));
            if let ExprKind::Name(name) = &side.kind
                && !is_figure
                && self.program.constant(self.program.main(), name).is_none()
            {
                let help = did_you_mean(name, &NETWORK, "the measures of a network are");
                self.unknown_measure(side.span, name, help);
                return None;
            }
            let value = self.evaluate(side, &figures);
            (!value.is_poison()).then_some(Side { value, is_figure })
        };
        let (a, b) = (evaluate(left), evaluate(right));
        if let (Some(a), Some(b)) = (a, b) {
            self.verdict(expect, op, (left, a), (right, b));
        }
    }

    /// Checks a claim about spaces: `expect darts.count == 9 ^ 3`.
    pub(crate) fn expect_space(&mut self, expect: &Expect) {
        let Some((op, left, right)) = self.claim_sides(expect) else { return };
        let (a, b) = (self.space_side(left), self.space_side(right));
        if let (Some(a), Some(b)) = (a, b) {
            self.verdict(expect, op, (left, a), (right, b));
        }
    }

    fn claim_sides<'x>(&mut self, expect: &'x Expect) -> Option<(BinaryOp, &'x Expr, &'x Expr)> {
        use BinaryOp::{Eq, Ge, Gt, Le, Lt, Ne};
        match &expect.claim.kind {
            ExprKind::Binary(op @ (Eq | Ne | Lt | Le | Gt | Ge), left, right) => {
                Some((*op, left, right))
            }
            _ => {
                let source = self.source();
                let claim = source.text().get(expect.claim.span.range()).unwrap_or_default();
                let place = Place::new(&source, expect.claim.span, "not a comparison").help(
                    format!("compare it with `==`, `<=` or the like: `expect {claim} <= 300M`"),
                );
                self.problems.push(NoComparison::at(place));
                None
            }
        }
    }

    fn unknown_measure(&mut self, span: Span, name: &str, help: String) {
        let place = Place::new(&self.source(), span, "no such measure").help(help);
        self.problems.push(UnknownMeasure::at(place, name));
    }

    fn space_side(&mut self, side: &Expr) -> Option<Side> {
        let mut path = Vec::new();
        let mut root = side;
        while let ExprKind::Field(inner, field) = &root.kind {
            path.push(field.name.as_str());
            root = inner;
        }
        path.reverse();
        let name = match &root.kind {
            ExprKind::Name(name) if self.is_space(name) => name.clone(),
            ExprKind::Name(name) if !path.is_empty() => {
                self.unknown_space(name, root.span);
                return None;
            }
            _ => {
                let value = self.evaluate(side, &[]);
                return (!value.is_poison()).then_some(Side { value, is_figure: false });
            }
        };
        let space = self.space(&name, &[])?;
        let figure = match path.as_slice() {
            ["count"] => analyse::count(&space),
            ["macs", end @ ("min" | "max")] => end_of_range(&space, Measure::Macs, end),
            ["params", end @ ("min" | "max")] => end_of_range(&space, Measure::Params, end),
            _ => {
                let measure = path.join(".");
                let help = did_you_mean(&measure, &SPACE, "the measures of a space are");
                self.unknown_measure(side.span, &measure, help);
                return None;
            }
        };
        match figure {
            Ok(n) => Some(Side { value: Value::Int(Int::from(BigInt::from(n))), is_figure: true }),
            Err(_) => {
                let place = Place::new(&self.source(), side.span, "asked for here")
                    .help("remove this claim, or make it about one network in an `arch`");
                self.problems.push(NotExact::at(place, name));
                None
            }
        }
    }

    fn verdict(&mut self, expect: &Expect, op: BinaryOp, a: (&Expr, Side), b: (&Expr, Side)) {
        let ((left, a), (right, b)) = (a, b);
        let source = self.source();
        let text = |span: Span| source.text().get(span.range()).unwrap_or_default().to_owned();
        match compare(op, &a.value, &b.value) {
            Some(true) => {}
            Some(false) => {
                let mut place = Place::new(&source, expect.claim.span, "not so");
                place.labels.clear();
                for (side, value) in [(left, &a), (right, &b)] {
                    let is = value.value.to_string();
                    // A number as it stands says itself.
                    if value.is_figure || text(side.span) != is {
                        place = place.label(side.span, format!("this is {is}"));
                    }
                }
                if place.labels.is_empty() {
                    place = place.label(expect.claim.span, "not so");
                }
                if op == BinaryOp::Eq && (a.is_figure || b.is_figure) {
                    let (figure, value) = if a.is_figure { (left, &a) } else { (right, &b) };
                    let figure = text(figure.span);
                    place = place.help(format!("write `expect {figure} == {}`", value.value));
                }
                self.problems.push(ExpectFailed::at(place));
            }
            None => {
                let place = Place::new(&source, left.span, a.value.describe())
                    .label(right.span, b.value.describe())
                    .help("compare numbers with numbers");
                self.problems.push(NoComparison::at(place));
            }
        }
    }
}

fn end_of_range(
    space: &Checked<Space>,
    measure: Measure,
    end: &str,
) -> Result<BigUint, analyse::Entangled> {
    let range = analyse::range(space, measure)?;
    Ok(BigUint::from(if end == "min" { range.min } else { range.max }))
}
