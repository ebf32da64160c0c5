//! Changing one setting in the user's file, comments and all else kept.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, value};

use crate::error::{Error, Result};
use crate::output;

/// Sets `[section] name` to a text in a configuration file, which is made if there is none.
///
/// # Errors
/// If the file is a link or not TOML, has something else of the section's name, or cannot be written;
/// it stays as it is then.
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
        return Err(refused(format!("`{section}` is no section")));
    };
    // In its place, where its comments are.
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
    fn one_setting_changes_and_the_rest_stays() {
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
        assert!(refusal.to_string().contains("`classifier` is no section"));
    }
}
