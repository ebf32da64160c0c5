//! Takes from the calling process what decoding does not need: files, the network, other processes, more memory than
//! the limits of a photo explain.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::message::Confinement;
use crate::imaging::Limits;

/// Address space of a process that decodes nothing: the program, its models, and what threads and the allocator reserve.
const BASE: u64 = 1 << 30;

/// Most bytes of memory per pixel. A decoder that computes in `f32` has twelve for the picture and as many for a
/// copy of it.
const BYTES_PER_PIXEL: u64 = 24;

/// Copies of a file, and of its parts, in memory.
const COPIES: u64 = 2;

/// Confines this process for good. It must not have other threads yet.
pub(super) fn confine() -> Confinement {
    // Of a photo, no byte may remain on the disk when a process dies, nor may it write a file.
    lower(Resource::Core, 0);
    lower(Resource::Fsize, 0);
    // If memory runs out, this process has to go, and not the one that started it.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let files = no_files();
    Confinement {
        calls: few_calls(),
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

/// Forbids opening files and making connections, as far as the kernel can (Landlock). Returns whether files are out of reach.
#[cfg(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
))]
fn no_files() -> bool {
    use landlock::{ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, Scope};

    let restrict = || {
        Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V6))?
            .handle_access(AccessNet::from_all(ABI::V6))?
            .scope(Scope::from_all(ABI::V6))?
            .create()?
            .restrict_self()
    };
    restrict().is_ok_and(|status| status.ruleset != landlock::RulesetStatus::NotEnforced)
}

/// Allows no other system calls than those of computing and of the socket that is open; all others fail with `EPERM`.
/// Returns whether that succeeded.
#[cfg(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
))]
fn few_calls() -> bool {
    use std::collections::BTreeMap;

    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, apply_filter_all_threads,
    };

    /// What the allocator, the standard library and the socket need. `setsockopt` and `prlimit64` are for the
    /// limits of time and memory.
    const ALLOWED: [i64; 32] = [
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_close,
        libc::SYS_fcntl,
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_getrandom,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_rseq,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_prlimit64,
    ];
    const EXEC: u64 = libc::PROT_EXEC as u64;

    let filter = || -> Result<BpfProgram, seccompiler::BackendError> {
        let only = |argument, op, value| {
            let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value)?;
            Ok::<_, seccompiler::BackendError>(vec![SeccompRule::new(vec![condition])?])
        };
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
            ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
        // No memory that can be executed, and no signal to another process.
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            rules.insert(call, only(2, SeccompCmpOp::MaskedEq(EXEC), 0)?);
        }
        let own = u64::from(std::process::id());
        rules.insert(libc::SYS_tgkill, only(0, SeccompCmpOp::Eq, own)?);
        let refused = SeccompAction::Errno(libc::EPERM as u32);
        let architecture = std::env::consts::ARCH.try_into()?;
        SeccompFilter::new(rules, refused, SeccompAction::Allow, architecture)?.try_into()
    };
    filter().is_ok_and(|program| apply_filter_all_threads(&program).is_ok())
}

/// There is no such facility here.
#[cfg(not(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
)))]
fn no_files() -> bool {
    false
}

/// There is no such facility here.
#[cfg(not(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
)))]
fn few_calls() -> bool {
    false
}
