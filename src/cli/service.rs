//! `fer-index service`: installs the daemon as a service of systemd or launchd.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};
use directories::BaseDirs;

use super::context::Context;
use super::force::ForceArgs;
use super::stdout::Stdout;
use super::{GlobalArgs, Outcome};
use crate::daemon::service::{Supervisor, user_namespaces};
use crate::error::{Error, Result};
use crate::output::{self, Form, set_aside};

#[derive(Debug, Args)]
pub(super) struct ServiceArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start `watch` now and at every login (systemd user unit; launchd agent on macOS)
    Install(ForceArgs),
    /// Stop the service and remove it
    Uninstall(ForceArgs),
    /// Print whether the service is installed and running
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
    let text = supervisor.text(
        &command_line(global)?,
        &environment()?,
        data,
        user_namespaces(),
    );
    // The systemd unit grants write access to this folder only if it exists.
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
        // If this fails, so does the start, which reports it.
        let _ = run_program(&["systemctl", "--user", "daemon-reload"], None);
    }
    let start = supervisor.start_command();
    match run_program(start, launchd_file(supervisor, file)) {
        Ok(_) => out.line("started; fer-index status prints what it is doing")?,
        Err(problem) => {
            out.line(advice(supervisor, &problem))?;
            out.line(format_args!(
                "start it with: {}",
                shell_command(start, supervisor, file)
            ))?;
        }
    }
    Ok(Outcome::Found)
}

fn uninstall(
    supervisor: Supervisor,
    file: &Path,
    force: ForceArgs,
    out: &mut Stdout,
) -> Result<Outcome> {
    let is_changed = file.symlink_metadata().is_ok() && !output::is_intact(file);
    if is_changed && !force.force {
        return Err(Error::Usage(format!(
            "{} was not written by fer-index or was changed since, so it is kept; remove it yourself, \
             or use --force to rename it",
            file.display()
        )));
    }
    // Fails if the service is not running, in which case there is nothing to stop.
    let _ = run_program(supervisor.stop_command(), launchd_file(supervisor, file));
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
            tracing::warn!(
                "the service is not installed: {} does not exist",
                file.display()
            );
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
        out.line("not installed; install it with fer-index service install")?;
        return Ok(Outcome::Nothing);
    }
    out.line(format_args!("installed: {}", file.display()))?;
    let state = match run_program(supervisor.status_command(), None) {
        Ok(answer) if supervisor == Supervisor::Systemd => answer,
        Ok(_) => "active".to_owned(),
        Err(problem) if problem.contains("bus") || problem.contains("cannot be run") => {
            format!("unknown; {problem}")
        }
        Err(_) => "not active".to_owned(),
    };
    out.line(format_args!("service:   {state}"))?;
    Ok(Outcome::Found)
}

/// The daemon's command line, with the global options of this command.
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

/// The environment variables on which the daemon depends: settings, and the locations of the user's files. The
/// supervisor does not have those of this shell.
fn environment() -> Result<Vec<(String, String)>> {
    const FOLDERS: [&str; 3] = ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"];
    // Made absolute like the roots, since the service starts in another folder.
    const PATHS: [&str; 4] = [
        "FER_INDEX_CLASSIFIER_MODEL",
        "FER_INDEX_CONFIG",
        "FER_INDEX_DATABASE",
        "FER_INDEX_THUMBNAILS",
    ];
    let mut variables = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let is_setting = name.starts_with("FER_INDEX_") && name != "FER_INDEX_LOG";
        if value.is_empty() || !(is_setting || FOLDERS.contains(&name)) {
            continue;
        }
        let value = if name == "FER_INDEX_ALBUM_ROOTS" {
            let roots = std::env::split_paths(&value).filter(|root| !root.as_os_str().is_empty());
            let roots: Vec<String> = roots
                .map(|root| in_home_or_absolute(&root))
                .collect::<Result<_>>()?;
            roots.join(":")
        } else if PATHS.contains(&name) {
            in_home_or_absolute(Path::new(&value))?
        } else {
            text(Path::new(&value))?
        };
        variables.push((name.to_owned(), value));
    }
    variables.sort();
    Ok(variables)
}

/// A path that leads to the same place from every folder.
fn in_home_or_absolute(path: &Path) -> Result<String> {
    if path.starts_with("~") {
        text(path)
    } else {
        text(&absolute(path)?)
    }
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Error::Usage(format!(
            "{} is not Unicode and cannot be part of a service file; use another path",
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

/// The standard output of a program.
///
/// # Errors
/// The program's own error message.
fn run_program(words: &[&str], last: Option<&Path>) -> std::result::Result<String, String> {
    let (program, arguments) = words.split_first().ok_or("there is no program to run")?;
    let output = Command::new(program)
        .args(arguments)
        .args(last)
        .output()
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let message = text(&output.stderr);
    // `systemctl enable` first prints what it did before it failed.
    let is_news = |line: &&str| line.starts_with("Created symlink") || line.starts_with("Removed ");
    let message = message.lines().find(|line| !is_news(line));
    let message = message.unwrap_or("it failed");
    Err(format!("{program}: {message}"))
}

/// What to do if a supervisor could not start the service; `problem` is its answer.
fn advice(supervisor: Supervisor, problem: &str) -> String {
    // systemctl's answers without a user manager: "Failed to connect to bus: …", "… user scope bus …".
    let is_unreachable = problem.contains("bus") || problem.contains("cannot be run");
    if supervisor == Supervisor::Systemd && is_unreachable {
        return format!(
            "no user manager of systemd answers ({problem}), so the service is installed but not started: it \
             starts at the next login that has one; without systemd, run fer-index watch yourself"
        );
    }
    format!("the service is installed but not started ({problem})")
}

/// The last argument of a command: launchd needs the file, systemd only the name of the unit.
fn launchd_file(supervisor: Supervisor, file: &Path) -> Option<&Path> {
    (supervisor == Supervisor::Launchd).then_some(file)
}

fn shell_command(words: &[&str], supervisor: Supervisor, file: &Path) -> String {
    let file = launchd_file(supervisor, file);
    let file = file.map_or_else(String::new, |file| format!(" {}", file.display()));
    format!("{}{file}", words.join(" "))
}
