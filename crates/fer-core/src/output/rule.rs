//! The rule that decides which files the output of a command may replace or rename.

use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Existing, failed, in_the_way, inspect, seal};
use crate::atomic;
use crate::error::{Error, Result};

/// Whether a file with this path and content is a photo.
type IsPhoto<'a> = dyn Fn(&Path, &[u8]) -> Result<bool> + 'a;

/// Protects files from the output of a command.
///
/// Input files (under any name) and photos are never replaced or renamed. Any other file that is in the way is kept
/// as well; with `--force` it is renamed.
pub struct Rule<'a> {
    force: bool,
    inputs: Vec<PathBuf>,
    is_photo: Box<IsPhoto<'a>>,
}

impl<'a> Rule<'a> {
    /// The rule of a command that reads `inputs`. `is_photo` is called for files that are in the way.
    pub fn new(
        force: bool,
        inputs: impl IntoIterator<Item = PathBuf>,
        is_photo: impl Fn(&Path, &[u8]) -> Result<bool> + 'a,
    ) -> Self {
        Self {
            force,
            inputs: inputs.into_iter().collect(),
            is_photo: Box::new(is_photo),
        }
    }

    /// Runs `work`, which writes to `paths`. All paths are checked first: each must be free or have a file with an
    /// intact seal. With `--force`, files in the way are renamed and their new names logged; if the work fails, they
    /// get their old names back.
    ///
    /// # Errors
    /// [`Error::Usage`] names the first path that may not be written to; otherwise the error of `work`.
    pub fn around<T>(&self, paths: &[PathBuf], work: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut in_the_way = Vec::new();
        for path in paths {
            if self.is_in_the_way(path)? && !in_the_way.contains(&path) {
                in_the_way.push(path);
            }
        }
        let mut moved = Vec::new();
        let done = in_the_way
            .into_iter()
            .try_for_each(|path| {
                let kept = set_aside(path)?;
                tracing::warn!("{} is kept as {}", path.display(), kept.display());
                moved.push((kept, path));
                Ok(())
            })
            .and_then(|()| work());
        if done.is_err() {
            for (kept, path) in moved {
                if let Err(error) = atomic::rename_new(&kept, path) {
                    tracing::warn!(
                        "cannot rename {} back to {}: {error}",
                        kept.display(),
                        path.display()
                    );
                }
            }
        }
        done
    }

    /// Whether [`Rule::around`] would have to rename the file at a path.
    ///
    /// # Errors
    /// [`Error::Usage`] if it may not be written to.
    pub fn is_in_the_way(&self, path: &Path) -> Result<bool> {
        if path.file_name().is_none() {
            return Err(Error::Usage(format!(
                "{} is not the path of a file; name a file to write to",
                path.display()
            )));
        }
        let refused = |why| Err(Error::Usage(format!("{} {why}", path.display())));
        if let Ok(there) = path.metadata()
            && self.inputs.iter().any(|input| is_same(input, path, &there))
        {
            return refused("is an input of this command; name another file to write to");
        }
        let Existing::File(content) = inspect(path)? else {
            return Ok(false);
        };
        if seal::is_intact(&content) {
            Ok(false)
        } else if (self.is_photo)(path, &content)? {
            refused(
                "is a photo or picture that fer-index did not make, and is not replaced; name another file to write to",
            )
        } else if self.force {
            Ok(true)
        } else {
            let advice = "name another file, or use --force to rename this one";
            Err(in_the_way(path, advice))
        }
    }
}

/// Whether both paths lead to the same file, by symbolic links or as hard links.
fn is_same(input: &Path, path: &Path, there: &Metadata) -> bool {
    let Ok(metadata) = input.metadata() else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if (metadata.dev(), metadata.ino()) == (there.dev(), there.ino()) {
            return true;
        }
    }
    let _ = (metadata, there);
    matches!((input.canonicalize(), path.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Renames a file to the first free name of `a (1).txt`, `a (2).txt`, …, and returns that path.
///
/// # Errors
/// If it cannot be renamed.
pub fn set_aside(path: &Path) -> Result<PathBuf> {
    for number in 1..=9999 {
        let kept = numbered(path, number);
        match atomic::rename_new(path, &kept) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            renamed => {
                return renamed
                    .map(|()| kept)
                    .map_err(|source| failed(path, source));
            }
        }
    }
    Err(failed(
        path,
        io::Error::other("all names from (1) to (9999) are taken"),
    ))
}

/// The path with a number before its extension.
pub fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(" ({number})"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Form, write};
    use super::*;

    fn rule(force: bool, inputs: &[&Path]) -> Rule<'static> {
        let inputs = inputs.iter().map(|path| path.to_path_buf());
        Rule::new(force, inputs, |_, content| Ok(content == b"photo"))
    }

    #[test]
    fn a_file_in_the_way_is_renamed_only_with_force_and_renamed_back_if_the_work_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, "mine").unwrap();
        let paths = [path.clone()];
        let work = || write(&path, Form::Lines, b"ours");
        let sentence = rule(false, &[]).around(&paths, work).unwrap_err();
        assert!(sentence.to_string().contains("--force"), "{sentence}");
        let failing = || Err::<(), _>(Error::Usage("no".into()));
        rule(true, &[]).around(&paths, failing).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        rule(true, &[]).around(&paths, work).unwrap();
        rule(false, &[]).around(&paths, work).unwrap();
        let kept = folder.path().join("a (1).toml");
        assert_eq!(fs::read(kept).unwrap(), b"mine");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn force_does_not_rename_photos_or_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let [photo, input, other] = ["photo", "input", "other"].map(|name| {
            let path = folder.path().join(name);
            fs::write(&path, name).unwrap();
            path
        });
        let hard = folder.path().join("hard");
        fs::hard_link(&input, &hard).unwrap();
        let dotted = folder.path().join("./input");
        let rule = rule(true, &[&input]);
        for (path, why) in [
            (&photo, "a photo"),
            (&input, "an input"),
            (&hard, "an input"),
            (&dotted, "an input"),
        ] {
            // If one of several files must not be renamed, none is.
            let paths = [other.clone(), path.clone()];
            let sentence = rule.around(&paths, || Ok(())).unwrap_err().to_string();
            assert!(sentence.contains(why), "{sentence}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
        assert!(other.exists());
    }
}
