//! Functions with gradients of their own in libtorch's autograd, and loops on libtorch's threads: what `tch` does not offer.

// The edge to C++.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::slice;

use tch::kind::Element;
use tch::{Device, Kind, TchError, Tensor};
use torch_sys::C_tensor;

/// How the gradients of a function are computed.
pub trait Backward {
    /// The gradients with respect to the inputs for those with respect to the outputs, of which none is there for an
    /// output that nothing depends on. Of an input that is not `wanted` none need be computed.
    ///
    /// # Errors
    /// What failed, in words.
    fn gradients(
        &mut self,
        of: &[Option<Tensor>],
        wanted: &[bool],
    ) -> Result<Vec<Option<Tensor>>, String>;
}

/// Has autograd know that some tensors are what a function made of others: gradients of the outputs reach the inputs by
/// `backward`, which is dropped once it was used. What it keeps must not be the outputs themselves, but what
/// [`Tensor::detach`] makes of them. Does nothing where no input requires a gradient, or none are recorded.
///
/// # Errors
/// libtorch's.
pub fn record(
    outputs: &mut [&mut Tensor],
    inputs: &[&Tensor],
    backward: impl Backward + 'static,
) -> Result<(), TchError> {
    let outputs: Vec<*mut C_tensor> =
        outputs.iter_mut().map(|tensor| tensor.as_mut_ptr()).collect();
    let inputs: Vec<*const C_tensor> = inputs.iter().map(|tensor| tensor.as_ptr()).collect();
    let backward: Box<dyn Backward> = Box::new(backward);
    let context = Box::into_raw(Box::new(backward)).cast::<c_void>();
    // SAFETY: the pointers are to tensors that live until it returns; it owns the context.
    let failed = unsafe {
        nas_record(
            outputs.as_ptr(),
            outputs.len(),
            inputs.as_ptr(),
            inputs.len(),
            context,
            gradients,
            drop_context,
        )
    };
    // SAFETY: a text in memory of malloc, which is ours.
    if failed.is_null() { Ok(()) } else { Err(unsafe { said(failed) }) }
}

/// What failed, as it is told in memory of malloc, which is freed.
unsafe fn said(failed: *mut c_char) -> TchError {
    unsafe {
        let reason = CStr::from_ptr(failed).to_string_lossy().into_owned();
        free(failed.cast());
        TchError::Torch(reason)
    }
}

/// Whether what this thread computes is recorded for gradients.
#[must_use]
pub fn is_recording() -> bool {
    // SAFETY: it only asks.
    unsafe { nas_is_recording() }
}

/// Calls `task` with each number below `count`, on libtorch's threads, and returns when all are done.
///
/// A panic of a task ends the process.
pub fn parallel(count: usize, task: &(dyn Fn(usize) + Sync)) {
    extern "C" fn call(context: *mut c_void, number: i64) {
        // SAFETY: it is the task of the call below, which outlives the loop, and `Sync`.
        let task = unsafe { &*context.cast::<&(dyn Fn(usize) + Sync)>() };
        task(number as usize);
    }
    let context = (&raw const task).cast_mut().cast::<c_void>();
    // SAFETY: the task lives until the loop returns.
    unsafe { nas_parallel(count as i64, context, call) };
}

/// Has the memory of tensors that are gone be used again, instead of being given back to the system: a training step needs as
/// much as the one before, and memory of the system takes as long to clear as to fill.
pub fn keep_memory() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    // SAFETY: it sets two numbers of the allocator.
    ONCE.call_once(|| unsafe { nas_keep_memory() });
}

/// Has the memory of large tensors that are gone be given back to the system at once, where memory is short: none lies in gaps
/// between others, but it is cleared each time that it is asked for. From then on, whatever [`keep_memory`] said.
pub fn give_back_memory() {
    // SAFETY: it sets a number of the allocator.
    unsafe { nas_give_back_memory() };
}

/// What libtorch computes from its beginning to its end is noted in a file, as `chrome://tracing` and Perfetto read it.
pub struct Profile(*mut c_void);

