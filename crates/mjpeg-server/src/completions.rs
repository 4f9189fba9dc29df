//! `mjpeg-server completions`: scripts by which shells complete command lines.
//!
//! The definition of the command line says what there is. Only the relay knows the names of
//! streams, so the scripts ask it for them.

use std::iter;

use clap::{Arg, ArgAction, Command};
use clap_complete::{Shell, generate};

use crate::cli::{completions::CompletedShell, ctl::hint::STREAM};

/// The script for a shell.
pub(crate) fn script(shell: CompletedShell, command: &mut Command) -> String {
    let (one, many) = (streams_of(command, false), streams_of(command, true));
    let groups: Vec<String> = groups_of(command).into_iter().map(str::to_owned).collect();
    let generator = match shell {
        CompletedShell::Bash => Shell::Bash,
        CompletedShell::Zsh => Shell::Zsh,
        CompletedShell::Fish => Shell::Fish,
    };
    let mut bytes = Vec::new();
    generate(generator, command, PROGRAM, &mut bytes);
    let script = String::from_utf8_lossy(&bytes).into_owned();
    match shell {
        CompletedShell::Bash => {
            let names = BASH.replace("ONE", &bash_words(&one));
            let names = names.replace("GROUPS", &groups.join("|"));
            // The generator writes a name with a hyphen in two ways: clap-rs/clap#6421.
            let script = script.replace("mjpeg__subcmd__server", "mjpeg__server");
            script + &names.replace("MANY", &bash_words(&many))
        }
        CompletedShell::Zsh => with_zsh_names(&script),
        CompletedShell::Fish => {
            let commands = one.iter().chain(&many);
            let lines: String = commands.map(|it| fish_line(it, &groups)).collect();
            script
                + "
" + &lines
        }
    }
}

/// A command of `ctl` that takes names of streams, and the group in which it is: `links create`.
struct NamedCommand {
    group: Option<String>,
    name: String,
}

fn commands_of(command: &Command) -> impl Iterator<Item = &Command> {
    let ctl = command
        .get_subcommands()
        .filter(|it| it.get_name() == "ctl");
    ctl.flat_map(Command::get_subcommands)
}

/// The commands of `ctl` that have commands of their own.
fn groups_of(command: &Command) -> Vec<&str> {
    let groups = commands_of(command).filter(|it| it.has_subcommands());
    groups.map(Command::get_name).collect()
}

/// The commands of `ctl` that take the name of one stream, or of several.
fn streams_of(command: &Command, of_several: bool) -> Vec<NamedCommand> {
    let mut found = Vec::new();
    let commands = commands_of(command).flat_map(|it| {
        let within = it.get_subcommands().map(move |inner| (Some(it), inner));
        iter::once((None, it)).chain(within)
    });
    for (group, command) in commands {
        let mut names = command
            .get_positionals()
            .filter(|it| it.get_value_hint() == STREAM);
        let is_named = |arg: &Arg| matches!(arg.get_action(), ArgAction::Append) == of_several;
        if names.any(is_named) {
            found.push(NamedCommand {
                group: group.map(|group| group.get_name().to_owned()),
                name: command.get_name().to_owned(),
            });
        }
    }
    found
}

/// As patterns for the group with the name, where it is in one.
fn bash_words(commands: &[NamedCommand]) -> String {
    let words = commands.iter().map(|command| match &command.group {
        Some(group) => format!("\"{group} {}\"", command.name),
        None => command.name.clone(),
    });
    words.collect::<Vec<_>>().join("|")
}

/// What offers names behind a command.
fn fish_line(command: &NamedCommand, groups: &[String]) -> String {
    let group = match &command.group {
        Some(group) => format!("__fish_seen_subcommand_from {group}"),
        None => format!("not __fish_seen_subcommand_from {}", groups.join(" ")),
    };
    FISH.replace("GROUP", &group)
        .replace("COMMAND", &command.name)
}

fn with_zsh_names(script: &str) -> String {
    let (head, rest) = script.split_once("\n\n").unwrap_or((script, ""));
    let rest = rest.replace(":_users", ":_mjpeg_server_streams");
    format!("{head}\n\n{ZSH}\n{rest}")
}

const PROGRAM: &str = "mjpeg-server";

/// Behind what is generated, which is asked first: it knows the options. A name that a relay gives
/// is never expanded, as `compgen -W` would.
const BASH: &str = r#"
_mjpeg_server_with_streams() {
    _mjpeg__server "$@"
    local word name is_ctl="" group="" takes="" given=0
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == -* ]] && continue
        if [[ -n $takes ]]; then
            given=$((given + 1))
        elif [[ -z $is_ctl ]]; then
            [[ $word == ctl ]] && is_ctl=1
        else
            case "$group$word" in
                ONE) takes=one ;;
                MANY) takes=many ;;
                GROUPS) group="$word " ;;
            esac
        fi
    done
    word=${COMP_WORDS[COMP_CWORD]}
    [[ $takes == many || ($takes == one && $given -eq 0) ]] || return 0
    [[ $word != -* ]] || return 0
    COMPREPLY=()
    while IFS= read -r name; do
        [[ $name == "$word"* ]] && COMPREPLY+=("$name")
    done < <("${COMP_WORDS[0]}" ctl list --names 2>/dev/null </dev/null)
}
complete -F _mjpeg_server_with_streams -o nosort -o bashdefault -o default mjpeg-server \
    2>/dev/null ||
    complete -F _mjpeg_server_with_streams -o bashdefault -o default mjpeg-server
"#;

const ZSH: &str = r#"_mjpeg_server_streams() {
    local -a names
    names=(${(f)"$(mjpeg-server ctl list --names 2>/dev/null </dev/null)"})
    compadd -a names
}
"#;

const FISH: &str = r#"complete -c mjpeg-server -f -n "__fish_seen_subcommand_from ctl; and GROUP; and __fish_seen_subcommand_from COMMAND" -a "(mjpeg-server ctl list --names 2>/dev/null </dev/null)"
"#;
