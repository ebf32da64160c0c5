//! Scratch buffers, which each thread keeps between calls: the page faults of newly allocated memory take longer than
//! the kernels that use it.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use crate::AlignedVec;

thread_local! {
    static BUFFERS: RefCell<Vec<AlignedVec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Floats of unspecified content; dropping them returns their memory to the current thread's buffers.
pub struct Buffer {
    values: AlignedVec<f32>,
    len: usize,
}

impl Buffer {
    /// Takes `len` floats from the current thread's buffers, or allocates them if there is no buffer.
    pub fn take(len: usize) -> Self {
        let mut values = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
        if values.len() < len {
            values.resize(len);
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