impl Profile {
    /// Begins to note what this thread computes; none where the file cannot be written.
    #[must_use]
    pub fn begin(path: &Path) -> Option<Self> {
        let path = CString::new(path.to_str()?).ok()?;
        // SAFETY: the path ends with a zero.
        let profile = unsafe { nas_profile_begin(path.as_ptr()) };
        (!profile.is_null()).then_some(Self(profile))
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        // SAFETY: it was begun, and is ended once.
        unsafe { nas_profile_end(self.0) };
    }
}

/// Does something that is noted by this name where there is a [`Profile`].
pub fn noted<R>(name: &CStr, act: impl FnOnce() -> R) -> R {
    struct Note(*mut c_void);
    impl Drop for Note {
        fn drop(&mut self) {
            if !self.0.is_null() {
                // SAFETY: it was begun, and is ended once.
                unsafe { nas_note_end(self.0) };
            }
        }
    }
    // SAFETY: the name ends with a zero.
    let _note = Note(unsafe { nas_note_begin(name.as_ptr()) });
    act()
}

/// Whether the channels of a map `[N, C, H, W]` lie side by side in memory.
#[must_use]
pub fn is_channels_last(tensor: &Tensor) -> bool {
    // SAFETY: the tensor lives until it returns.
    unsafe { nas_is_channels_last(tensor.as_ptr()) }
}

/// How the elements of a tensor lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Maps `[N, C, H, W]` in the order `[N, H, W, C]`, others row-major.
    ChannelsLast,
    /// One row after the other.
    RowMajor,
}

/// The floats of a tensor on the processor: of maps `[N, C, H, W]` in the order `[N, H, W, C]`, of others row-major.
///
/// # Errors
/// They are not so in memory, no floats, or not on the processor.
pub fn floats(tensor: &Tensor) -> Result<&[f32], TchError> {
    let (first, count) = place(tensor, Order::ChannelsLast)?;
    // SAFETY: the tensor is dense, and has so many floats.
    Ok(unsafe { slice::from_raw_parts(first, count) })
}

/// The floats of a tensor on the processor, row-major whatever its sizes.
///
/// # Errors
/// As [`floats`].
pub fn row_major_floats(tensor: &Tensor) -> Result<&[f32], TchError> {
    let (first, count) = place(tensor, Order::RowMajor)?;
    // SAFETY: as above.
    Ok(unsafe { slice::from_raw_parts(first, count) })
}

/// As [`floats`], to be written. Nothing else must use the memory of the tensor meanwhile.
///
/// # Errors
/// As [`floats`].
pub fn floats_mut(tensor: &mut Tensor) -> Result<&mut [f32], TchError> {
    let (first, count) = place(tensor, Order::ChannelsLast)?;
    // SAFETY: as above.
    Ok(unsafe { slice::from_raw_parts_mut(first, count) })
}

/// Where the floats of a tensor begin, and how many there are.
fn place(tensor: &Tensor, order: Order) -> Result<(*mut f32, usize), TchError> {
    let (mut count, mut why) = (0, 0);
    // SAFETY: the tensor lives until it returns, and so do the numbers.
    let first = unsafe {
        nas_floats(tensor.as_ptr(), order == Order::RowMajor, &raw mut count, &raw mut why)
    };
    let what = match why {
        0 if first.is_null() => return Ok((std::ptr::NonNull::dangling().as_ptr(), 0)),
        0 => return Ok((first, count as usize)),
        1 => "other numbers",
        2 => "another device",
        _ => "another order",
    };
    Err(TchError::Kind(format!("{what} in the place of floats: {tensor:?}")))
}

/// A tensor on the processor of these values, row-major. (That of [`Tensor::f_from_slice`] is written twice, with zeros first.)
///
/// # Errors
/// There are more or fewer values than the sizes have, or libtorch's.
pub fn of_slice<T: Element + Copy>(values: &[T], sizes: &[i64]) -> Result<Tensor, TchError> {
    let tensor = Tensor::f_empty(sizes, (T::KIND, Device::Cpu))?;
    if tensor.numel() != values.len() {
        return Err(TchError::Shape(format!("{} values of sizes {sizes:?}", values.len())));
    }
    // SAFETY: the tensor is new, row-major, and has as many elements of this type.
    unsafe {
        let to = tensor.data_ptr().cast::<T>();
        std::ptr::copy_nonoverlapping(values.as_ptr(), to, values.len());
    }
    Ok(tensor)
}

