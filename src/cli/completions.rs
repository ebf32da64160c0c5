//! `fer-index completions`: prints a completion script for a shell.
//!
//! The script of `clap_complete` completes commands, flags and fixed values. For values that depend on the index or the
//! gazetteer (places, cameras, keywords) a few lines are added that call `fer-index complete`. The engine of
//! `clap_complete` that could do this is marked as unstable.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::stdout::Stdout;
use super::{Cli, Outcome};
use crate::error::Result;
use crate::query::{FLAGS, Flag, Kind};

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, out: &mut Stdout) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "fer-index", &mut script);
    let script = String::from_utf8_lossy(&script);
    let script = match args.shell {
        Shell::Bash => bash(&script),
        Shell::Zsh => zsh(&script),
        Shell::Fish => fish(&script),
        _ => script.into_owned(),
    };
    out.with(|stdout| stdout.write_all(script.as_bytes()))?;
    Ok(Outcome::Found)
}

/// The flags whose values `fer-index complete` proposes.
fn completed_flags() -> impl Iterator<Item = &'static Flag> {
    let is_asked = |flag: &&Flag| matches!(flag.kind, Kind::Place | Kind::Camera | Kind::Word);
    FLAGS.iter().filter(is_asked)
}

fn bash(script: &str) -> String {
    // clap_complete 4.6 treats the hyphen of the program's name as the boundary of a subcommand in half of the places,
    // so no subcommand would be recognised.
    let script = script.replace("fer__subcmd__index", "fer__index");
    let flags: Vec<String> = completed_flags()
        .map(|flag| format!("--{}", flag.name))
        .collect();
    let more = r#"
# Values that depend on the index: the program is asked.
_fer_index_values() {
    local flag="${COMP_WORDS[COMP_CWORD - 1]}" value="${COMP_WORDS[COMP_CWORD]}" line quote
    if [[ "$flag" == "=" ]]; then
        flag="${COMP_WORDS[COMP_CWORD - 2]}"
    elif [[ "$value" == "=" ]]; then
        value=""
    fi
    case "$flag" in
        @FLAGS@)
            # Within quotes, the shell takes a space or a comma as it is.
            quote="${value:0:1}"
            value="${value#[\"\']}"
            value="${value//\\/}"
            COMPREPLY=()
            while IFS= read -r line; do
                case "$quote" in
                    \') COMPREPLY+=("$(sed "s/'/'\\\\''/g" <<< "$line")") ;;
                    \") COMPREPLY+=("$(sed 's/[\\"$`]/\\&/g' <<< "$line")") ;;
                    *) COMPREPLY+=("$(printf '%q' "$line")") ;;
                esac
            done < <(fer-index complete "${flag#--}" "$value" 2>/dev/null)
            ;;
        *) @FUNCTION@ "$@" ;;
    esac
}
complete -F _fer_index_values -o bashdefault -o default fer-index
"#;
    let function = script
        .split("complete -F ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .unwrap_or("true");
    let more = more.replace("@FUNCTION@", function);
    script.clone() + &more.replace("@FLAGS@", &flags.join(" | "))
}

fn zsh(script: &str) -> String {
    let function = r#"
# Values that depend on the index: the program is asked.
_fer_index_values() {
    local -a values
    values=("${(@f)$(fer-index complete "$1" "${(Q)PREFIX}" 2>/dev/null)}")
    compadd -M 'm:{a-zA-Z}={A-Za-z}' -a values
}
"#;
    let mut script = script.replacen('\n', function, 1);
    for flag in completed_flags() {
        let (name, value) = (flag.name, flag.value.unwrap_or_default());
        let flags = [format!("'--{name}="), format!("'*--{name}=")];
        let is_flag = |line: &str| flags.iter().any(|flag| line.starts_with(flag.as_str()));
        let lines = script.split_inclusive('\n').map(|line| {
            if is_flag(line) {
                let action = format!(":{value}: _fer_index_values {name}'");
                line.replace(&format!(":{value}:_default'"), &action)
            } else {
                line.to_owned()
            }
        });
        script = lines.collect();
    }
    script
}

fn fish(script: &str) -> String {
    let lines = completed_flags().map(|flag| {
        format!(
            "complete -c fer-index -n '__fish_seen_subcommand_from query find export stats' -l {0} -x \
             -a '(fer-index complete {0} (commandline -ct | string unescape) 2>/dev/null)'\n",
            flag.name
        )
    });
    format!(
        "{script}\n# Values that depend on the index: the program is asked.\n{}",
        lines.collect::<String>()
    )
}
