//! Makes the service files of the daemon: a systemd user unit or a launchd agent.

use std::path::{Path, PathBuf};

/// Template of the unit, with the placeholders `@COMMAND@` and `@DATA@`.
const UNIT: &str = include_str!("../../config/fer-index.service");

/// Template of the agent, with the placeholder `@ARGUMENTS@`.
const AGENT: &str = include_str!("../../config/fer-index.plist");

/// The program that starts and restarts the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supervisor {
    /// The user's systemd manager.
    Systemd,
    /// launchd, which runs it as an agent of the user.
    Launchd,
}

impl Supervisor {
    /// The supervisor of this platform.
    pub const fn of_platform() -> Self {
        if cfg!(target_os = "macos") {
            Self::Launchd
        } else {
            Self::Systemd
        }
    }

    /// Path of the service file, below the user's home or configuration folder.
    pub fn file(self, home: &Path, config: &Path) -> PathBuf {
        match self {
            Self::Systemd => config.join("systemd/user/fer-index.service"),
            Self::Launchd => home.join("Library/LaunchAgents/fer-index.plist"),
        }
    }

    /// The command that starts the installed service.
    pub const fn start_command(self) -> &'static [&'static str] {
        match self {
            Self::Systemd => &["systemctl", "--user", "enable", "--now", "fer-index"],
            Self::Launchd => &["launchctl", "load", "-w"],
        }
    }

    /// The command that stops the service.
    pub const fn stop_command(self) -> &'static [&'static str] {
        match self {
            Self::Systemd => &["systemctl", "--user", "disable", "--now", "fer-index"],
            Self::Launchd => &["launchctl", "unload", "-w"],
        }
    }

    /// The command that reports whether the service runs.
    pub const fn status_command(self) -> &'static [&'static str] {
        match self {
            Self::Systemd => &["systemctl", "--user", "is-active", "fer-index"],
            Self::Launchd => &["launchctl", "list", "fer-index"],
        }
    }

    /// Text of the service file for a command line; `data` is the folder that the daemon may write to.
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

/// Quotes a word for a systemd command line (`systemd.service(5)`).
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
    fn the_unit_equals_the_golden_file() {
        let text =
            Supervisor::Systemd.text(&command(), Path::new("/home/ada/.local/share/fer-index"));
        assert_eq!(
            text,
            include_str!("../../tests/daemon/golden/fer-index.service")
        );
    }

    #[test]
    fn the_agent_equals_the_golden_file() {
        let text = Supervisor::Launchd.text(&command(), Path::new("/"));
        assert_eq!(
            text,
            include_str!("../../tests/daemon/golden/fer-index.plist")
        );
    }
}