/// The same of floats, in less time: it is called for the gradient of each parameter.
///
/// # Errors
/// As [`of_slice`].
pub fn of_floats(values: &[f32], sizes: &[i64]) -> Result<Tensor, TchError> {
    if sizes.iter().product::<i64>() != values.len() as i64 {
        return Err(TchError::Shape(format!("{} values of sizes {sizes:?}", values.len())));
    }
    let mut failed = std::ptr::null_mut();
    // SAFETY: there are as many values as the sizes have; the tensor is ours, and a text if there is none.
    unsafe {
        let tensor = nas_of_floats(values.as_ptr(), sizes.as_ptr(), sizes.len(), &raw mut failed);
        if tensor.is_null() { Err(said(failed)) } else { Ok(Tensor::from_ptr(tensor)) }
    }
}

/// The whole numbers of a tensor on the processor, row-major.
///
/// # Errors
/// They are not so in memory, others, or not on the processor.
pub fn whole_numbers(tensor: &Tensor) -> Result<&[i64], TchError> {
    if tensor.kind() != Kind::Int64 || tensor.device() != Device::Cpu || !tensor.is_contiguous() {
        return Err(TchError::Kind(format!("{tensor:?} in the place of whole numbers")));
    }
    if tensor.numel() == 0 {
        return Ok(&[]);
    }
    // SAFETY: the tensor is dense, and has so many of them.
    Ok(unsafe { slice::from_raw_parts(tensor.data_ptr().cast::<i64>(), tensor.numel()) })
}

type Gradients = extern "C" fn(
    *mut c_void,
    *const *const C_tensor,
    usize,
    *const u8,
    usize,
    *mut c_void,
) -> *mut c_char;

unsafe extern "C" {
    fn nas_floats(
        tensor: *const C_tensor,
        row_major: bool,
        count: *mut i64,
        why: *mut i32,
    ) -> *mut f32;
    fn nas_of_floats(
        values: *const f32,
        sizes: *const i64,
        dims: usize,
        failed: *mut *mut c_char,
    ) -> *mut C_tensor;
    fn nas_is_channels_last(tensor: *const C_tensor) -> bool;
    fn nas_is_recording() -> bool;
    fn nas_record(
        outputs: *const *mut C_tensor,
        output_count: usize,
        inputs: *const *const C_tensor,
        input_count: usize,
        context: *mut c_void,
        gradients: Gradients,
        drop: extern "C" fn(*mut c_void),
    ) -> *mut c_char;
    fn nas_give(taken: *mut c_void, input: usize, gradient: *const C_tensor);
    fn nas_keep_memory();
    fn nas_give_back_memory();
    fn nas_profile_begin(path: *const c_char) -> *mut c_void;
    fn nas_profile_end(profile: *mut c_void);
    fn nas_note_begin(name: *const c_char) -> *mut c_void;
    fn nas_note_end(note: *mut c_void);
    fn nas_parallel(count: i64, context: *mut c_void, task: extern "C" fn(*mut c_void, i64));
    fn strdup(text: *const c_char) -> *mut c_char;
    fn free(memory: *mut c_void);
}

extern "C" fn gradients(
    context: *mut c_void,
    given: *const *const C_tensor,
    count: usize,
    wanted: *const u8,
    inputs: usize,
    taken: *mut c_void,
) -> *mut c_char {
    let computed = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the context is that of `record`, which only one thread uses at a time; there are `count` pointers, each to a tensor or
        // null, and `inputs` flags.
        let (backward, given, wanted) = unsafe {
            (
                &mut *context.cast::<Box<dyn Backward>>(),
                slice::from_raw_parts(given, count),
                slice::from_raw_parts(wanted, inputs),
            )
        };
        let of = given.iter().map(|&tensor| {
            // SAFETY: it is a tensor, which is not changed.
            (!tensor.is_null()).then(|| unsafe { Tensor::clone_from_ptr(tensor.cast_mut()) })
        });
        let wanted: Vec<bool> = wanted.iter().map(|&wanted| wanted != 0).collect();
        let gradients = backward.gradients(&of.collect::<Vec<_>>(), &wanted)?;
        for (input, gradient) in gradients.iter().enumerate().take(inputs) {
            if let Some(gradient) = gradient {
                // SAFETY: `taken` has a place for each input.
                unsafe { nas_give(taken, input, gradient.as_ptr()) };
            }
        }
        Ok::<(), String>(())
    }));
    let reason = match computed {
        Ok(Ok(())) => return std::ptr::null_mut(),
        Ok(Err(reason)) => reason,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
            text.unwrap_or_else(|| "a gradient failed".to_owned())
        }
    };
    let text: Vec<u8> = reason.bytes().filter(|&byte| byte != 0).chain([0]).collect();
    // SAFETY: the text ends with a zero.
    unsafe { strdup(text.as_ptr().cast()) }
}

