//! Vectors whose memory begins at a cache line. A register of AVX-512 is as long as a line, so each load and store of a
//! vector that begins elsewhere touches two lines; `Vec` promises no more than the alignment of one value, and large
//! pieces from the C library begin sixteen bytes after a line.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use bytemuck::{Pod, Zeroable};

/// Bytes of a cache line, and of the longest register.
const LINE: usize = 64;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

/// A vector of plain values, the first of which is at the beginning of a cache line.
#[derive(Clone)]
pub struct AlignedVec<T> {
    lines: Vec<Line>,
    len: usize,
    values: PhantomData<T>,
}

impl<T: Pod> AlignedVec<T> {
    /// Sets the length. Values are kept and new ones are zeros, except that those of a vector that was longer before
    /// may return; memory is never released.
    pub fn resize(&mut self, len: usize) {
        let lines = (len * size_of::<T>()).div_ceil(LINE);
        if self.lines.len() < lines {
            self.lines.resize(lines, Line::zeroed());
        }
        self.len = len;
    }
}

impl<T> Default for AlignedVec<T> {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            len: 0,
            values: PhantomData,
        }
    }
}

impl<T: Pod> From<&[T]> for AlignedVec<T> {
    fn from(values: &[T]) -> Self {
        let mut aligned = Self::default();
        aligned.resize(values.len());
        aligned.copy_from_slice(values);
        aligned
    }
}

impl<T: Pod> From<Vec<T>> for AlignedVec<T> {
    fn from(values: Vec<T>) -> Self {
        values.as_slice().into()
    }
}

impl<T: Pod> Deref for AlignedVec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl<T: Pod> DerefMut for AlignedVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for AlignedVec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_begin_at_a_line_and_are_kept_when_the_length_grows() {
        let mut values = AlignedVec::from(vec![1.0_f32, 2.0, 3.0]);
        for len in [3, 16, 17, 5_000, 4] {
            values.resize(len);
            assert_eq!(values.len(), len);
            assert_eq!(values[..3], [1.0, 2.0, 3.0]);
            assert_eq!(values.as_ptr().addr() % LINE, 0);
        }
        let pairs = AlignedVec::from(vec![[7_i16, 8]; 5]);
        assert_eq!(*pairs, [[7, 8]; 5]);
        assert!(AlignedVec::<f32>::default().is_empty());
    }
}
