//! Values in memory that several processes map and none can change: weights of which each process would otherwise have
//! a copy.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Deref;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use memmap2::Mmap;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, memfd_create};
use rustix::process::{Resource, getrlimit};

/// Bytes of a cache line, at which each part begins.
const LINE: usize = 64;

/// What nobody can do any more with sealed memory.
const SEALS: SealFlags = SealFlags::WRITE
    .union(SealFlags::SHRINK)
    .union(SealFlags::GROW)
    .union(SealFlags::SEAL);

/// Writes parts one after the other into new memory, and seals it. The memory is freed when no process has it open or
/// mapped.
///
/// # Errors
/// If the system has no such memory left, or none that can be sealed.
pub fn write(parts: &[&[f32]]) -> io::Result<OwnedFd> {
    let padded = |part: &&[f32]| size_of_val(*part).next_multiple_of(LINE);
    let length: usize = parts.iter().map(padded).sum();
    // The limit of the size of files applies here, too, and the signal for exceeding it would end the process.
    let limit = getrlimit(Resource::Fsize).current;
    if limit.is_some_and(|limit| limit < length as u64) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("fer-index weights", flags)?);
    for part in parts {
        let bytes: &[u8] = bytemuck::cast_slice(part);
        file.write_all(bytes)?;
        file.write_all(&[0; LINE][..padding(bytes.len())])?;
    }
    fcntl_add_seals(&file, SEALS)?;
    Ok(file.into())
}

/// Bytes between a part of this length and the next cache line.
const fn padding(length: usize) -> usize {
    length.next_multiple_of(LINE) - length
}

/// Reads the parts that [`write()`] has written, in their order.
#[derive(Debug)]
pub struct Parts {
    memory: Arc<Mmap>,
    /// Where the next part begins, in bytes.
    next: usize,
}

impl Parts {
    /// Maps the memory.
    ///
    /// # Errors
    /// If it is not sealed, or cannot be mapped.
    pub fn map(memory: impl AsFd) -> io::Result<Self> {
        let memory = memory.as_fd();
        if !fcntl_get_seals(memory)?.contains(SEALS) {
            return Err(io::Error::other("the memory can still be changed"));
        }
        let file = File::from(memory.try_clone_to_owned()?);
        // SAFETY: the seals keep every process from writing to the memory and from shortening it, so what is mapped is
        // constant.
        let memory = Arc::new(unsafe { Mmap::map(&file)? });
        Ok(Self { memory, next: 0 })
    }

    /// The next part, of `len` values; `None` if less is left.
    pub fn take(&mut self, len: usize) -> Option<SharedSlice> {
        let bytes = len.checked_mul(size_of::<f32>())?;
        let end = self.next.checked_add(bytes)?;
        self.memory.get(self.next..end)?;
        let slice = SharedSlice {
            memory: Arc::clone(&self.memory),
            start: self.next,
            end,
        };
        self.next = end + padding(bytes);
        Some(slice)
    }
}

/// A part of the memory.
#[derive(Clone)]
pub struct SharedSlice {
    memory: Arc<Mmap>,
    /// In bytes.
    start: usize,
    /// In bytes.
    end: usize,
}

impl Deref for SharedSlice {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        bytemuck::cast_slice(&self.memory[self.start..self.end])
    }
}

impl fmt::Debug for SharedSlice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_they_were_written_and_begin_at_cache_lines() {
        let written: [&[f32]; 4] = [&[1.0, -2.5, f32::MIN_POSITIVE], &[], &[7.0; 16], &[8.0; 17]];
        let memory = write(&written).unwrap();
        let mut parts = Parts::map(&memory).unwrap();
        for part in written {
            let read = parts.take(part.len()).unwrap();
            assert_eq!(&*read, part);
            assert_eq!(read.as_ptr().addr() % LINE, 0);
        }
        assert!(parts.take(16).is_none());
        assert!(parts.take(usize::MAX).is_none());
    }

    #[test]
    fn nobody_can_change_what_is_mapped() {
        let memory = write(&[&[1.0; 100]]).unwrap();
        let part = Parts::map(&memory).unwrap().take(100).unwrap();
        let mut file = File::from(memory);
        assert!(file.write_all(&[1]).is_err());
        assert!(file.set_len(0).is_err());
        assert!(std::os::unix::fs::FileExt::write_at(&file, &[1], 0).is_err());
        drop(file);
        assert_eq!(&*part, [1.0; 100]);
    }

    #[test]
    fn memory_that_can_be_changed_is_not_mapped() {
        assert!(Parts::map(tempfile::tempfile().unwrap()).is_err());
        let unsealed = memfd_create("test", MemfdFlags::ALLOW_SEALING).unwrap();
        assert!(Parts::map(unsealed).is_err());
    }
}
