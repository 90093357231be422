//! GPUs of NVIDIA in libtorch: which there are, how fast they multiply, and copies beside what they compute. libtorch's library
//! for them, `libtorch_cuda`, is loaded when it is first asked for, so that one build runs with it and without.

// The edge to C++.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::{env, fs};

use tch::{Device, TchError, Tensor};
use thiserror::Error;
use torch_sys::C_tensor;

/// The file of libtorch's library for GPUs.
const LIBRARY: &str = "libtorch_cuda.so";
/// The variable of the environment that names the folder of a libtorch.
const FOLDER: &str = "LIBTORCH";
/// The version of libtorch that this was built with.
const VERSION: &str = env!("LIBTORCH_VERSION");
/// The longest name of a GPU that is read, in bytes.
const NAME: usize = 256;

/// Why libtorch computes on no GPU.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoCuda {
    /// This libtorch is built for processors alone.
    #[error("libtorch in {} has no `{LIBRARY}`", _0.display())]
    NoLibrary(PathBuf),
    /// `LIBTORCH` names a libtorch of another version than this was built with.
    #[error("libtorch in {} is {found}, and nasc is built with {wanted}", folder.display())]
    OtherVersion {
        /// Its folder.
        folder: PathBuf,
        /// Its version, or what stands for it.
        found: String,
        /// That of the build.
        wanted: &'static str,
    },
    /// The library is there, and cannot be loaded.
    #[error("`{}` cannot be loaded: {reason}", path.display())]
    Broken {
        /// The library.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// libtorch finds no GPU, or no driver of one.
    #[error(
        "libtorch finds no GPU: there is none, or no driver for it, or `CUDA_VISIBLE_DEVICES` names none"
    )]
    NoGpu,
}

/// A GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// Its number, from 0, among those that the process sees.
    pub number: usize,
    /// Its name, as its driver says it; its number where that says none.
    pub name: String,
}

/// The GPUs that libtorch can use, at least one, in the order of their numbers. Loads its library for them when it is first
/// called, which takes a second or two: that of the folder `LIBTORCH`, or the one beside the libtorch that the process runs on.
///
/// # Errors
/// There is none, or no library for them.
pub fn gpus() -> Result<Vec<Gpu>, NoCuda> {
    static LOADED: OnceLock<Result<(), NoCuda>> = OnceLock::new();
    LOADED.get_or_init(load).clone()?;
    // SAFETY: it only asks.
    let count = unsafe { nas_cuda_count() };
    let gpus: Vec<Gpu> = (0..usize::try_from(count).unwrap_or_default()).map(Gpu::of).collect();
    if gpus.is_empty() { Err(NoCuda::NoGpu) } else { Ok(gpus) }
}

impl Gpu {
    fn of(number: usize) -> Self {
        let mut name = [0_u8; NAME];
        // SAFETY: the text has the length that is said, which keeps room for the zero at its end.
        let is_named = unsafe {
            nas_cuda_name(index(number), name.as_mut_ptr().cast(), index(NAME).saturating_sub(1))
        };
        let told = CStr::from_bytes_until_nul(&name).ok().filter(|_| is_named);
        let name = told.map(|name| name.to_string_lossy().into_owned());
        Self { number, name: name.unwrap_or_else(|| format!("GPU {number}")) }
    }

    /// Bytes of its memory that are free; none where that is not known.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        let mut bytes = 0;
        // SAFETY: it writes one number.
        unsafe { nas_cuda_free(index(self.number), &raw mut bytes) }.then_some(bytes)
    }

    /// Bytes that tensors on it have taken at most; none where that is not known.
    #[must_use]
    pub fn peak(&self) -> Option<u64> {
        let mut bytes = 0;
        // SAFETY: it writes one number.
        unsafe { nas_cuda_peak(index(self.number), &raw mut bytes) }.then_some(bytes)
    }
}

/// The folder of the libraries of the libtorch that the process runs on.
fn beside() -> Option<PathBuf> {
    // SAFETY: a text in memory of malloc, or null.
    let path = unsafe { text(nas_cuda_beside()) }?;
    Some(Path::new(&path).parent()?.to_owned())
}

/// The library of a folder of libtorch that the environment may name, or of the one beside.
fn library(named: Option<&Path>, beside: Option<PathBuf>) -> Result<PathBuf, NoCuda> {
    let of_named = named.map(|folder| folder.join("lib").join(LIBRARY));
    if let (Some(folder), Some(library)) = (named, of_named.filter(|library| library.is_file())) {
        let found = version(folder).unwrap_or_else(|| "of no known version".to_owned());
        // What stands behind a plus tells of which CUDA it is.
        if found.split('+').next() == Some(VERSION) {
            return Ok(library);
        }
        return Err(NoCuda::OtherVersion { folder: folder.to_owned(), found, wanted: VERSION });
    }
    let beside = beside.unwrap_or_default();
    let library = beside.join(LIBRARY);
    if library.is_file() { Ok(library) } else { Err(NoCuda::NoLibrary(beside)) }
}

