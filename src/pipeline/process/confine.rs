//! Confines the calling process to what decoding needs: no files, no network, no other processes, and no more memory
//! than a photo within the limits can take.

#[cfg(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
))]
mod kernel;

/// Stands in on systems without Landlock and seccomp.
#[cfg(not(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
)))]
mod kernel {
    pub fn no_files() -> bool {
        false
    }

    pub fn few_calls() -> bool {
        false
    }
}

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::message::Confinement;
use crate::imaging::Limits;

/// Address space of a process that decodes nothing: the program, its models, and what threads and the allocator reserve.
const BASE: u64 = 1 << 30;

/// Maximum bytes of memory per pixel. A decoder that computes in `f32` has twelve for the picture and as many for a
/// copy of it.
const BYTES_PER_PIXEL: u64 = 24;

/// Copies of a file, and of its parts, in memory.
const COPIES: u64 = 2;

/// Confines this process for good. It must not have other threads yet.
pub(super) fn confine() -> Confinement {
    // The process may not write a file, and if it dies, no byte of a photo may remain on the disk (core dump).
    lower(Resource::Core, 0);
    lower(Resource::Fsize, 0);
    // If memory runs out, the system shall kill this process, not the one that started it.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let files = kernel::no_files();
    Confinement {
        calls: kernel::few_calls(),
        files,
        memory: false,
    }
}

/// Limits the memory of this process to what a photo within `limits` may take; returns whether that succeeded.
pub(super) fn limit_memory(limits: &Limits) -> bool {
    let pixels = limits.max_pixels.saturating_mul(BYTES_PER_PIXEL);
    let files = limits.max_bytes.saturating_mul(COPIES);
    lower(
        Resource::As,
        BASE.saturating_add(pixels).saturating_add(files),
    )
}

/// Sets a limit that cannot be raised again.
fn lower(resource: Resource, to: u64) -> bool {
    let hard = getrlimit(resource).maximum.map_or(to, |hard| hard.min(to));
    let limit = Rlimit {
        current: Some(hard),
        maximum: Some(hard),
    };
    setrlimit(resource, limit).is_ok()
}
