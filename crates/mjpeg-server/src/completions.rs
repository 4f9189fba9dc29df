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
            let names = BASH.replace("ONE", &one.join("|"));
            // The generator writes a name with a hyphen in two ways: clap-rs/clap#6421.
            let script = script.replace("mjpeg__subcmd__server", "mjpeg__server");
            script + &names.replace("MANY", &many.join("|"))
        }
        CompletedShell::Zsh => with_zsh_names(&script),
        CompletedShell::Fish => {
            let all = [one, many].concat().join(" ");
            script + &FISH.replace("COMMANDS", &all)
        }
    }
}

/// The commands of `ctl` that take the name of one stream, or of several: `links create` is known
/// as `create`.
fn streams_of(command: &Command, of_several: bool) -> Vec<String> {
    let mut found = Vec::new();
    let ctl = command
        .get_subcommands()
        .filter(|it| it.get_name() == "ctl");
    let commands = ctl.flat_map(Command::get_subcommands);
    for command in commands.flat_map(|it| iter::once(it).chain(it.get_subcommands())) {
        let mut names = command
            .get_positionals()
            .filter(|it| it.get_value_hint() == STREAM);
        let is_named = |arg: &Arg| matches!(arg.get_action(), ArgAction::Append) == of_several;
        if names.any(is_named) {
            found.push(command.get_name().to_owned());
        }
    }
    found
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
    local word name is_ctl="" takes="" given=0
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$word" in
            ctl) is_ctl=1 ;;
            ONE) [[ -n $is_ctl && -z $takes ]] && takes=one ;;
            MANY) [[ -n $is_ctl && -z $takes ]] && takes=many ;;
            -*) ;;
            *) [[ -n $takes ]] && given=$((given + 1)) ;;
        esac
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

const FISH: &str = r#"
complete -c mjpeg-server -f -n "__fish_seen_subcommand_from ctl; and __fish_seen_subcommand_from COMMANDS" -a "(mjpeg-server ctl list --names 2>/dev/null </dev/null)"
"#;