/// The version of the libtorch in a folder: as a package of Python says it, or the archive for C++.
fn version(folder: &Path) -> Option<String> {
    let python = fs::read_to_string(folder.join("version.py")).ok();
    let of_python = python.and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
        Some(line.trim_matches(['\'', '"']).to_owned())
    });
    of_python.or_else(|| {
        let text = fs::read_to_string(folder.join("build-version")).ok()?;
        Some(text.trim().to_owned())
    })
}

fn load() -> Result<(), NoCuda> {
    let named = env::var_os(FOLDER).map(PathBuf::from);
    let path = library(named.as_deref(), beside())?;
    let broken = |reason| NoCuda::Broken { path: path.clone(), reason };
    let name = path.to_str().and_then(|path| CString::new(path).ok());
    let name = name.ok_or_else(|| broken("its path is no text".to_owned()))?;
    // SAFETY: the path ends with a zero; what it returns is a text in memory of malloc, or null.
    match unsafe { text(nas_cuda_load(name.as_ptr())) } {
        Some(reason) => Err(broken(reason)),
        None => Ok(()),
    }
}

/// Has GPUs multiply floats by their tensor cores, which keep 10 bits behind the point of each factor (TF32), as PyTorch has it
/// with `set_float32_matmul_precision("high")`, and try what is fastest for each convolution.
pub fn use_tensor_cores() {
    // SAFETY: it sets three numbers of libtorch.
    unsafe { nas_cuda_fast() };
}

/// Does something in which convolutions and products read and write bfloat16, and what needs more precision computes with
/// floats, as PyTorch's automatic mixed precision has it (Micikevicius et al. 2018; kernels stay floats).
pub fn in_bfloat16<R>(device: Device, act: impl FnOnce() -> R) -> R {
    struct Autocast(*mut c_void);
    impl Drop for Autocast {
        fn drop(&mut self) {
            // SAFETY: it was begun, and is ended once.
            unsafe { nas_autocast_end(self.0) };
        }
    }
    // SAFETY: it sets numbers of this thread.
    let _autocast = Autocast(unsafe { nas_autocast_begin(device.is_cuda()) });
    act()
}

/// A step of stochastic gradient descent, `v = momentum * v + g + decay * w`, then `w = w - rate * v`, of many tensors at once:
/// the weights `w`, the gradient `g` and the velocity `v` of each, of which weights and velocity change.
///
/// # Errors
/// They have different sizes, or no floats.
pub fn sgd(parts: &[[Tensor; 3]], momentum: f64, decay: f64, rate: f64) -> Result<(), TchError> {
    let tensors: Vec<*const C_tensor> = parts.iter().flatten().map(Tensor::as_ptr).collect();
    // SAFETY: three tensors of each, which live until it returns.
    let failed =
        unsafe { text(nas_cuda_sgd(tensors.as_ptr(), parts.len(), momentum, decay, rate)) };
    failed.map_or(Ok(()), |reason| Err(TchError::Torch(reason)))
}

/// A tensor on its way to a GPU, beside what that computes meanwhile.
#[derive(Debug)]
pub struct Copied(*mut c_void);

impl Copied {
    /// Begins to copy a tensor of the processor to a GPU of this number.
    ///
    /// # Errors
    /// Out of memory, or there is no such GPU.
    pub fn begin(from: &Tensor, gpu: usize) -> Result<Self, TchError> {
        let mut copied = null_mut();
        // SAFETY: the tensor lives until it returns.
        let failed = unsafe { text(nas_cuda_copy(from.as_ptr(), index(gpu), &raw mut copied)) };
        failed.map_or(Ok(Self(copied)), |reason| Err(TchError::Torch(reason)))
    }

    /// The copy, which what is computed from now on waits for.
    ///
    /// # Errors
    /// The copy failed.
    pub fn take(mut self) -> Result<Tensor, TchError> {
        let (begun, mut taken) = (std::mem::replace(&mut self.0, null_mut()), null_mut());
        // SAFETY: it was begun, and is taken once.
        let failed = unsafe { text(nas_cuda_take(begun, &raw mut taken)) };
        match failed {
            Some(reason) => Err(TchError::Torch(reason)),
            // SAFETY: a tensor that is ours.
            None => Ok(unsafe { Tensor::from_ptr(taken) }),
        }
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // SAFETY: it was begun, or is null.
        unsafe { nas_cuda_drop(self.0) };
    }
}

fn index(number: usize) -> c_int {
    c_int::try_from(number).unwrap_or(c_int::MAX)
}

/// A text in memory of malloc, which is freed; none for null.
///
/// # Safety
/// It is one, or null.
unsafe fn text(made: *mut c_char) -> Option<String> {
    if made.is_null() {
        return None;
    }
    // SAFETY: as above.
    unsafe {
        let text = CStr::from_ptr(made).to_string_lossy().into_owned();
        free(made.cast());
        Some(text)
    }
}

