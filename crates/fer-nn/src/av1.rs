//! A decoded AV1 frame whose memory can be released line by line.
//!
//! rav1d has all planes of a frame in one allocation, and frees it as a whole. When the planes are converted to pixels,
//! both would be in memory at once, so the pages of lines that have been read are returned to the system on the way.
//!
//! The decoder and its frame do not leave this module: nothing else refers to the memory of the planes when a page is
//! returned.
//!
//! rav1d's entry points are `extern "C"` functions, so a panic inside ends the process. Tens of thousands of damaged
//! files have caused none; in rav1d's own release 1.1.0, which lacks `re_rav1d`'s corrections, they do.

use std::marker::PhantomData;
use std::ops::Deref;

use re_rav1d::dav1d::pixel::{MatrixCoefficients, YUVRange};
use re_rav1d::dav1d::{Decoder, Picture, Plane, Settings};
pub use re_rav1d::dav1d::{Error, PixelLayout, PlanarImageComponent as Component};

/// The only reference to a decoded frame.
pub struct Frame(Picture);

/// A plane of a frame: its lines from the upper one on, [`Frame::stride`] bytes each.
pub struct Lines<'a> {
    plane: Plane,
    of: PhantomData<&'a Frame>,
}

impl Deref for Lines<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.plane
    }
}

impl Frame {
    /// Decodes the first frame of an item, on this thread.
    ///
    /// # Errors
    /// rav1d's error; also if the frame has more than `max_pixels`, or there is no frame.
    pub fn decode(item: Vec<u8>, max_pixels: u64) -> Result<Self, Error> {
        let mut settings = Settings::new();
        settings.set_n_threads(1);
        settings.set_all_layers(false);
        settings.set_frame_size_limit(u32::try_from(max_pixels).unwrap_or(u32::MAX));
        let mut decoder = Decoder::with_settings(&settings)?;
        // `TryAgain` from sending means that a frame must be taken first; from `get_picture`, that more data must be
        // sent. If `get_picture` returns it after all data were sent, the item has no frame.
        let mut sent = decoder.send_data(item, None, None, None);
        let picture = loop {
            if let Err(error) = sent
                && !error.is_again()
            {
                return Err(error);
            }
            match decoder.get_picture() {
                Ok(picture) => break picture,
                Err(error) if error.is_again() && sent.is_err() => {
                    sent = decoder.send_pending_data();
                }
                Err(error) => return Err(error),
            }
        };
        // The decoder also refers to the planes.
        drop(decoder);
        Ok(Self(picture))
    }

    /// The width in pixels.
    pub fn width(&self) -> u32 {
        self.0.width()
    }

    /// The height in pixels.
    pub fn height(&self) -> u32 {
        self.0.height()
    }

    /// Bits of a sample. Those of more than eight are stored in two bytes, in the byte order of the processor.
    pub fn bit_depth(&self) -> usize {
        self.0.bit_depth()
    }

    /// The subsampling of the colours.
    pub fn layout(&self) -> PixelLayout {
        self.0.pixel_layout()
    }

    /// The number of the conversion from RGB (ISO/IEC 23091-2).
    pub fn matrix(&self) -> MatrixCoefficients {
        self.0.matrix_coefficients()
    }

    /// Whether the samples have full range.
    pub fn is_full_range(&self) -> bool {
        self.0.color_range() == YUVRange::Full
    }

    /// The distance in bytes from a line of a plane to the next one.
    pub fn stride(&self, component: Component) -> usize {
        self.0.stride(component) as usize
    }

    /// A plane; a frame without colours has only that of luma.
    ///
    /// # Panics
    /// If there is no such plane.
    pub fn lines(&self, component: Component) -> Lines<'_> {
        Lines {
            plane: self.0.plane(component),
            of: PhantomData,
        }
    }

    /// Returns the memory of the lines of a plane from this one on, as far as they fill pages. The content of these
    /// lines is unspecified afterwards. Does nothing if the plane has no such line, or the system does not support
    /// this.
    ///
    /// # Panics
    /// If there is no such plane.
    pub fn release(&mut self, component: Component, from_line: usize) {
        let (start, length) = {
            let lines = self.lines(component);
            (
                from_line.saturating_mul(self.stride(component)),
                lines.len(),
            )
        };
        if start < length {
            let plane = self.0.plane_data_ptr(component).cast::<u8>();
            // SAFETY: `Lines` has just read the plane as `length` bytes from this pointer on, of which these are the
            // rest. They belong to rav1d's allocation of the picture. The picture is not shared: it was made in
            // `decode`, whose decoder is gone, and never leaves this type; planes that were returned borrow `self`. So
            // nothing reads or writes these bytes during the call, and any value of a byte is valid afterwards.
            unsafe { discard(plane.add(start), length - start) };
        }
    }
}

/// Returns the pages that are entirely within these bytes to the system, which replaces them by zeros on the next
/// access.
///
/// # Safety
/// The bytes must be in one allocation that may be written through `start`, and nothing else may access them during the
/// call.
#[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
unsafe fn discard(start: *mut u8, length: usize) {
    // SAFETY: sysconf takes no pointers, and only reads.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(0);
    if !page.is_power_of_two() {
        return;
    }
    let before = start.addr().wrapping_neg() % page;
    let Some(rest) = length.checked_sub(before) else {
        return;
    };
    let pages = rest - rest % page;
    if pages > 0 {
        // SAFETY: these are whole pages within the bytes of the caller, so they belong to the caller's allocation
        // alone. Of memory from the allocator, which is private and not of a file, the call makes zeros; if it fails,
        // it does nothing.
        unsafe { libc::madvise(start.add(before).cast(), pages, libc::MADV_DONTNEED) };
    }
}

/// Does nothing.
///
/// # Safety
/// There is nothing to observe.
#[cfg(not(all(target_os = "linux", target_env = "gnu", not(miri))))]
unsafe fn discard(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_discarded_and_nothing_beside_them() {
        const WHOLE: usize = 1 << 20;
        for (start, end) in [
            (0, WHOLE),
            (100_001, 700_003),
            (5, 6),
            (4_000, 4_200),
            (WHOLE, WHOLE),
        ] {
            let mut bytes = vec![7_u8; WHOLE];
            // SAFETY: the part lies within the vector, which nobody else uses.
            unsafe { discard(bytes.as_mut_ptr().add(start), end - start) };
            let kept = bytes[..start].iter().chain(&bytes[end..]);
            assert!(kept.into_iter().all(|&byte| byte == 7), "{start}..{end}");
            let zeros = bytes[start..end].split(|&byte| byte != 0).flatten().count();
            assert!(bytes[start..end].iter().all(|&byte| byte == 0 || byte == 7));
            if cfg!(all(target_os = "linux", target_env = "gnu", not(miri)))
                && end - start > 1 << 17
            {
                assert!(zeros + (1 << 17) >= end - start, "{start}..{end}: {zeros}");
            }
        }
    }
}
