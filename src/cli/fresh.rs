//! Waiting for the daemon before a question.

use std::time::Duration;

use clap::Args;

use crate::config::Config;
use crate::daemon;
use crate::error::{Error, Result};

#[derive(Debug, Args)]
pub(super) struct FreshArgs {
    /// First wait until everything that was closed before now is in the index; needs the daemon
    #[arg(long)]
    fresh: bool,
    /// For how many seconds to wait at most with --fresh
    #[arg(long, value_name = "SECONDS", default_value = "30", requires = "fresh")]
    fresh_within: u32,
}

impl FreshArgs {
    /// Waits, if that was asked for.
    pub fn wait(&self, config: &Config) -> Result<()> {
        if !self.fresh {
            return Ok(());
        }
        let limit = Duration::from_secs(self.fresh_within.max(1).into());
        daemon::wait_until_fresh(&config.database, limit)?.ok_or_else(|| {
            Error::Usage(
                "no daemon runs that could tell; start fer-index watch, or run fer-index index"
                    .into(),
            )
        })
    }
}
