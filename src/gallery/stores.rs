//! Connections to the database, one for each request that is being answered.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::store::Store;

/// Open databases that nobody uses at the moment.
#[derive(Debug)]
pub(super) struct Stores {
    path: PathBuf,
    idle: Mutex<Vec<Store>>,
}

impl Stores {
    /// Takes the first; more are opened as they are needed.
    pub fn new(store: Store) -> Self {
        Self {
            path: store.path().to_owned(),
            idle: Mutex::new(vec![store]),
        }
    }

    /// A database of the caller's own.
    pub fn open(&self) -> Result<Store> {
        Store::open_existing(&self.path)
    }

    /// Lends a database to `work`.
    pub fn with<T, E: From<crate::error::Error>>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let lent = idle().pop();
        let mut store = match lent {
            Some(store) => store,
            None => self.open()?,
        };
        let done = work(&mut store);
        idle().push(store);
        done
    }
}
