//! What every command that writes files holds them to.

use std::cell::OnceCell;
use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use crate::imaging::is_picture;
use crate::output::Rule;
use crate::store::Store;

/// The flag of commands that write files.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct ForceArgs {
    /// Write although something else is there: a file in the way is renamed to NAME (1), in a folder
    /// it stays beside; photos and files that are read stay as they are all the same
    #[arg(long)]
    pub force: bool,
}

impl ForceArgs {
    /// The rule for a command that reads `inputs`. Settings, model and database are always among
    /// them; a photo is told by its content and by the index, if there is one.
    pub fn rule(self, context: &Context, inputs: impl IntoIterator<Item = PathBuf>) -> Rule<'_> {
        let config = context.config();
        let own = [&config.database, &config.classifier.model];
        let own = own.into_iter().cloned();
        let own = own.chain([context.effective().file().to_owned()]);
        // Opened only where something is in the way.
        let index = OnceCell::new();
        Rule::new(self.force, own.chain(inputs), move |path, content| {
            if is_picture(content) {
                return Ok(true);
            }
            let index = index.get_or_init(|| Store::open_existing(&config.database).ok());
            match (index, path.canonicalize()) {
                (Some(index), Ok(path)) => Ok(index.file(&path)?.is_some()),
                _ => Ok(false),
            }
        })
    }
}
