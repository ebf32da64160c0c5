//! `fer-index service`: runs the daemon under the supervisor of the platform.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};
use directories::BaseDirs;

use super::context::Context;
use super::output::Stdout;
use super::outputs::ForceArgs;
use super::{GlobalArgs, Outcome};
use crate::daemon::service::Supervisor;
use crate::error::{Error, Result};
use crate::output::{self, Form, set_aside};

#[derive(Debug, Args)]
pub(super) struct ServiceArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Have the folders followed from every login on (systemd user unit; launchd agent on macOS)
    Install(ForceArgs),
    /// Take that back
    Uninstall(ForceArgs),
    /// Tell whether it is installed and runs
    Status,
}

pub(super) fn run(
    args: &ServiceArgs,
    context: &Context,
    global: &GlobalArgs,
    out: &mut Stdout,
) -> Result<Outcome> {
    let supervisor = Supervisor::of_platform();
    let dirs = BaseDirs::new().ok_or_else(|| {
        Error::Config("the home folder is unknown; set HOME in the environment".into())
    })?;
    let file = supervisor.file(dirs.home_dir(), dirs.config_dir());
    match args.action {
        Action::Install(force) => install(supervisor, &file, force, context, global, out),
        Action::Uninstall(force) => uninstall(supervisor, &file, force, out),
        Action::Status => status(supervisor, &file, out),
    }
}

fn install(
    supervisor: Supervisor,
    file: &Path,
    force: ForceArgs,
    context: &Context,
    global: &GlobalArgs,
    out: &mut Stdout,
) -> Result<Outcome> {
    let database = absolute(&context.config().database)?;
    let data = database.parent().unwrap_or(&database);
    let text = supervisor.text(&command_line(global)?, data);
    // The unit lets the daemon write there only if it is there.
    fs::create_dir_all(data).map_err(|source| Error::Io {
        path: data.to_owned(),
        source,
    })?;
    let form = match supervisor {
        Supervisor::Systemd => Form::Lines,
        Supervisor::Launchd => Form::Markup,
    };
    let rule = force.rule(context, []);
    rule.around(&[file.to_owned()], || {
        output::write(file, form, text.as_bytes())
    })?;
    out.line(format_args!("{} written", file.display()))?;
    if supervisor == Supervisor::Systemd {
        ask(&["systemctl", "--user", "daemon-reload"], None);
    }
    let start = supervisor.start_command();
    match ask(start, launchd_file(supervisor, file)) {
        Some(_) => out.line("started; fer-index status tells what it does")?,
        None => out.line(format_args!(
            "start it with: {}",
            spoken(start, supervisor, file)
        ))?,
    }
    Ok(Outcome::Found)
}

fn uninstall(
    supervisor: Supervisor,
    file: &Path,
    force: ForceArgs,
    out: &mut Stdout,
) -> Result<Outcome> {
    let is_changed = file.symlink_metadata().is_ok() && !output::is_ours(file);
    if is_changed && !force.force {
        return Err(Error::Usage(format!(
            "{} was not written by fer-index or was changed since, so it stays as it is; take it \
             away yourself, or have it renamed with --force",
            file.display()
        )));
    }
    ask(supervisor.stop_command(), launchd_file(supervisor, file));
    if is_changed {
        let kept = set_aside(file)?;
        out.line(format_args!(
            "{} is kept as {}",
            file.display(),
            kept.display()
        ))?;
        return Ok(Outcome::Found);
    }
    match fs::remove_file(file) {
        Ok(()) => {
            out.line(format_args!("{} removed", file.display()))?;
            Ok(Outcome::Found)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            tracing::warn!("{} is not there: nothing to take back", file.display());
            Ok(Outcome::Nothing)
        }
        Err(source) => Err(Error::Io {
            path: file.to_owned(),
            source,
        }),
    }
}

fn status(supervisor: Supervisor, file: &Path, out: &mut Stdout) -> Result<Outcome> {
    if !file.is_file() {
        out.line("not installed; fer-index service install does it")?;
        return Ok(Outcome::Nothing);
    }
    out.line(format_args!("installed: {}", file.display()))?;
    let state = match ask(supervisor.status_command(), None) {
        Some(answer) if supervisor == Supervisor::Systemd => answer,
        Some(_) => "active".to_owned(),
        None => "not active".to_owned(),
    };
    out.line(format_args!("service:   {state}"))?;
    Ok(Outcome::Found)
}

/// The daemon's command line, with the files that were named for this one.
fn command_line(global: &GlobalArgs) -> Result<Vec<String>> {
    let program = std::env::current_exe().map_err(|source| Error::Io {
        path: "the program itself".into(),
        source,
    })?;
    let mut words = vec![text(&program)?, "watch".to_owned()];
    for (flag, path) in [
        ("--database", &global.database),
        ("--config", &global.config),
        ("--model", &global.model),
    ] {
        if let Some(path) = path {
            words.push(flag.to_owned());
            words.push(text(&absolute(path)?)?);
        }
    }
    if let Some(threads) = global.threads {
        words.extend(["--threads".to_owned(), threads.to_string()]);
    }
    Ok(words)
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Error::Usage(format!(
            "{} is not Unicode, and a service file is; use another path",
            path.display()
        ))
    })
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}

/// What a program says, if it is there and content.
fn ask(words: &[&str], last: Option<&Path>) -> Option<String> {
    let (program, arguments) = words.split_first()?;
    let output = Command::new(program)
        .args(arguments)
        .args(last)
        .output()
        .ok()?;
    let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(answer)
}

/// launchd is told of the file, systemd of the unit.
fn launchd_file(supervisor: Supervisor, file: &Path) -> Option<&Path> {
    (supervisor == Supervisor::Launchd).then_some(file)
}

fn spoken(words: &[&str], supervisor: Supervisor, file: &Path) -> String {
    let file = launchd_file(supervisor, file);
    let file = file.map_or_else(String::new, |file| format!(" {}", file.display()));
    format!("{}{file}", words.join(" "))
}
