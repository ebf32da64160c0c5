//! What a command holds its outputs to.

use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Found, failed, in_the_way, look, seal};
use crate::atomic;
use crate::error::{Error, Result};

/// Tells a photo by its path and content.
type IsPhoto<'a> = dyn Fn(&Path, &[u8]) -> Result<bool> + 'a;

/// Which files stay whatever a command writes, and what is done with those that are in the way.
///
/// A file that is read, under whatever name, and a photo stay where they are, always. Any other file
/// that is in the way stays too; if the person insists (`--force`), under another name.
pub struct Rule<'a> {
    force: bool,
    inputs: Vec<PathBuf>,
    is_photo: Box<IsPhoto<'a>>,
}

impl<'a> Rule<'a> {
    /// For a command that reads `inputs`; `is_photo` is asked of files that are in the way.
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

    /// Does work that writes to `paths`, each of which is free or holds a file of ours by then. All of
    /// them are looked at before anything is done. With `--force` files in the way get other names,
    /// which are logged, and get theirs back if the work fails.
    ///
    /// # Errors
    /// [`Error::Usage`] names the first path that may not be written to; or what the work says.
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
                    tracing::warn!("{} stays {}: {error}", path.display(), kept.display());
                }
            }
        }
        done
    }

    /// Whether [`Rule::around`] would have to rename what is at a path.
    ///
    /// # Errors
    /// [`Error::Usage`] if it may not be written to.
    pub fn is_in_the_way(&self, path: &Path) -> Result<bool> {
        if path.file_name().is_none() {
            return Err(Error::Usage(format!(
                "{} is no name of a file; name a file to write to",
                path.display()
            )));
        }
        let refused = |why| Err(Error::Usage(format!("{} {why}", path.display())));
        if let Ok(there) = path.metadata()
            && self.inputs.iter().any(|input| is_same(input, path, &there))
        {
            return refused(
                "is one of the files that are read here; name another file to write to",
            );
        }
        let Found::File(content) = look(path)? else {
            return Ok(false);
        };
        if seal::is_whole(&content) {
            Ok(false)
        } else if (self.is_photo)(path, &content)? {
            refused(
                "is a photo or picture that fer-index did not make, and stays as it is; name another file to write to",
            )
        } else if self.force {
            Ok(true)
        } else {
            let advice = "name another file, or have this one renamed with --force";
            Err(in_the_way(path, advice))
        }
    }
}

/// Whether both paths lead to one file: by links, or as one of its hard links.
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

/// Gives a file the first free of the names `a (1).txt`, `a (2).txt`, …, which is returned.
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
    Err(failed(path, io::Error::other("no name is free for it")))
}

/// The path with a number before its ending.
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
    fn what_is_in_the_way_is_renamed_only_by_force_and_comes_back_if_the_work_fails() {
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
    fn no_force_moves_a_photo_or_an_input() {
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
            (&input, "are read"),
            (&hard, "are read"),
            (&dotted, "are read"),
        ] {
            // Nothing is moved where one of several may not be.
            let paths = [other.clone(), path.clone()];
            let sentence = rule.around(&paths, || Ok(())).unwrap_err().to_string();
            assert!(sentence.contains(why), "{sentence}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
        assert!(other.exists());
    }
}