unsafe extern "C" {
    fn nas_cuda_beside() -> *mut c_char;
    fn nas_cuda_load(path: *const c_char) -> *mut c_char;
    fn nas_cuda_count() -> c_int;
    fn nas_cuda_name(device: c_int, name: *mut c_char, length: c_int) -> bool;
    fn nas_cuda_free(device: c_int, bytes: *mut u64) -> bool;
    fn nas_cuda_peak(device: c_int, bytes: *mut u64) -> bool;
    fn nas_cuda_fast();
    fn nas_autocast_begin(on_gpu: bool) -> *mut c_void;
    fn nas_autocast_end(begun: *mut c_void);
    fn nas_cuda_sgd(
        tensors: *const *const C_tensor,
        count: usize,
        momentum: f64,
        decay: f64,
        rate: f64,
    ) -> *mut c_char;
    fn nas_cuda_copy(from: *const C_tensor, device: c_int, copied: *mut *mut c_void)
    -> *mut c_char;
    fn nas_cuda_take(copied: *mut c_void, to: *mut *mut C_tensor) -> *mut c_char;
    fn nas_cuda_drop(copied: *mut c_void);
    fn free(memory: *mut c_void);
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    /// Where libtorch has no library for GPUs, or the machine none, that is told, and nothing else fails.
    #[test]
    fn what_is_missing_is_named() {
        match gpus() {
            Ok(gpus) => assert!(gpus.iter().all(|gpu| !gpu.name.is_empty())),
            Err(NoCuda::NoLibrary(folder)) => assert!(folder.join("libtorch_cpu.so").is_file()),
            Err(found) => assert_eq!(found, NoCuda::NoGpu),
        }
    }

    #[test]
    fn the_library_is_of_the_version_of_the_build() {
        let folder = tempfile::tempdir().unwrap();
        let (named, beside) = (folder.path().join("torch"), folder.path().join("own"));
        let put = |path: PathBuf, text: &str| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let found = || library(Some(&named), Some(beside.clone()));
        assert_eq!(found(), Err(NoCuda::NoLibrary(beside.clone())));
        put(beside.join(LIBRARY), "");
        assert_eq!(found(), Ok(beside.join(LIBRARY)));
        put(named.join("lib").join(LIBRARY), "");
        assert!(matches!(found(), Err(NoCuda::OtherVersion { .. })));
        put(named.join("version.py"), "__version__ = '1.0.0'\ndebug = False\n");
        assert!(found().unwrap_err().to_string().contains("is 1.0.0, and nasc"));
        put(named.join("version.py"), &format!("__version__ = '{VERSION}+cu130'\n"));
        assert_eq!(found(), Ok(named.join("lib").join(LIBRARY)));
        fs::remove_file(named.join("version.py")).unwrap();
        put(named.join("build-version"), &format!("{VERSION}\n"));
        assert_eq!(found(), Ok(named.join("lib").join(LIBRARY)));
        assert_eq!(library(None, Some(beside.clone())), Ok(beside.join(LIBRARY)));
    }

    /// libtorch makes such a step on a processor, too.
    #[test]
    fn a_step_moves_weights_and_velocity() {
        let numbers = |values: &[f32]| Tensor::from_slice(values);
        let parts = [
            [numbers(&[1.0, 2.0]), numbers(&[0.5, -1.0]), numbers(&[0.1, 0.2])],
            [numbers(&[-3.0]), numbers(&[0.0]), numbers(&[1.0])],
        ];
        sgd(&parts, 0.5, 0.1, 2.0).unwrap();
        let near = |tensor: &Tensor, wanted: &[f32]| {
            assert!(tensor.allclose(&numbers(wanted), 1e-6, 0.0, false), "{tensor:?}");
        };
        // 0.5 * 0.1 + 0.5 + 0.1 * 1 = 0.65; 0.5 * 0.2 - 1 + 0.1 * 2 = -0.7; 0.5 * 1 + 0 - 0.3 = 0.2.
        near(&parts[0][2], &[0.65, -0.7]);
        near(&parts[0][0], &[-0.3, 3.4]);
        near(&parts[1][2], &[0.2]);
        near(&parts[1][0], &[-3.4]);
    }

    #[test]
    fn bfloat16_is_for_products_and_ends() {
        let ones = Tensor::ones([2, 3, 4, 4], (Kind::Float, Device::Cpu));
        let kernel = Tensor::ones([5, 3, 1, 1], (Kind::Float, Device::Cpu));
        let product = || ones.conv2d(&kernel, None::<Tensor>, 1, 0, 1, 1);
        let (within, sum) = in_bfloat16(Device::Cpu, || (product(), ones.sum(Kind::Float)));
        assert_eq!((within.kind(), sum.kind()), (Kind::BFloat16, Kind::Float));
        assert_eq!(product().kind(), Kind::Float);
    }
}
