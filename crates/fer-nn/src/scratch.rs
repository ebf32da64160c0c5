//! Buffers of each thread, kept between calls: fresh pages cost more than the work done in them.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Floats of unspecified content, which go back to the thread's store when dropped.
pub struct Buffer {
    values: Vec<f32>,
    len: usize,
}

impl Buffer {
    /// Borrows `len` floats.
    pub fn take(len: usize) -> Self {
        let mut values = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
        if values.len() < len {
            values.resize(len, 0.0);
        }
        Self { values, len }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        BUFFERS.with_borrow_mut(|buffers| buffers.push(values));
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.len]
    }
}