extern "C" fn drop_context(context: *mut c_void) {
    // SAFETY: it was made by `record`, and is dropped once.
    drop(unsafe { Box::from_raw(context.cast::<Box<dyn Backward>>()) });
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// `y = 3 x`, and whether its gradient was dropped.
    struct Triple {
        _kept: Rc<()>,
    }

    impl Backward for Triple {
        fn gradients(
            &mut self,
            of: &[Option<Tensor>],
            wanted: &[bool],
        ) -> Result<Vec<Option<Tensor>>, String> {
            assert_eq!(wanted, [true]);
            let [of] = of else { return Err("one output".to_owned()) };
            Ok(vec![of.as_ref().map(|of| of * 3.0)])
        }
    }

    struct Failing;

    impl Backward for Failing {
        fn gradients(
            &mut self,
            _: &[Option<Tensor>],
            _: &[bool],
        ) -> Result<Vec<Option<Tensor>>, String> {
            Err("it fails".to_owned())
        }
    }

    #[test]
    fn gradients_reach_inputs_and_are_dropped_afterwards() {
        let x = Tensor::from_slice(&[1.0_f32, 2.0]).set_requires_grad(true);
        let kept = Rc::new(());
        let mut y = tch::no_grad(|| &x * 3.0);
        record(&mut [&mut y], &[&x], Triple { _kept: kept.clone() }).unwrap();
        assert!(y.requires_grad());
        y.square().sum(tch::Kind::Float).backward();
        assert_eq!(Vec::<f32>::try_from(x.grad()).unwrap(), [18.0, 36.0]);
        assert_eq!(Rc::strong_count(&kept), 1);
        let mut unread = tch::no_grad(|| &x * 3.0);
        tch::no_grad(|| record(&mut [&mut unread], &[&x], Triple { _kept: kept.clone() })).unwrap();
        assert!(!unread.requires_grad());
        assert_eq!(Rc::strong_count(&kept), 1);
    }

    #[test]
    fn what_fails_backward_is_told() {
        let x = Tensor::from_slice(&[1.0_f32]).set_requires_grad(true);
        let mut y = tch::no_grad(|| &x * 3.0);
        record(&mut [&mut y], &[&x], Failing).unwrap();
        let error = y.f_sum(tch::Kind::Float).unwrap().f_backward().unwrap_err();
        assert!(error.to_string().contains("it fails"), "{error}");
    }

    #[test]
    fn floats_of_maps_have_channels_last() {
        let map =
            Tensor::from_slice(&[0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]).view([1, 2, 2, 2]);
        assert!(floats(&map).is_err());
        let map = map.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
        assert_eq!(floats(&map).unwrap(), [0.0, 4.0, 1.0, 5.0, 2.0, 6.0, 3.0, 7.0]);
        assert!(floats(&map.to_kind(Kind::Double)).is_err());
        assert!(floats(&map.slice(3, 0, 1, 1)).is_err());
        let mut vector = Tensor::from_slice(&[1.0_f32, 2.0]);
        floats_mut(&mut vector).unwrap()[1] = 3.0;
        assert_eq!(Vec::<f32>::try_from(vector).unwrap(), [1.0, 3.0]);
    }

    #[test]
    fn each_number_is_a_task_once() {
        let seen: Vec<AtomicU32> = (0..100).map(|_| AtomicU32::new(0)).collect();
        parallel(seen.len(), &|number| {
            seen[number].fetch_add(1, Ordering::Relaxed);
        });
        assert!(seen.iter().all(|seen| seen.load(Ordering::Relaxed) == 1));
    }
}
