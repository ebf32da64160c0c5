//! A pool of database connections; each request that is being answered uses one.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::store::Store;

/// The open connections that are not in use.
#[derive(Debug)]
pub(super) struct Stores {
    path: PathBuf,
    idle: Mutex<Vec<Store>>,
}

impl Stores {
    /// A pool with one connection; more are opened when they are needed.
    pub fn new(store: Store) -> Result<Self> {
        store.keep_more_pages()?;
        Ok(Self {
            path: store.path().to_owned(),
            idle: Mutex::new(vec![store]),
        })
    }

    /// Opens a connection for the caller to keep.
    pub fn open(&self) -> Result<Store> {
        let store = Store::open_existing(&self.path)?;
        store.keep_more_pages()?;
        Ok(store)
    }

    /// Runs `work` with a connection of the pool.
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
