//! Gradients of parameters that blocks of layers add where they belong, in one tensor, so that autograd knows of maps alone: a
//! supernet has thousands of parameters, and for each autograd would make a tensor, hand it on and forget it.
//!
//! While a gathering is open on this thread, a block that reads a parameter as it is takes it on ([`takes`]), and its gradient is
//! added ([`add`]) in the backward pass. What is read otherwise has its gradient from autograd, as ever.

use std::cell::RefCell;
use std::collections::HashMap;

use nas_autograd::{floats_mut, row_major_floats};
use tch::{Device, Kind, Tensor};

use crate::error::TorchError;

thread_local! {
    static OPEN: RefCell<Option<Places>> = const { RefCell::new(None) };
}

/// Where the gradients go.
struct Places {
    by_address: HashMap<usize, usize>,
    all: Vec<Place>,
    /// One after the other.
    values: Tensor,
    /// What every block that takes on parameters depends on, so that autograd comes by.
    anchor: Tensor,
}

/// Where that of a parameter goes.
#[derive(Clone, Copy)]
struct Place {
    first: usize,
    len: usize,
    /// How often the parameter was read, and taken on.
    reads: usize,
    taken: usize,
    is_written: bool,
}

/// An open gathering, of one thread.
pub(crate) struct Gathering(());

impl Gathering {
    /// Of the gradients of these parameters, on the processor; none where they are elsewhere, or another one is open.
    pub(crate) fn open(parameters: &[&Tensor]) -> Result<Option<Self>, TorchError> {
        let is_plain = |tensor: &&Tensor| {
            tensor.device() == Device::Cpu && tensor.kind() == Kind::Float && tensor.is_contiguous()
        };
        if parameters.is_empty() || !parameters.iter().all(is_plain) {
            return Ok(None);
        }
        let (mut by_address, mut all, mut first) = (HashMap::new(), Vec::new(), 0);
        for parameter in parameters {
            let len = parameter.numel();
            by_address.insert(address(parameter), all.len());
            all.push(Place { first, len, reads: 0, taken: 0, is_written: false });
            first += len;
        }
        let options = (Kind::Float, Device::Cpu);
        let values = Tensor::f_empty([first as i64], options)?;
        let anchor = Tensor::f_zeros([1], options)?.f_set_requires_grad(true)?;
        let places = Places { by_address, all, values, anchor };
        Ok(OPEN.with_borrow_mut(|open| {
            let is_free = open.is_none();
            open.get_or_insert(places);
            // Not before: one that is dropped closes what is open.
            is_free.then(|| Self(()))
        }))
    }

    /// What autograd has to be asked for: parameters that were also read otherwise than by blocks that took them on, each by its number, and the anchor.
    pub(crate) fn asked(&self) -> (Vec<usize>, Option<Tensor>) {
        OPEN.with_borrow(|open| {
            let Some(places) = open else { return (Vec::new(), None) };
            let others =
                places.all.iter().enumerate().filter(|(_, place)| place.reads > place.taken);
            (others.map(|(number, _)| number).collect(), Some(places.anchor.shallow_clone()))
        })
    }

    /// Adds the gradient of a parameter by its number.
    pub(crate) fn add(&self, number: usize, gradient: &Tensor) -> Result<(), TorchError> {
        let gradient = gradient.f_contiguous()?;
        OPEN.with_borrow_mut(|open| match open {
            Some(places) => places.add(number, row_major_floats(&gradient)?),
            None => Ok(()),
        })
    }

    /// What was gathered, one after the other: the numbers of the parameters that it is of, and the values.
    pub(crate) fn close(self) -> Result<(Vec<usize>, Tensor), TorchError> {
        let none = || TorchError::broken("a gathering that is not open");
        let mut places = OPEN.take().ok_or_else(none)?;
        let is_written = |(number, place): (usize, &Place)| place.is_written.then_some(number);
        let written: Vec<usize> = places.all.iter().enumerate().filter_map(is_written).collect();
        if written.len() == places.all.len() {
            return Ok((written, places.values));
        }
        // Those of parameters that no loss depends on are left out.
        let values = floats_mut(&mut places.values)?;
        let mut end = 0;
        for Place { first, len, .. } in places.all.iter().filter(|place| place.is_written) {
            values.copy_within(*first..first + len, end);
            end += len;
        }
        let values = places.values.f_narrow(0, 0, end as i64)?;
        Ok((written, values))
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        OPEN.take();
    }
}

impl Places {
    fn of(&mut self, tensor: &Tensor) -> Option<&mut Place> {
        let number = *self.by_address.get(&address(tensor))?;
        self.all.get_mut(number).filter(|place| place.len == tensor.numel())
    }

