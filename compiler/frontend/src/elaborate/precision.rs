//! What numbers a part of a network computes with: `x -> unit(16, precision = int8)`.
//!
//! Every block and every operator takes the argument `precision`, unless it has a parameter of that name. It
//! holds for all that is made in the call, where a call inside does not say otherwise.

use nas_diagnostics::{Reported, suggested};
use nas_grammar::ast::Block;
use nas_ir::{Precision, Varied};

use super::elaborator::Elaborator;
use super::errors::WrongArgument;
use super::limits::{Eval, Sound};
use super::parameters::Given;
use super::value::Value;

/// The name of the argument.
const PRECISION: &str = "precision";

/// Whether a block has a parameter of that name, which is then one like any other.
pub(super) fn has_precision(block: &Block) -> bool {
    block.params.iter().any(|param| param.name.name == PRECISION)
}

impl Given<'_> {
    /// Whether it says what a call computes with.
    pub(super) fn is_precision(&self) -> bool {
        self.name.is_some_and(|name| name.name == PRECISION)
    }
}

impl<'p> Elaborator<'p, '_> {
    /// Takes `precision = …` out of the arguments of a call, if it is there.
    pub(super) fn take_precision(
        &mut self,
        callee: &str,
        given: &mut Vec<Given<'p>>,
    ) -> Eval<Sound<Option<Varied<Precision>>>> {
        let Some(place) = given.iter().position(Given::is_precision) else { return Ok(Ok(None)) };
        let given = given.remove(place);
        if let Some(reported) = given.value.reported() {
            return Ok(Err(reported));
        }
        let values = [given.value.clone()];
        let precision = self.lift_fixed(&values, given.span, &mut |this, picked| {
            let name = match picked {
                [Value::Text(name)] => Precision::named(name),
                _ => None,
            };
            name.ok_or_else(|| this.no_precision(callee, picked, &given))
        })?;
        Ok(precision.map(Some))
    }

    /// With what is made in `inner` computing with this precision; without one, as around it.
    pub(super) fn computing_with<T>(
        &mut self,
        precision: Option<Varied<Precision>>,
        inner: impl FnOnce(&mut Self) -> Eval<T>,
    ) -> Eval<T> {
        let Some(precision) = precision else { return inner(self) };
        let outer = self.precision.replace(precision);
        let result = inner(self);
        self.precision = outer;
        result
    }

    fn no_precision(&mut self, callee: &str, picked: &[Value], given: &Given<'_>) -> Reported {
        let found = picked.first().map(Value::describe).unwrap_or_default();
        let names = Precision::ALL.map(Precision::name);
        let source = self.source();
        let at = source.at(given.at);
        let help = suggested(at, at.text(), &names, "write one of");
        let place = self.place(given.span, format!("this is {found}")).help(help);
        self.report(WrongArgument::at(place, callee, PRECISION, "a precision", found))
    }
}
