//! The weights of the classifier in memory that the processes of a run share.

use std::os::fd::OwnedFd;
use std::sync::OnceLock;

use fer_nn::allocator;

use crate::classify::Cnn;

/// Freed memory that is kept for the bytes of the next photos, in bytes.
const MAX_FREED_MEMORY: i32 = 16 << 20;

/// The weights, from when a second process needs them: a run of one photo, or of none, has no use for such memory.
#[derive(Debug)]
pub(super) struct SharedWeights {
    /// The name of the model file.
    name: String,
    /// `None` if the system has no such memory.
    memory: OnceLock<Option<OwnedFd>>,
}

impl SharedWeights {
    /// The weights of a model file with this name, or without a name of the built-in model.
    pub const fn new(name: String) -> Self {
        Self {
            name,
            memory: OnceLock::new(),
        }
    }

    /// The memory, which is written at the first call, from the bytes of the model file.
    pub fn memory(&self, model: &[u8]) -> Option<&OwnedFd> {
        let write = || {
            allocator::map_large();
            let written = Cnn::load(model, &self.name, None)
                .ok()
                .map(|cnn| cnn.write_shared());
            keep_memory();
            written?
                .inspect_err(|error| tracing::debug!(%error, "each process has weights of its own"))
                .ok()
        };
        self.memory.get_or_init(write).as_ref()
    }

    /// Whether the memory has been written.
    pub fn are_written(&self) -> bool {
        matches!(self.memory.get(), Some(Some(_)))
    }
}

/// Keeps freed memory for the bytes of photos, which all workers take from one arena, one after the other.
pub(super) fn keep_memory() {
    allocator::keep_freed(MAX_FREED_MEMORY);
}
