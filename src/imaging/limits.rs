//! Limits of the memory and time that decoding one photo may take.

use std::time::Duration;

use super::format::Format;
use crate::error::{Skip, SkipReason};

/// Limits for one photo; a photo that exceeds one of them is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Most pixels. A decoded picture takes three bytes per pixel; in most formats decoding takes little more
    /// (`docs/performance.md`).
    pub max_pixels: u64,
    /// Longest time for decoding, as CPU time.
    ///
    /// Safe Rust cannot interrupt a decoder, so the deadline is checked when a decoder reads more bytes, and with
    /// every row of coding blocks of HEIC. A lossy WebP and a tile of AVIF are decoded from memory without such
    /// a check; only `max_pixels` limits them.
    pub max_time: Duration,
}

impl Default for Limits {
    /// 512 MiB suffice for an uncompressed 16-bit scan of 80 megapixels. 250 megapixels suffice for phone sensors of
    /// 200 megapixels and for long panoramas. In 60 s a machine three times slower than a laptop decodes 250 megapixels
    /// of HEIC, so only files made to be slow exceed it.
    fn default() -> Self {
        Self {
            max_bytes: 512 << 20,
            max_pixels: 250_000_000,
            max_time: Duration::from_mins(1),
        }
    }
}

impl Limits {
    /// An error if a file has more bytes than allowed.
    pub(super) fn check_bytes(&self, bytes: u64) -> Result<(), Skip> {
        if bytes <= self.max_bytes {
            return Ok(());
        }
        let (mib, allowed) = (bytes >> 20, self.max_bytes >> 20);
        Err(Skip::new(
            SkipReason::TooLarge,
            format!("the file has {mib} MiB, more than the {allowed} MiB allowed"),
        ))
    }
}

/// When decoding must stop, in CPU time of the decoding thread, so that no photo exceeds its time only because the
/// machine is busy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Duration>);

impl Deadline {
    /// The deadline `time` from now; beyond the clock's range it never passes. Valid on this thread only.
    pub(super) fn after(time: Duration) -> Self {
        Self(thread_time().checked_add(time))
    }

    /// Whether the deadline has passed.
    pub(super) fn has_passed(self) -> bool {
        self.0.is_some_and(|end| thread_time() >= end)
    }
}

/// The CPU time of this thread so far.
#[cfg(unix)]
fn thread_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The time since the first call, for systems without a thread clock that safe code can read.
#[cfg(not(unix))]
fn thread_time() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// A file to decode, with its limits and deadline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) format: Format,
    pub(super) limits: &'a Limits,
    pub(super) deadline: Deadline,
}

impl<'a> Task<'a> {
    /// A task whose decoding time starts now.
    pub(super) fn new(bytes: &'a [u8], format: Format, limits: &'a Limits) -> Self {
        Self {
            bytes,
            format,
            limits,
            deadline: Deadline::after(limits.max_time),
        }
    }

    /// An error if a picture has no pixels or too many. Called before the pixels are allocated.
    pub(super) fn check_size(&self, width: u32, height: u32) -> Result<(), Skip> {
        if width == 0 || height == 0 {
            return Err(self.damaged("its header states a size of zero pixels"));
        }
        if u64::from(width) * u64::from(height) <= self.limits.max_pixels {
            return Ok(());
        }
        Err(Skip::new(
            SkipReason::TooLarge,
            format!(
                "{width} × {height} pixels are more than the {} megapixels allowed",
                self.limits.max_pixels / 1_000_000
            ),
        ))
    }

    /// An error after the deadline.
    pub(super) fn check_time(&self) -> Result<(), Skip> {
        if self.deadline.has_passed() {
            Err(self.timed_out())
        } else {
            Ok(())
        }
    }

    /// The skip for a file that takes too long.
    pub(super) fn timed_out(&self) -> Skip {
        let seconds = self.limits.max_time.as_secs_f32();
        Skip::new(
            SkipReason::TimedOut,
            format!(
                "decoding this {} takes longer than {seconds} s",
                self.format
            ),
        )
    }

    /// The skip for a file that violates its format.
    pub(super) fn damaged(&self, problem: impl std::fmt::Display) -> Skip {
        Skip::new(SkipReason::Damaged, format!("{}: {problem}", self.format))
    }

    /// The skip for a file in a variant of its format that no decoder here supports.
    pub(super) fn unsupported(&self, variant: impl std::fmt::Display) -> Skip {
        Skip::new(
            SkipReason::UnsupportedFormat,
            format!("{}: {variant}", self.format),
        )
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn the_time_for_which_a_thread_waits_does_not_count() {
        let deadline = Deadline::after(Duration::from_millis(20));
        std::thread::sleep(Duration::from_millis(60));
        assert!(!deadline.has_passed());
        while !deadline.has_passed() {
            std::hint::spin_loop();
        }
    }
}
