//! What one photo may cost, and one file's way through a decoder under it.

use std::time::{Duration, Instant};

use super::format::Format;
use crate::error::{Skip, SkipReason};

/// What one photo may cost; more of it, and the photo is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file read, in bytes.
    pub max_bytes: u64,
    /// Most pixels decoded. A picture of this size takes three bytes a pixel, and up to twice to
    /// three times that while it is decoded.
    pub max_pixels: u64,
    /// Longest time spent on decoding.
    ///
    /// Safe Rust cannot interrupt a decoder, so the clock is read where a decoder asks for more
    /// bytes, and between the tiles of HEIC and AVIF. A lossy WebP and a single HEIC or AVIF tile
    /// are decoded from memory without asking; what bounds them is `max_pixels`.
    pub max_time: Duration,
}

impl Default for Limits {
    /// 512 MiB: a 16-bit scan of 80 megapixels, uncompressed. 250 megapixels: the 200 of today's
    /// largest phone sensors, and long panoramas. 60 s: what 250 megapixels of HEIC take on a
    /// machine three times slower than a laptop, so only a file built to be slow meets it.
    fn default() -> Self {
        Self {
            max_bytes: 512 << 20,
            max_pixels: 250_000_000,
            max_time: Duration::from_mins(1),
        }
    }
}

impl Limits {
    /// Refuses a file of more bytes than allowed.
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

/// The moment at which decoding must stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// The moment `time` from now; a time beyond the clock's range never comes.
    pub(super) fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// Whether it has passed.
    pub(super) fn has_passed(self) -> bool {
        self.0.is_some_and(|moment| Instant::now() >= moment)
    }
}

/// One file on its way through a decoder: its bytes, and what it may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) format: Format,
    pub(super) limits: &'a Limits,
    pub(super) deadline: Deadline,
}

impl<'a> Task<'a> {
    /// Starts the clock.
    pub(super) fn new(bytes: &'a [u8], format: Format, limits: &'a Limits) -> Self {
        Self {
            bytes,
            format,
            limits,
            deadline: Deadline::after(limits.max_time),
        }
    }

    /// Refuses a picture of no or too many pixels; called before its pixels are allocated.
    pub(super) fn check_size(&self, width: u32, height: u32) -> Result<(), Skip> {
        if width == 0 || height == 0 {
            return Err(self.damaged("its header gives a picture without pixels"));
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

    /// Refuses to go on after the deadline.
    pub(super) fn check_time(&self) -> Result<(), Skip> {
        if self.deadline.has_passed() {
            Err(self.timed_out())
        } else {
            Ok(())
        }
    }

    /// The skip of a file that takes too long.
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

    /// The skip of a file that is not what its format promises.
    pub(super) fn damaged(&self, trouble: impl std::fmt::Display) -> Skip {
        Skip::new(SkipReason::Damaged, format!("{}: {trouble}", self.format))
    }

    /// The skip of a file whose variant of the format has no decoder here.
    pub(super) fn unsupported(&self, variant: impl std::fmt::Display) -> Skip {
        Skip::new(
            SkipReason::UnsupportedFormat,
            format!("{}: {variant}", self.format),
        )
    }
}
