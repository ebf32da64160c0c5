//! Changes one setting in the user's configuration file and keeps everything else, comments included.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, value};

use crate::error::{Error, Result};
use crate::output;

/// Sets `name` in `[section]` to a string in a configuration file, which is created if it does not exist.
///
/// # Errors
/// If the file is a link or not TOML, the section's name is a setting in it, or it cannot be written. The file is then
/// unchanged.
pub fn set(file: &Path, section: &str, name: &str, text: &str) -> Result<()> {
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
    let mut document: DocumentMut = before
        .as_deref()
        .unwrap_or_default()
        .parse()
        .map_err(|error: toml_edit::TomlError| refused(error.message().to_owned()))?;
    let table = document
        .entry(section)
        .or_insert_with(|| Item::Table(Table::new()));
    let Some(table) = table.as_table_like_mut() else {
        return Err(refused(format!(
            "`{section}` is not a section; remove this setting"
        )));
    };
    // An existing setting is changed in place, so that it keeps its comments.
    match table.get_mut(name) {
        Some(setting) => *setting = value(text),
        None => {
            table.insert(name, value(text));
        }
    }
    let before = before.as_deref().map(str::as_bytes);
    output::edit(file, before, document.to_string().as_bytes())
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
        let text = "threads = 2 # two\n\n[classifier] # faces\n# mine\nmodel = \"/x\"\n";
        fs::write(&file, text).unwrap();
        set(&file, "classifier", "model", "/m").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), text.replace("/x", "/m"));
        fs::write(&file, "classifier = 3").unwrap();
        let refusal = set(&file, "classifier", "model", "/m").unwrap_err();
        assert!(
            refusal
                .to_string()
                .contains("`classifier` is not a section")
        );
    }
}
