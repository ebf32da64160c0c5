//! Changes one setting in the user's configuration file and keeps everything else, comments included.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, Table, Value, value};

use crate::error::{Error, Result};
use crate::output;
use crate::real_path::resolve_links;

/// With which some editors begin a file.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Sets `name` in `[section]` to a string in a configuration file, which is created if it does not exist, and returns the
/// path of what was written: if the file is a symbolic link, as from a folder of dotfiles, that of the file to which it
/// leads. The link stays.
///
/// # Errors
/// If the file is not TOML or a link into a folder that is not there, the section's name is a setting in it, or it cannot
/// be written. The file is then unchanged.
pub fn set(file: &Path, section: &str, name: &str, text: &str) -> Result<PathBuf> {
    let file = &target(file)?;
    let before = match fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(source) => {
            return Err(Error::Io {
                path: file.to_owned(),
                source,
            });
        }
    };
    let refused = |problem: String| Error::Config(format!("{}: {problem}", file.display()));
    let after = with_setting(before.as_deref().unwrap_or_default(), section, name, text)
        .map_err(refused)?;
    let before = before.as_deref().map(str::as_bytes);
    output::edit(file, before, after.as_bytes())?;
    Ok(file.clone())
}

/// A configuration file's text with a setting that is set to a string; or why it cannot be set.
fn with_setting(before: &str, section: &str, name: &str, text: &str) -> Result<String, String> {
    let (mark, content) = match before.strip_prefix(BYTE_ORDER_MARK) {
        Some(content) => (BYTE_ORDER_MARK, content),
        None => ("", before),
    };
    let document = Document::parse(content).map_err(|error| error.message().to_owned())?;
    let table = match document.get(section) {
        Some(item) => Some(
            item.as_table_like()
                .ok_or(format!("`{section}` is not a section; remove this setting"))?,
        ),
        None => None,
    };
    // Only the bytes of an existing value are replaced: toml_edit would drop a comment behind it.
    let existing = table.and_then(|table| table.get(name));
    if let Some(place) = existing.and_then(Item::as_value).and_then(Value::span) {
        let (head, tail) = (&content[..place.start], &content[place.end..]);
        return Ok(format!("{mark}{head}{}{tail}", Value::from(text)));
    }
    let mut document = document.into_mut();
    let table = document
        .entry(section)
        .or_insert_with(|| Item::Table(Table::new()));
    if let Some(table) = table.as_table_like_mut() {
        table.insert(name, value(text));
    }
    let mut after = document.to_string();
    // toml_edit writes `\n`, but within multi-line strings what was read.
    if content.contains("\r\n") && !content.replace("\r\n", "").contains('\n') {
        after = after.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    Ok(format!("{mark}{after}"))
}

/// The file to which a path leads if it is a symbolic link, and the path itself if not.
fn target(file: &Path) -> Result<PathBuf> {
    if !file.is_symlink() {
        return Ok(file.to_owned());
    }
    let target = resolve_links(file).map_err(|source| Error::Io {
        path: file.to_owned(),
        source,
    })?;
    // The folder is not made: it may be that of a disk that is not mounted.
    if target.parent().is_some_and(Path::is_dir) {
        Ok(target)
    } else {
        Err(Error::Config(format!(
            "{} is a link to {}, whose folder is not there; make the folder or remove the link",
            file.display(),
            target.display()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_setting_changes_and_everything_else_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/config.toml");
        set(&file, "classifier", "model", "/m").unwrap();
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            "[classifier]\nmodel = \"/m\"\n"
        );
        let check = |before: &str, after: &str| {
            fs::write(&file, before).unwrap();
            set(&file, "classifier", "model", "/m").unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), after);
        };
        for text in [
            "threads = 2 # two\n\n[classifier] # faces\n# mine\nmodel = \"/x\"\n",
            "[classifier]\nmodel  =   \"/x\"   # the best so far\n# end",
            "\u{feff}threads = 2\r\n[classifier]\r\n\tmodel = \"/x\"\t# mine\r\n",
            "threads = 2\r\n# other line ends\nclassifier.model = \"/x\" # mine",
            "classifier = { model = \"/x\" } # mine\n",
        ] {
            check(text, &text.replace("/x", "/m"));
        }
        check(
            "\u{feff}threads = 2 # two\r\n",
            "\u{feff}threads = 2 # two\r\n\r\n[classifier]\r\nmodel = \"/m\"\r\n",
        );
        check(
            "[classifier] # faces\n# end\n",
            "[classifier] # faces\nmodel = \"/m\"\n# end\n",
        );
        fs::write(&file, "classifier = 3").unwrap();
        let refusal = set(&file, "classifier", "model", "/m").unwrap_err();
        assert!(
            refusal
                .to_string()
                .contains("`classifier` is not a section")
        );
    }
    #[cfg(unix)]
    #[test]
    fn a_link_is_written_through_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let at = |name: &str| folder.join(name);
        fs::create_dir(at("dotfiles")).unwrap();
        fs::write(at("dotfiles/fer.toml"), "threads = 2\n").unwrap();
        for (link, leads_to) in [
            ("config.toml", "dotfiles/fer.toml"),
            ("twice.toml", "config.toml"),
            ("new.toml", "dotfiles/new.toml"),
            ("offline.toml", "disk/fer.toml"),
        ] {
            std::os::unix::fs::symlink(leads_to, at(link)).unwrap();
        }
        let set = |link: &str| set(&at(link), "classifier", "model", link);
        for (link, written) in [
            ("config.toml", "dotfiles/fer.toml"),
            ("twice.toml", "dotfiles/fer.toml"),
            ("new.toml", "dotfiles/new.toml"),
        ] {
            assert_eq!(set(link).unwrap(), at(written));
            let text = fs::read_to_string(at(written)).unwrap();
            assert!(text.contains(&format!("model = {link:?}")), "{text}");
            assert!(at(link).is_symlink());
        }
        let text = fs::read_to_string(at("dotfiles/fer.toml")).unwrap();
        assert!(text.starts_with("threads = 2\n"), "{text}");
        let refusal = set("offline.toml").unwrap_err().to_string();
        assert!(refusal.contains("disk/fer.toml, whose folder"), "{refusal}");
        assert!(!at("disk").exists());
    }
}
