//! Generates the daemon's service file: a systemd user unit or a launchd agent.

use std::path::{Path, PathBuf};

/// Template of the unit, with the placeholders `@ENVIRONMENT@`, `@COMMAND@` and `@DATA@`.
const UNIT: &str = include_str!("../../config/fer-index.service");

/// The line of the unit by which the user's systemd manager may restrict the files that the daemon can write to, in a
/// user namespace. It is left out where users cannot create user namespaces, since the unit would not start with it.
const PRIVATE_USERS: &str = "PrivateUsers=yes\n";

/// Template of the agent, with the placeholders `@ARGUMENTS@` and `@ENVIRONMENT@`.
const AGENT: &str = include_str!("../../config/fer-index.plist");

/// Whether the system lets users create user namespaces.
pub fn user_namespaces() -> bool {
    let is_off = |file: &str| std::fs::read_to_string(file).is_ok_and(|text| text.trim() == "0");
    // The second file exists only in kernels of Debian and its derivatives.
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

    /// Text of the service file for a command line and environment variables (name and value). `data` is the only folder
    /// that a systemd unit lets the daemon write to; `user_namespaces` is what [`user_namespaces`] returns, since the
    /// unit can keep it from other folders only if the system lets users create user namespaces.
    pub fn text(
        self,
        command: &[String],
        environment: &[(String, String)],
        data: &Path,
        user_namespaces: bool,
    ) -> String {
        match self {
            Self::Systemd => {
                let words: Vec<_> = command.iter().map(|word| command_word(word)).collect();
                let variables = environment.iter().map(|(name, value)| {
                    format!("Environment={}\n", systemd_word(&format!("{name}={value}")))
                });
                let unit = if user_namespaces {
                    UNIT.to_owned()
                } else {
                    UNIT.replace(PRIVATE_USERS, "")
                };
                unit.replace("@ENVIRONMENT@\n", &variables.collect::<String>())
                    .replace("@COMMAND@", &words.join(" "))
                    .replace("@DATA@", &systemd_word(&data.to_string_lossy()))
            }
            Self::Launchd => {
                let lines: Vec<_> = command
                    .iter()
                    .map(|word| format!("        <string>{}</string>", xml_text(word)))
                    .collect();
                let mut variables = Vec::new();
                for (name, value) in environment {
                    variables.push(format!("        <key>{}</key>", xml_text(name)));
                    variables.push(format!("        <string>{}</string>", xml_text(value)));
                }
                let environment = if variables.is_empty() {
                    String::new()
                } else {
                    format!(
                        "    <key>EnvironmentVariables</key>\n    <dict>\n{}\n    </dict>\n",
                        variables.join("\n")
                    )
                };
                AGENT
                    .replace("@ENVIRONMENT@\n", &environment)
                    .replace("@ARGUMENTS@", &lines.join("\n"))
            }
        }
    }
}

/// Quotes a word for a command line in a systemd unit (`systemd.service(5)`), where `$` begins the name of a variable.
fn command_word(word: &str) -> String {
    systemd_word(word).replace('$', "$$")
}

/// Quotes a word for a setting of systemd (`systemd.syntax(7)`).
fn systemd_word(word: &str) -> String {
    let escaped = word
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('%', "%%");
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
        assert_eq!(
            Supervisor::Systemd.text(&command(), &[], data, true),
            golden
        );
        let without = Supervisor::Systemd.text(&command(), &[], data, false);
        assert_eq!(without, golden.replace("PrivateUsers=yes\n", ""));
        assert_ne!(without, golden);
    }

    #[test]
    fn the_agent_equals_the_golden_file() {
        let text = Supervisor::Launchd.text(&command(), &[], Path::new("/"), true);
        assert_eq!(
            text,
            include_str!("../../tests/daemon/golden/fer-index.plist")
        );
    }

    #[test]
    fn variables_are_quoted_as_each_supervisor_reads_them() {
        let variables = [(
            "FER_INDEX_DATABASE".to_owned(),
            "/my data/100%/$x & y.sqlite3".to_owned(),
        )];
        let data = Path::new("/my data/100%/$x");
        let unit = Supervisor::Systemd.text(&command(), &variables, data, true);
        assert!(unit.contains(
            "\nEnvironment=\"FER_INDEX_DATABASE=/my data/100%%/$x & y.sqlite3\"\nExecStart="
        ));
        assert!(unit.contains("\nReadWritePaths=\"/my data/100%%/$x\"\n"));
        let agent = Supervisor::Launchd.text(&command(), &variables, data, true);
        assert!(agent.contains(
            "    </array>\n    <key>EnvironmentVariables</key>\n    <dict>\n        \
             <key>FER_INDEX_DATABASE</key>\n        \
             <string>/my data/100%/$x &amp; y.sqlite3</string>\n    </dict>\n    <key>RunAtLoad"
        ));
    }
}
