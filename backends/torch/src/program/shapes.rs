//! Shapes of values by decisions, and the proof that what reads a value meets the one it wants.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use nas_ir::Shape;
use nas_ir::diagram::{Combine, Diagram, Memo, Selectors};

use super::instruction::{InstructionKind, Program};
use super::table::{SelectId, Table, ValueId};
use crate::error::TorchError;

/// The shape of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The same under all decisions.
    One(Shape),
    /// By decisions: an index into the shapes of [`Shapes`].
    Several(Diagram),
}

/// What a value is wanted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// An instruction.
    Value(ValueId),
    /// An output of the program.
    Output,
}

/// That a value of several shapes has this one wherever its reader is needed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) reader: Reader,
    pub(crate) value: ValueId,
    /// The shapes of the value.
    pub(crate) by: Diagram,
    pub(crate) shape: Shape,
}

/// The shapes of values by decisions.
pub(crate) struct Shapes<'p> {
    program: &'p Program,
    /// A copy of the program's, with the diagrams that proofs need; made when there is one.
    store: Option<Selectors>,
    shapes: Vec<Shape>,
}

/// The shape of no operand so far, among the indices of shapes.
const OPEN: u32 = u32::MAX;

impl<'p> Shapes<'p> {
    pub(crate) fn new(program: &'p Program) -> Self {
        Self { program, store: None, shapes: Vec::new() }
    }

    /// The shape of a select among operands of these.
    ///
    /// # Errors
    /// The operands are of several ranks, or there are too few.
    pub(crate) fn select(&mut self, select: SelectId, forms: &[Form]) -> Result<Form, TorchError> {
        if let [first @ Form::One(_), rest @ ..] = forms
            && rest.iter().all(|form| form == first)
        {
            return Ok(*first);
        }
        let selector = self.program.selects.get(select)?.selector;
        let by = self.by(selector, forms);
        let store = self.store.as_ref().unwrap_or(&self.program.selectors);
        if store.room().is_err() {
            // What the store made since means nothing: `prove` leaves it at that.
            return Ok(Form::Several(by));
        }
        let shapes = store.leaves(by).into_iter().map(|&index| self.shapes.get(index as usize));
        let missing = || TorchError::broken("an operand is missing");
        let shapes = shapes.collect::<Option<Vec<&Shape>>>().ok_or_else(missing)?;
        let ranks: BTreeSet<usize> = shapes.iter().map(|shape| shape.dims().len()).collect();
        match shapes.as_slice() {
            [only] => Ok(Form::One(**only)),
            _ if ranks.len() > 1 => Err(TorchError::broken("maps and vectors are its operands")),
            _ => Ok(Form::Several(by)),
        }
    }

    /// The index of the shape of what a selector takes.
    fn by(&mut self, selector: Diagram, forms: &[Form]) -> Diagram {
        let program = self.program;
        let mut store = self.store.take().unwrap_or_else(|| program.selectors.clone());
        let fixed = forms.iter().map(|form| match form {
            Form::One(shape) => self.index(*shape),
            Form::Several(_) => OPEN,
        });
        let fixed: Vec<u32> = fixed.collect();
        let of = |operand: u32| fixed.get(operand as usize).copied().unwrap_or(OPEN);
        let mut result = store.rename(selector, &of);
        for (form, operand) in forms.iter().zip(0..) {
            let Form::Several(by) = *form else { continue };
            let is_taken = store.is(selector, operand);
            let of_taken = |&is_taken: &u32, &shape: &u32| if is_taken == 0 { OPEN } else { shape };
            let own = combine(&mut store, is_taken, by, &of_taken);
            let either = |&others: &u32, &own: &u32| if own == OPEN { others } else { own };
            result = combine(&mut store, result, own, &either);
        }
        self.store = Some(store);
        result
    }

    fn index(&mut self, shape: Shape) -> u32 {
        let known = self.shapes.iter().position(|known| *known == shape);
        let row = known.unwrap_or_else(|| {
            self.shapes.push(shape);
            self.shapes.len() - 1
        });
        row as u32
    }

