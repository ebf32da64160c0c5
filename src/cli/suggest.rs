//! Suggests a command for a word that means one, such as `search` for `find`. clap itself suggests only commands
//! that are spelled alike.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

/// For each command, words that people use for it, mostly names of commands in other programs.
const MEANT: &[(&str, &[&str])] = &[
    ("find", &["search", "look", "seek", "grep", "ask"]),
    ("query", &["ls", "list", "filter", "select", "photos"]),
    (
        "index",
        &[
            "scan", "add", "import", "update", "sync", "refresh", "crawl", "init", "run", "build",
        ],
    ),
    ("reindex", &["rescan", "rebuild", "reprocess", "reset"]),
    ("watch", &["monitor", "follow", "daemon"]),
    ("service", &["autostart", "systemd", "install"]),
    ("status", &["state", "health"]),
    ("stats", &["count", "summary", "report", "statistics"]),
    (
        "gallery",
        &[
            "browse", "view", "web", "ui", "gui", "serve", "server", "open",
        ],
    ),
    (
        "show",
        &["info", "inspect", "cat", "describe", "details", "print"],
    ),
    (
        "correct",
        &["fix", "edit", "set", "label", "change", "relabel"],
    ),
    ("reject", &["discard", "ignore"]),
    ("undo", &["revert"]),
    ("learn", &["teach", "personalise", "personalize", "adapt"]),
    ("forget", &["delete", "remove", "rm", "erase", "purge"]),
    ("backup", &["save", "copy", "dump", "snapshot"]),
    ("restore", &["recover", "load"]),
    ("export", &["xmp", "sidecar", "sidecars", "tag", "write"]),
    (
        "classify",
        &[
            "analyse",
            "analyze",
            "predict",
            "recognise",
            "recognize",
            "emotion",
            "emotions",
        ],
    ),
    ("detect", &["face", "faces", "locate"]),
    (
        "config",
        &["settings", "setting", "configure", "preferences", "options"],
    ),
    ("model", &["weights", "network"]),
    ("evaluate", &["eval", "benchmark", "measure"]),
    ("train", &["fit"]),
    ("dataset", &["data", "datasets"]),
];

/// Adds hints to an error. If an unknown command means another one, names that one; after a word that `query` does not
/// accept, says that `find` takes words. `arguments` are those of the process.
pub(super) fn explained(
    mut error: Error,
    program: &Command,
    mut arguments: impl Iterator<Item = OsString>,
) -> Error {
    if error.kind() == ErrorKind::UnknownArgument && arguments.any(|word| word == "query") {
        let word = error.get(ContextKind::InvalidArg);
        if let Some(ContextValue::String(word)) =
            word.filter(|word| !word.to_string().starts_with('-'))
        {
            let tip =
                format!("query takes flags such as --emotion happy; 'find {word}' takes words");
            suggest(&mut error, tip);
        }
        return error;
    }
    if error.kind() != ErrorKind::InvalidSubcommand {
        return error;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let word = word.clone();
    // `model search` does not mean `find`.
    let is_nested = arguments
        .take_while(|argument| **argument != *word)
        .any(|argument| program.find_subcommand(argument).is_some());
    let Some(tip) = (!is_nested).then(|| tip(&word, program)).flatten() else {
        return error;
    };
    error.remove(ContextKind::SuggestedSubcommand);
    suggest(&mut error, tip);
    error
}

fn suggest(error: &mut Error, tip: String) {
    error.insert(
        ContextKind::Suggested,
        ContextValue::StyledStrs(vec![tip.into()]),
    );
}

fn tip(word: &str, program: &Command) -> Option<String> {
    let lower = word.to_lowercase();
    let mut meant = MEANT.iter().filter(|(name, words)| {
        words.contains(&lower.as_str()) && program.find_subcommand(name).is_some()
    });
    if let Some((name, _)) = meant.next() {
        return Some(format!("did you mean '{name}'?"));
    }
    let path = Path::new(word);
    if path.is_dir() {
        return Some(format!(
            "did you mean 'index {word}', which indexes the photos in this folder?"
        ));
    }
    path.is_file().then(|| {
        format!(
            "did you mean 'show {word}', which prints what the index holds on this file, or 'classify {word}', \
             which reads its faces?"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_a_command_and_none_means_two() {
        let mut seen = Vec::new();
        for (name, words) in MEANT {
            for word in *words {
                assert!(
                    !MEANT.iter().any(|(other, _)| other == word),
                    "{word} for {name}"
                );
                assert!(!seen.contains(word), "{word}");
                seen.push(*word);
            }
        }
    }
}
