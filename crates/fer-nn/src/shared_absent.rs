//! Stands in for [`shared`](self) on systems without memory that can be sealed: nothing is shared.

use std::io;
use std::ops::Deref;

/// Never exists.
#[derive(Debug)]
pub enum Parts {}

impl Parts {
    /// Never called.
    pub fn take(&mut self, _: usize) -> Option<SharedSlice> {
        match *self {}
    }
}

/// Never exists.
#[derive(Debug, Clone)]
pub enum SharedSlice {}

impl Deref for SharedSlice {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match *self {}
    }
}

/// Always fails.
///
/// # Errors
/// Always.
#[cfg(unix)]
pub fn write(_: &[&[f32]]) -> io::Result<std::os::fd::OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
impl Parts {
    /// Always fails.
    ///
    /// # Errors
    /// Always.
    pub fn map(_: impl std::os::fd::AsFd) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