    fn add(&mut self, number: usize, gradient: &[f32]) -> Result<(), TorchError> {
        let faulty = || TorchError::broken("a gradient of another size than its parameter");
        let place = self.all.get_mut(number).ok_or_else(faulty)?;
        let values = floats_mut(&mut self.values)?;
        let own = values.get_mut(place.first..place.first + place.len).ok_or_else(faulty)?;
        if own.len() != gradient.len() {
            return Err(faulty());
        }
        if std::mem::replace(&mut place.is_written, true) {
            own.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += value);
        } else {
            own.copy_from_slice(gradient);
        }
        Ok(())
    }
}

/// Notes that something reads a parameter, whole or in part.
pub(crate) fn note_read(tensor: &Tensor) {
    OPEN.with_borrow_mut(|open| {
        let place = open.as_mut().and_then(|places| places.of(tensor));
        place.into_iter().for_each(|place| place.reads += 1);
    });
}

/// Whether a block takes a tensor on, whose values it reads row-major: it is a parameter as it is, of an open gathering.
pub(crate) fn takes(tensor: &Tensor) -> bool {
    OPEN.with_borrow_mut(|open| {
        let place = open.as_mut().and_then(|places| places.of(tensor));
        place.filter(|_| tensor.is_contiguous()).map(|place| place.taken += 1).is_some()
    })
}

/// What a block depends on that took on a parameter.
pub(crate) fn anchor() -> Option<Tensor> {
    OPEN.with_borrow(|open| open.as_ref().map(|places| places.anchor.shallow_clone()))
}

/// Adds the gradient of a parameter that a block took on.
pub(crate) fn add(tensor: &Tensor, gradient: &[f32]) -> Result<(), TorchError> {
    let closed = || TorchError::broken("a gradient that nothing gathers any more");
    OPEN.with_borrow_mut(|open| {
        let places = open.as_mut().ok_or_else(closed)?;
        let number = *places.by_address.get(&address(tensor)).ok_or_else(closed)?;
        places.add(number, gradient)
    })
}

fn address(tensor: &Tensor) -> usize {
    tensor.data_ptr() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(values: &[f32]) -> Tensor {
        Tensor::from_slice(values).set_requires_grad(true)
    }

    #[test]
    fn a_parameter_that_is_read_otherwise_too_has_all_of_its_gradient() {
        let [first, second] = [parameter(&[1.0, 2.0]), parameter(&[3.0])];
        let gathering = Gathering::open(&[&first, &second]).unwrap().unwrap();
        (0..2).for_each(|_| note_read(&first));
        note_read(&second);
        assert!(takes(&first.shallow_clone()) && takes(&second));
        let (asked, anchor) = gathering.asked();
        assert_eq!((asked, anchor.is_some()), (vec![0], true));
        add(&first, &[1.0, 2.0]).unwrap();
        add(&second, &[5.0]).unwrap();
        gathering.add(0, &Tensor::from_slice(&[3.0_f32, 4.0])).unwrap();
        assert!(add(&second, &[1.0, 2.0]).is_err());
        let (numbers, values) = gathering.close().unwrap();
        assert_eq!(numbers, [0, 1]);
        assert_eq!(Vec::<f32>::try_from(values).unwrap(), [4.0, 6.0, 5.0]);
        assert!(add(&first, &[1.0, 2.0]).is_err() && !takes(&first));
    }

    #[test]
    fn what_is_no_parameter_as_it_is_goes_through_autograd() {
        let (whole, unread) = (parameter(&[1.0, 2.0, 3.0]), parameter(&[4.0]));
        let gathering = Gathering::open(&[&unread, &whole]).unwrap().unwrap();
        assert!(Gathering::open(&[&whole]).unwrap().is_none(), "one is open");
        note_read(&whole);
        // It begins where the parameter does.
        assert!(!takes(&whole.narrow(0, 0, 2)) && !takes(&parameter(&[1.0])));
        assert_eq!(gathering.asked().0, [1]);
        gathering.add(1, &Tensor::from_slice(&[1.0_f32, 0.0, 2.0])).unwrap();
        let (numbers, values) = gathering.close().unwrap();
        assert_eq!(numbers, [1]);
        assert_eq!(Vec::<f32>::try_from(values).unwrap(), [1.0, 0.0, 2.0]);
        drop(Gathering::open(&[&whole]).unwrap().unwrap());
        assert!(Gathering::open(&[&whole]).unwrap().is_some());
    }
}
