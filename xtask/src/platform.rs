//! What a build needs from which package, for each platform that has a libtorch by pip.

use std::env::consts::{ARCH, OS};

use anyhow::{Result, bail};

/// The header that every C++ file of ours includes; stands for all of `torch/include`.
const HEADER: &str = "torch/include/torch/csrc/api/include/torch/torch.h";

/// A platform on which `setup` can fetch libtorch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    /// Linux with glibc on x86-64.
    LinuxX86,
    /// macOS on Apple silicon.
    MacArm,
}

impl Platform {
    /// The platform that this program runs on.
    pub(crate) fn here() -> Result<Self> {
        Self::named(OS, ARCH)
    }

    fn named(os: &str, arch: &str) -> Result<Self> {
        match (os, arch) {
            ("linux", "x86_64") => Ok(Self::LinuxX86),
            ("macos", "aarch64") => Ok(Self::MacArm),
            _ => bail!(
                "there is no libtorch by pip that nasc knows for {os} on {arch}\n\
                 help: set LIBTORCH to the absolute path of a libtorch 2.11 folder (the one that \
                 holds lib/ and include/)"
            ),
        }
    }

    /// The pip requirements, exactly pinned.
    pub(crate) fn packages(self) -> &'static [&'static str] {
        match self {
            Self::LinuxX86 => {
                &["torch==2.11.0", "nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85"]
            }
            Self::MacArm => &["torch==2.11.0"],
        }
    }

    /// The shared libraries, by their paths inside the wheels.
    ///
    /// `libtorch_cpu.so` loads cudart and cupti even where there is no GPU, and finds them by its
    /// rpath `$ORIGIN/../../nvidia/cu13/lib`. `libtorch_cuda.so` is left out on purpose: torch-sys
    /// would link it, and the binary would start on no machine without it.
    fn libraries(self) -> &'static [&'static str] {
        match self {
            Self::LinuxX86 => &[
                "torch/lib/libtorch_cpu.so",
                "torch/lib/libc10.so",
                "torch/lib/libtorch.so",
                "torch/lib/libgomp.so.1",
                "nvidia/cu13/lib/libcudart.so.13",
                "nvidia/cu13/lib/libcupti.so.13",
            ],
            Self::MacArm => &[
                "torch/lib/libtorch_cpu.dylib",
                "torch/lib/libc10.dylib",
                "torch/lib/libtorch.dylib",
                "torch/lib/libomp.dylib",
            ],
        }
    }

    /// Files without which the folder is not whole.
    pub(crate) fn required(self) -> impl Iterator<Item = &'static str> {
        self.libraries().iter().copied().chain([HEADER])
    }

    /// Whether this member of a wheel is to be unpacked.
    pub(crate) fn wants(self, member: &str) -> bool {
        let header = member.starts_with("torch/include/") && !member.ends_with('/');
        header || self.libraries().contains(&member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_takes_the_cpu_part_and_what_it_loads() {
        let wanted = |member| Platform::LinuxX86.wants(member);
        assert!(wanted("torch/lib/libtorch_cpu.so"));
        assert!(wanted("torch/lib/libgomp.so.1"));
        assert!(wanted("torch/include/ATen/ATen.h"));
        assert!(wanted("nvidia/cu13/lib/libcudart.so.13"));
        assert!(!wanted("torch/lib/libtorch_cuda.so"));
        assert!(!wanted("torch/lib/libtorch_python.so"));
        assert!(!wanted("torch/include/"));
        assert!(!wanted("torch/nn/modules/conv.py"));
        assert!(!wanted("nvidia/cu13/lib/libcudart_static.a"));
        assert!(!wanted("nvidia/cu13/lib/libnvperf_host.so"));
        assert!(!wanted("nvidia/cu13/include/cuda.h"));
    }

    #[test]
    fn macos_takes_dylibs_and_no_cuda() {
        let wanted = |member| Platform::MacArm.wants(member);
        assert!(wanted("torch/lib/libtorch_cpu.dylib"));
        assert!(wanted("torch/lib/libomp.dylib"));
        assert!(!wanted("torch/lib/libtorch_python.dylib"));
        assert!(!wanted("torch/lib/libtorch_cpu.so"));
        assert_eq!(Platform::MacArm.packages(), ["torch==2.11.0"]);
    }

    #[test]
    fn what_is_required_is_also_unpacked() {
        for platform in [Platform::LinuxX86, Platform::MacArm] {
            assert!(platform.required().all(|path| platform.wants(path)));
        }
    }

    #[test]
    fn an_unknown_platform_is_told_about_libtorch() {
        let error = Platform::named("windows", "x86_64").unwrap_err().to_string();
        assert!(error.contains("windows on x86_64") && error.contains("LIBTORCH"), "{error}");
    }
}
