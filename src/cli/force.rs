//! The flag `--force`, and the rule that protects files from the output of a command.

use std::cell::OnceCell;
use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use crate::imaging::is_picture;
use crate::output::Rule;
use crate::store::Store;

/// The flag `--force` of commands that write files.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct ForceArgs {
    /// Write the output although something is in the way: a file in the way is renamed to NAME (1); links
    /// and copies are added beside the other content of a folder. Photos and input files are never renamed
    #[arg(long)]
    pub force: bool,
}

impl ForceArgs {
    /// The rule for a command that reads `inputs`. Settings, model and database always count as inputs. A file is a
    /// photo if its content is an image or if the index, should one exist, has it.
    pub fn rule(self, context: &Context, inputs: impl IntoIterator<Item = PathBuf>) -> Rule<'_> {
        let config = context.config();
        // SQLite's companion files are not opened here: closing one would release SQLite's locks on it.
        let companions = ["-wal", "-shm", "-journal"].map(|ending| {
            let mut name = config.database.clone().into_os_string();
            name.push(ending);
            PathBuf::from(name)
        });
        let own = [&config.database, &config.classifier.model];
        let own = own.into_iter().cloned().chain(companions);
        let own = own.chain([context.effective().file().to_owned()]);
        // Opened only if something is in the way.
        let index = OnceCell::new();
        Rule::new(self.force, own.chain(inputs), move |path, content| {
            if is_picture(content) {
                return Ok(true);
            }
            let index = index.get_or_init(|| Store::open_existing(&config.database).ok());
            match index {
                Some(index) => match index.find_path(path)? {
                    Some(path) => Ok(index.file(&path)?.is_some()),
                    None => Ok(false),
                },
                None => Ok(false),
            }
        })
    }
}