    /// Proves all claims, as far as their conditions fit into tables of bounded size; gives those
    /// that are left. Where one of them is wrong, libtorch says so.
    ///
    /// # Errors
    /// The first claim that does not hold.
    pub(crate) fn prove(mut self, claims: &[Claim]) -> Result<&[Claim], TorchError> {
        let Some(store) = self.store.take().filter(|_| !claims.is_empty()) else {
            return Ok(&[]);
        };
        let mut needs = Needs::new(self.program, store, claims)?;
        let mut other = HashMap::new();
        let mut left = claims;
        while let [claim, rest @ ..] = left {
            let index = self.index(claim.shape);
            let store = &mut needs.store;
            let is_other = *other
                .entry((claim.by, index))
                .or_insert_with(|| store.rename(claim.by, &|found| u32::from(found != index)));
            let needed = needs.of(claim.reader)?;
            let misfits = needs.store.and_with(needed, is_other, &mut needs.and);
            if needs.store.room().is_err() {
                break;
            }
            if misfits != needs.never {
                return Err(TorchError::broken(format!("{claim} where it has another shape")));
            }
            left = rest;
        }
        Ok(left)
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reader, value, shape, .. } = self;
        match reader {
            Reader::Value(id) => write!(f, "{id} wants {value} as {shape}"),
            Reader::Output => write!(f, "an output wants {value} as {shape}"),
        }
    }
}

/// A function of two, value by value.
fn combine(
    store: &mut Selectors,
    a: Diagram,
    b: Diagram,
    values: &dyn Fn(&u32, &u32) -> u32,
) -> Diagram {
    store.apply(a, b, &Combine::by(values), &mut Default::default())
}

/// Under which decisions the outputs need values.
struct Needs {
    store: Selectors,
    never: Diagram,
    always: Diagram,
    and: Memo,
    or: Memo,
    /// For each value that was asked for, and for all that is computed from it.
    of: Table<ValueId, Option<Diagram>>,
}

impl Needs {
    fn new(program: &Program, mut store: Selectors, claims: &[Claim]) -> Result<Self, TorchError> {
        let (never, always) = (store.constant(0), store.constant(1));
        let (and, or) = (store.memo(), store.memo());
        let mut of = Table::from(vec![None; program.instructions.len()]);
        for claim in claims {
            if let Reader::Value(id) = claim.reader {
                *of.get_mut(id)? = Some(never);
            }
        }
        for (id, instruction) in program.instructions.iter() {
            for operand in &instruction.operands {
                let from_asked = of.get(*operand)?.is_some();
                let slot = of.get_mut(id)?;
                *slot = slot.or(from_asked.then_some(never));
            }
        }
        let added = program.train_outputs.iter().map(|added| added.output);
        for output in program.outputs.iter().copied().chain(added) {
            let slot = of.get_mut(output.value)?;
            *slot = slot.map(|_| always);
        }
        let mut needs = Self { store, never, always, and, or, of };
        needs.spread(program)?;
        Ok(needs)
    }

    /// From what reads a value to the value.
    fn spread(&mut self, program: &Program) -> Result<(), TorchError> {
        let mut taken = HashMap::new();
        for (id, instruction) in program.instructions.iter().rev() {
            let Some(own) = *self.of.get(id)? else { continue };
            for (operand, index) in instruction.operands.iter().zip(0..) {
                let Some(before) = *self.of.get(*operand)? else { continue };
                let need = match instruction.kind {
                    InstructionKind::Select(select) => {
                        let rule = program.selects.get(select)?;
                        let store = &mut self.store;
                        let is_taken = *taken
                            .entry((select, index))
                            .or_insert_with(|| store.is(rule.selector, index));
                        self.store.and_with(own, is_taken, &mut self.and)
                    }
                    InstructionKind::Input(_)
                    | InstructionKind::Op(_)
                    | InstructionKind::Mask(_)
                    | InstructionKind::Round(_)
                    | InstructionKind::Output => own,
                };
                let need = self.store.or_with(before, need, &mut self.or);
                *self.of.get_mut(*operand)? = Some(need);
            }
        }
        Ok(())
    }

    /// When a reader is needed.
    fn of(&self, reader: Reader) -> Result<Diagram, TorchError> {
        let Reader::Value(id) = reader else { return Ok(self.always) };
        let missing = || TorchError::broken(format!("nobody asked when {id} is needed"));
        self.of.get(id)?.ok_or_else(missing)
    }
}
