//! The files by which a supervisor runs the daemon: a systemd user unit, a launchd agent.

use std::path::{Path, PathBuf};

/// The unit with `@COMMAND@` and `@DATA@` in the places of what is particular.
const UNIT: &str = include_str!("../../config/fer-index.service");

/// The agent with `@ARGUMENTS@` in the place of what is particular.
const AGENT: &str = include_str!("../../config/fer-index.plist");

/// Who runs the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supervisor {
    /// systemd's manager of the user.
    Systemd,
    /// launchd, as an agent of the user.
    Launchd,
}

impl Supervisor {
    /// That of this platform.
    pub const fn of_platform() -> Self {
        if cfg!(target_os = "macos") {
            Self::Launchd
        } else {
            Self::Systemd
        }
    }

    /// Where it looks for its files, below the user's home folder and folder of settings.
    pub fn file(self, home: &Path, config: &Path) -> PathBuf {
        match self {
            Self::Systemd => config.join("systemd/user/fer-index.service"),
            Self::Launchd => home.join("Library/LaunchAgents/fer-index.plist"),
        }
    }

    /// The words by which the user starts what is installed.
    pub const fn start_command(self) -> &'static [&'static str] {
        match self {
            Self::Systemd => &["systemctl", "--user", "enable", "--now", "fer-index"],
            Self::Launchd => &["launchctl", "load", "-w"],
        }
    }

    /// The words by which the user stops it.
    pub const fn stop_command(self) -> &'static [&'static str] {
        match self {
            Self::Systemd => &["systemctl", "--user", "disable", "--now", "fer-index"],
            Self::Launchd => &["launchctl", "unload", "-w"],
        }
    }

    /// The words that tell whether it runs.
    pub const fn ask_command(self) -> &'static [&'static str] {
        match self {
            Self::Systemd => &["systemctl", "--user", "is-active", "fer-index"],
            Self::Launchd => &["launchctl", "list", "fer-index"],
        }
    }

    /// The file for a command line and the folder that the daemon writes to.
    pub fn text(self, command: &[String], data: &Path) -> String {
        match self {
            Self::Systemd => {
                let words: Vec<_> = command.iter().map(|word| systemd_word(word)).collect();
                UNIT.replace("@COMMAND@", &words.join(" "))
                    .replace("@DATA@", &systemd_word(&data.to_string_lossy()))
            }
            Self::Launchd => {
                let lines: Vec<_> = command
                    .iter()
                    .map(|word| format!("        <string>{}</string>", xml_text(word)))
                    .collect();
                AGENT.replace("@ARGUMENTS@", &lines.join("\n"))
            }
        }
    }
}

/// A word as systemd's command lines hold it (`systemd.service(5)`).
fn systemd_word(word: &str) -> String {
    let escaped = word
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('%', "%%")
        .replace('$', "$$");
    if word.contains([' ', '\t', '\'', '"', '\\', ';']) {
        format!("\"{escaped}\"")
    } else {
        escaped
    }
}

fn xml_text(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Vec<String> {
        [
            "/opt/my tools/fer-index",
            "watch",
            "--config",
            "/a&b/100%.toml",
        ]
        .map(str::to_owned)
        .into()
    }

    #[test]
    fn the_unit_is_as_in_the_golden_file() {
        let text =
            Supervisor::Systemd.text(&command(), Path::new("/home/ada/.local/share/fer-index"));
        assert_eq!(
            text,
            include_str!("../../tests/daemon/golden/fer-index.service")
        );
    }

    #[test]
    fn the_agent_is_as_in_the_golden_file() {
        let text = Supervisor::Launchd.text(&command(), Path::new("/"));
        assert_eq!(
            text,
            include_str!("../../tests/daemon/golden/fer-index.plist")
        );
    }
}
