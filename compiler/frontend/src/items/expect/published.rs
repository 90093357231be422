//! `~=`: a figure against what was published of it.

use std::sync::Arc;

use nas_diagnostics::{Fix, Place};
use nas_grammar::ast::{Expect, Expr, ExprKind};
use nas_ir::exact::{Exact, decimal};
use nas_ir::{Checked, Space};
use num_bigint::BigInt;
use num_traits::{Signed, Zero};

use super::errors::{ExpectFailed, NoComparison, NoPrecision};
use crate::context::Context;
use crate::elaborate::{Value, printed};

/// One side of a claim.
pub(super) struct Side {
    pub(super) value: Value,
    /// Whether it is a figure of the network or the space, rather than a static value.
    pub(super) is_figure: bool,
    /// The space whose count it is.
    pub(super) counted: Option<Arc<Checked<Space>>>,
    /// Whether it is a figure in seconds, which is written with its unit.
    pub(super) is_time: bool,
}

impl Side {
    /// The value as it is written.
    pub(super) fn shown(&self) -> String {
        let unit = if self.is_time { "s" } else { "" };
        format!("{}{unit}", self.value)
    }
}

/// A figure is near what was printed of it where that is what it rounds to, or where both are
/// not farther apart than the tolerance.
pub(super) fn compare_with_published(
    context: &mut Context<'_, '_>,
    expect: &Expect,
    a: (&Expr, Side),
    b: (&Expr, Side),
) {
    // What was printed is a number as it stands, on the right or on the left.
    let is_number = |side: &Expr| matches!(side.kind, ExprKind::Number(_));
    let is_turned = is_number(a.0) && !is_number(b.0);
    let ((figure, has), (print, says)) = if is_turned { (b, a) } else { (a, b) };
    let source = context.source();
    let (Some(exact), Some(published)) = (exact(&has.value), exact(&says.value)) else {
        let place = Place::new(&source, figure.span, has.value.describe())
            .label(print.span, says.value.describe())
            .advice("compare numbers with numbers");
        context.problems.push(NoComparison::at(place));
        return;
    };
    let percent = expect.tolerance.as_ref().and_then(|t| printed(&t.percent));
    let (published, apart) = match (&print.kind, percent) {
        (_, Some(percent)) => {
            let apart = published.abs() * percent.value / hundred();
            (published, apart)
        }
        (ExprKind::Number(literal), None)
            if expect.tolerance.is_none()
                && let Some(printed) = printed(literal) =>
        {
            (printed.value, printed.last_digit * half())
        }
        _ => {
            let place = Place::new(&source, print.span, "computed, not printed")
                .advice("write how far both may be apart: `within 1%`");
            context.problems.push(NoPrecision::at(place));
            return;
        }
    };
    let off = (exact - &published).abs();
    if off <= apart {
        return;
    }
    let text = |side: &Expr| source.text().get(side.span.range()).unwrap_or_default();
    let mut place = Place::new(&source, figure.span, format!("this is {}", has.shown()));
    let claim = |side: String| {
        Fix::write(source.at(expect.span), format!("expect {} {side}", text(figure)))
    };
    let share = if published.is_zero() { half() } else { off / published.abs() };
    // What is far away was hardly published of this.
    let is_far = share >= half();
    let percent = percent_above(&share);
    if !published.is_zero() {
        place = place.label(print.span, format!("{percent}% away from this"));
    }
    let place = place.fix(if is_far {
        claim(format!("== {}", has.shown()))
    } else {
        claim(format!("~= {} within {percent}%", text(print)))
    });
    context.problems.push(ExpectFailed::at(place));
}

fn exact(value: &Value) -> Option<Exact> {
    match value {
        Value::Int(n) => n.to_string().parse().ok().map(Exact::from_integer),
        Value::Real(r) => decimal(*r),
        _ => None,
    }
}

fn half() -> Exact {
    Exact::new(BigInt::from(1), BigInt::from(2))
}

fn hundred() -> Exact {
    Exact::from(BigInt::from(100))
}

/// The least number of percent that a share does not exceed, with one digit after the point, or two
/// below one percent.
fn percent_above(share: &Exact) -> String {
    let percent = share * hundred();
    let digits = if percent < Exact::from(BigInt::from(1)) { 2 } else { 1 };
    let scale = BigInt::from(10).pow(digits);
    let above = (percent * &scale).ceil().to_integer();
    let (whole, fraction) = (&above / &scale, &above % &scale);
    let digits = digits as usize;
    format!("{whole}.{fraction:0>digits$}").trim_end_matches('0').trim_end_matches('.').to_owned()
}
