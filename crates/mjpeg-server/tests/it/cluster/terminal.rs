//! A shell in which the commands of a page are run, as its reader would.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// The blocks of code in this language, in a section of docs/cluster.md.
pub(super) fn blocks(section: &str, language: &str) -> Vec<String> {
    let (_, text) = PAGE
        .split_once(&format!("\n## {section}\n"))
        .expect(section);
    let (text, _) = text.split_once("\n## ").expect("its end");
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() != format!("```{language}") {
            continue;
        }
        // Within a list, it is indented.
        let indent = line.len() - line.trim_start().len();
        let block = lines.by_ref().take_while(|line| line.trim() != "```");
        let block = block.map(|line| line.get(indent..).unwrap_or_default());
        blocks.push(block.collect::<Vec<_>>().join("\n"));
    }
    blocks
}

/// A shell and all that it has started, which is killed when this is dropped.
pub(super) struct Terminal {
    shell: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Terminal {
    /// Opens one in a folder, with the program in its PATH and these variables.
    pub(super) fn open(folder: &Path, variables: &[(&str, String)]) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_mjpeg-server"));
        let path = std::env::var("PATH").expect("a PATH");
        let path = format!("{}:{path}", program.parent().expect("a folder").display());
        let mut shell = Command::new("sh")
            .current_dir(folder)
            .env("PATH", path)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .env_remove("MJPEG_LOG")
            .env_remove("MJPEG_LOG_FORMAT")
            .env_remove("MJPEG_CTL_URL")
            .env_remove("RUNTIME_DIRECTORY")
            .env_remove("XDG_RUNTIME_DIR")
            .env_remove("COLUMNS")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh runs");
        let input = shell.stdin.take().expect("piped");
        let output = BufReader::new(shell.stdout.take().expect("piped"));
        let mut terminal = Self {
            shell,
            input,
            output,
        };
        // Whatever ends this process closes the shell's input, and so ends all.
        terminal.say("trap 'kill -s KILL -- -$$' EXIT; set -e; exec 2>&1");
        terminal
    }

    fn say(&mut self, text: &str) {
        writeln!(self.input, "{text}").expect("the shell runs");
    }

    /// Runs these commands, and returns what they print.
    ///
    /// # Panics
    ///
    /// If one of them fails.
    pub(super) fn run(&mut self, commands: &str) -> String {
        // What they read is not what comes next.
        self.say(&format!("{{\n{commands}\n}} < /dev/null\necho {END}"));
        let mut printed = String::new();
        for line in self.output.by_ref().lines() {
            let line = line.expect("UTF-8");
            if line == END {
                return printed;
            }
            printed += &(line + "\n");
        }
        panic!("{commands}\nfailed:\n{printed}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The shell is not waited for yet, so nobody else can have this number.
        let group = format!("-{}", self.shell.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.shell.wait();
    }
}

pub(super) const PAGE: &str = include_str!("../../../../../docs/cluster.md");
/// Is printed after each block.
const END: &str = "-- end of the block --";
