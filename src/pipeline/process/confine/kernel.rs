//! Restricts a process with Landlock and seccomp (Linux).

/// Forbids opening files and making connections, as far as the kernel can (Landlock). Returns whether files are out of reach.
pub fn no_files() -> bool {
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

/// Allows only the system calls that computing and the open socket need; all others fail with `EPERM` (seccomp).
/// Returns whether that succeeded.
pub fn few_calls() -> bool {
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
