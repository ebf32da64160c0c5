//! Starts decoding processes, and describes in words how they are confined.

use std::path::PathBuf;

use super::context::Context;
use crate::error::{Error, Result};
use crate::pipeline::{Confinement, Launch, confinement};

/// How this program starts itself as a decoding process.
pub(super) fn launch() -> Result<Launch> {
    // This link leads to the running program, even after its file was replaced by another version.
    let running = PathBuf::from("/proc/self/exe");
    let program = if cfg!(target_os = "linux") && running.exists() {
        running
    } else {
        std::env::current_exe().map_err(|error| {
            Error::Usage(format!(
                "photos cannot be decoded in processes of their own, as the path of this program is unknown ({error}); \
                 mount /proc, or set limits.isolate to false"
            ))
        })?
    };
    Ok(Launch {
        program,
        arguments: vec!["decoder".into()],
    })
}

/// Where photos are decoded, and which restrictions are in force there. A decoding process is started to find that out.
#[derive(Debug, Clone, serde::Serialize)]
pub(super) struct Decoding {
    /// Whether photos are decoded in decoding processes.
    isolated: bool,
    #[serde(flatten)]
    confinement: Option<Confinement>,
    /// The reason why a decoding process cannot be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Decoding {
    pub fn of(context: &Context) -> Self {
        let isolated = context.config().limits.isolate;
        let started = isolated.then(|| launch().and_then(|launch| confinement(&launch)));
        let (confinement, problem) = match started {
            Some(Ok(confinement)) => (Some(confinement), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, None),
        };
        Self {
            isolated,
            confinement,
            problem,
        }
    }

    /// What follows "photos are decoded", without a full stop.
    pub fn sentence(&self) -> String {
        let Some(confinement) = self.confinement else {
            return match &self.problem {
                Some(problem) => format!("nowhere: {problem}"),
                None => "in the process of the command (limits.isolate = false): the crash of a decoder can end it"
                    .to_owned(),
            };
        };
        let Confinement {
            calls,
            files,
            memory,
        } = confinement;
        let missing: Vec<&str> = [
            (calls, "filtered system calls (seccomp)"),
            (files, "a ban on files (Landlock)"),
            (memory, "a limit of memory"),
        ]
        .iter()
        .filter_map(|(has, what)| (!has).then_some(*what))
        .collect();
        let own = "in processes of their own";
        match (calls || files, missing.is_empty()) {
            (true, true) => format!("{own}, without files, network and other processes"),
            (true, false) => format!(
                "{own}, without files and network; this system lacks {}",
                missing.join(" and ")
            ),
            (false, _) => format!(
                "{own}, which this system does not confine: no {}",
                missing.join(", no ")
            ),
        }
    }
}
