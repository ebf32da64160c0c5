//! Limits how much freed memory the allocator keeps, for a process that runs for weeks.
//!
//! The GNU C library keeps freed memory in one arena for each thread, and returns a page to the
//! system only when no allocation on the page is in use. The more arenas there are, the more pages
//! hold a live allocation: after indexing 50,000 photos, the daemon kept 9 MiB of free memory, 4 MiB
//! with [`trim`] alone and 1 MiB with both functions.

/// Limits malloc to one arena; large allocations are too rare for contention.
///
/// Call it before the first thread starts, since existing arenas stay.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn use_one_arena() {
    // SAFETY: mallopt takes no pointers; under the allocator's own lock it stores the number that
    // it is given, and M_ARENA_MAX is one of its parameters.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Maps each large allocation from now on, and returns it to the system when it is freed. Without this, the C library takes
/// further ones of the size of one that was freed from the heap, where what is allocated later keeps its memory apart.
///
/// For a phase after which most memory is freed, such as loading a network.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn map_large() {
    /// The C library's own threshold before anything is freed.
    const MMAP_THRESHOLD: i32 = 128 << 10;
    // SAFETY: as in `use_one_arena`.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    }
}

/// Keeps up to this many bytes of freed memory for later, and serves allocations of up to 32 MiB from it: otherwise the
/// system would zero every page again, which is a tenth of the time of a photo.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep_freed(bytes: i32) {
    /// The largest value that the C library accepts.
    const MAX_MMAP_THRESHOLD: i32 = 32 << 20;
    // SAFETY: mallopt takes no pointers; under the allocator's own lock it stores the numbers that it is given, and
    // both are among its parameters.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAX_MMAP_THRESHOLD);
        libc::mallopt(libc::M_TRIM_THRESHOLD, bytes);
    }
}

/// Returns freed memory to the system; costs a few milliseconds.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn trim() {
    // SAFETY: malloc_trim takes no pointers, is thread-safe (MT-Safe in the C library's manual), and
    // releases only memory that no allocation uses.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Does nothing: other allocators have no such setting.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const fn use_one_arena() {}

/// Does nothing: other allocators have no such setting.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const fn map_large() {}

/// Does nothing: other allocators have no such setting.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const fn keep_freed(_: i32) {}

/// Does nothing: other allocators return freed memory on their own.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const fn trim() {}
