//! The flag `--fresh`: waits until the daemon has indexed all files saved so far.

use std::time::Duration;

use clap::Args;

use crate::config::Config;
use crate::daemon;
use crate::error::{Error, Result};

#[derive(Debug, Args)]
pub(super) struct FreshArgs {
    /// First wait until all files that were saved before now are indexed; `fer-index watch` must be running
    #[arg(long)]
    fresh: bool,
    /// With --fresh: the longest time to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", requires = "fresh")]
    fresh_within: u32,
}

impl FreshArgs {
    /// Waits if `--fresh` was given.
    pub fn wait(&self, config: &Config) -> Result<()> {
        if !self.fresh {
            return Ok(());
        }
        let limit = Duration::from_secs(self.fresh_within.max(1).into());
        daemon::wait_until_fresh(&config.database, limit)?.ok_or_else(|| {
            Error::Usage(
                "--fresh needs a running daemon; start fer-index watch, or run fer-index index instead"
                    .into(),
            )
        })
    }
}
