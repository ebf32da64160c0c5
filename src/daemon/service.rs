//! Makes the service files of the daemon: a systemd user unit or a launchd agent.

use std::path::{Path, PathBuf};

/// Template of the unit, with the placeholders `@COMMAND@` and `@DATA@`.
const UNIT: &str = include_str!("../../config/fer-index.service");

/// The line by which the user's manager can hide files. Where users cannot make user namespaces, the unit does not start
/// with it.
const PRIVATE_USERS: &str = "PrivateUsers=yes\n";

/// Template of the agent, with the placeholder `@ARGUMENTS@`.
const AGENT: &str = include_str!("../../config/fer-index.plist");

/// Whether the system lets users make user namespaces.
pub fn user_namespaces() -> bool {
    let is_off = |file: &str| std::fs::read_to_string(file).is_ok_and(|text| text.trim() == "0");
    // The second is in the kernels of Debian and its descendants.
    !is_off("/proc/sys/user/max_user_namespaces")
        && !is_off("/proc/sys/kernel/unprivileged_userns_clone")
}

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

    /// Text of the service file for a command line; `data` is the folder that the daemon may write to, and
    /// `user_namespaces` whether [`user_namespaces`] says that it can be kept from other folders.
    pub fn text(self, command: &[String], data: &Path, user_namespaces: bool) -> String {
        match self {
            Self::Systemd => {
                let words: Vec<_> = command.iter().map(|word| systemd_word(word)).collect();
                let unit = if user_namespaces {
                    UNIT.to_owned()
                } else {
                    UNIT.replace(PRIVATE_USERS, "")
                };
                unit.replace("@COMMAND@", &words.join(" "))
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
        let data = Path::new("/home/ada/.local/share/fer-index");
        let golden = include_str!("../../tests/daemon/golden/fer-index.service");
        assert_eq!(Supervisor::Systemd.text(&command(), data, true), golden);
        let without = Supervisor::Systemd.text(&command(), data, false);
        assert_eq!(without, golden.replace("PrivateUsers=yes\n", ""));
        assert_ne!(without, golden);
    }

    #[test]
    fn the_agent_equals_the_golden_file() {
        let text = Supervisor::Launchd.text(&command(), Path::new("/"), true);
        assert_eq!(
            text,
            include_str!("../../tests/daemon/golden/fer-index.plist")
        );
    }
}
