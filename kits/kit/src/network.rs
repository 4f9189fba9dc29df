//! Network namespaces: for a whole kit, and for machines at the other end of a link.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The namespaces that a kit starts itself again in.
///
/// Nothing outside reaches it or is reached from there. All of it, interfaces and browsers too,
/// vanishes with the kit, however that ends.
pub struct Inside {
    /// The variable that tells the kit that it is inside.
    pub variable: &'static str,
    /// Options of `unshare`, besides those for network and processes.
    pub unshare: &'static [&'static str],
    /// Commands that set the network up, run inside.
    pub set_up: &'static [&'static str],
}

impl Inside {
    /// Enters the namespaces, and returns true inside them; false where the system allows none.
    ///
    /// Call it before the kit has threads: outside, it replaces the process.
    pub fn enter(&self) -> Result<bool> {
        if self.is_inside() {
            for line in self.set_up {
                run(line)?;
            }
            return Ok(true);
        }
        for extra in [&[][..], &["--map-root-user"]] {
            let mut probe = self.command(extra);
            probe.args(["ip", "link", "show"]);
            probe.stdout(Stdio::null()).stderr(Stdio::null());
            if probe.status().is_ok_and(|status| status.success()) {
                let mut again = self.command(extra);
                again.arg(env::current_exe()?).args(env::args_os().skip(1));
                let error = again.env(self.variable, "1").exec();
                return Err(error).context("starting again in namespaces");
            }
        }
        Ok(false)
    }

    /// Whether this process is inside.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        env::var_os(self.variable).is_some()
    }

    fn command(&self, extra: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.args(extra).args(self.unshare);
        command.args([
            "--net",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "--",
        ]);
        command
    }
}

/// A named network namespace, another machine to this one. Dropping it removes it with its links.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes a namespace.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        run(&format!("ip netns add {name}"))?;
        Ok(Self { name })
    }

    /// Takes over a namespace that a killed run has left behind.
    pub fn left_behind(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The words before a program's name that start it inside.
    #[must_use]
    pub fn starter(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    /// Runs a command of `ip` in it, and returns its output.
    pub fn ip(&self, arguments: &str) -> Result<String> {
        run(&format!("ip -n {} {arguments}", self.name))
    }

    /// Runs a command of `tc` in it, and returns its output.
    pub fn tc(&self, arguments: &str) -> Result<String> {
        run(&format!("tc -n {} {arguments}", self.name))
    }

    /// Gives one of its devices an address in a network of 256, and turns it on.
    pub fn set_address(&self, device: &str, address: &str) -> Result<()> {
        self.ip(&format!("addr add {address}/24 dev {device}"))?;
        self.ip(&format!("link set dev {device} up")).map(drop)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A namespace that stays is left to the next run.
        let _ = run(&format!("ip netns delete {}", self.name));
    }
}

/// Runs a command, given as words with a blank between two, and returns its output.
pub fn run(line: &str) -> Result<String> {
    run_words(&line.split(' ').collect::<Vec<_>>())
}

/// Runs a command and returns its output.
pub fn run_words(words: &[&str]) -> Result<String> {
    let line = words.join(" ");
    let (program, arguments) = words.split_first().context("a command has a program")?;
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("running `{line}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed: {}", said.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed no text"))
}
