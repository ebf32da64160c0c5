//! Limits the memory of the images in flight, so that several panoramas at once do not exhaust it.

use std::io::Cursor;
use std::sync::{Condvar, Mutex, PoisonError};

use image::ImageReader;

/// Bytes per pixel during decoding: the decoder's planes and the RGB image made from them.
const BYTES_PER_PIXEL: u64 = 6;

/// Bytes of memory per byte of the file, where the header does not contain the image's size.
const EXPANSION: u64 = 16;

/// A budget of bytes that workers share. A request for more than the whole budget waits until all
/// other shares are returned, and then proceeds.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: u64,
    in_use: Mutex<u64>,
    released: Condvar,
}

impl Budget {
    pub fn new(bytes: u64) -> Self {
        Self {
            bytes,
            in_use: Mutex::new(0),
            released: Condvar::new(),
        }
    }

    /// Waits until `bytes` are available and takes them; they are returned when the share is
    /// dropped.
    pub fn reserve(&self, bytes: u64) -> Reservation<'_> {
        let bytes = bytes.min(self.bytes);
        let in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let mut in_use = self
            .released
            .wait_while(in_use, |in_use| *in_use + bytes > self.bytes)
            .unwrap_or_else(PoisonError::into_inner);
        *in_use += bytes;
        Reservation {
            budget: self,
            bytes,
        }
    }
}

/// A part of the budget, returned on drop.
#[derive(Debug)]
pub(super) struct Reservation<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let in_use = &self.budget.in_use;
        *in_use.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.budget.released.notify_all();
    }
}

/// Estimates how many bytes it takes to decode a file.
pub(super) fn decoding_cost(file: &[u8]) -> u64 {
    let length = file.len() as u64;
    let size = ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .ok()
        .and_then(|reader| reader.into_dimensions().ok());
    let decoded = match size {
        Some((width, height)) => u64::from(width) * u64::from(height) * BYTES_PER_PIXEL,
        None => length.saturating_mul(EXPANSION),
    };
    length.saturating_add(decoded)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn all_shares_together_stay_within_the_budget() {
        let budget = Budget::new(100);
        let in_use = AtomicU64::new(0);
        thread::scope(|scope| {
            for worker in 0..4 {
                let (budget, in_use) = (&budget, &in_use);
                scope.spawn(move || {
                    for round in 0..200 {
                        let bytes = 10 + (worker * 37 + round * 13) % 90;
                        let reservation = budget.reserve(bytes);
                        assert!(in_use.fetch_add(bytes, Ordering::SeqCst) + bytes <= 100);
                        in_use.fetch_sub(bytes, Ordering::SeqCst);
                        drop(reservation);
                    }
                });
            }
        });
        // A request for more than the whole budget proceeds once no share is in use.
        drop(budget.reserve(1000));
        assert_eq!(*budget.in_use.lock().unwrap(), 0);
    }

    #[test]
    fn the_cost_of_a_picture_is_by_its_pixels_and_of_other_files_by_their_length() {
        let mut png = Cursor::new(Vec::new());
        let picture = image::RgbImage::new(300, 200);
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        let png = png.into_inner();
        assert_eq!(decoding_cost(&png), png.len() as u64 + 300 * 200 * 6);
        assert_eq!(decoding_cost(b"no picture"), 170);
    }
}
