//! Network namespaces, for a whole kit and for simulated machines at the far end of a link.

use std::env;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail};
use rustix::fd::AsFd as _;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The namespaces in which a kit restarts itself.
///
/// They have no connection to the outside. Their interfaces and processes vanish when the kit ends,
/// in whatever way.
pub struct Inside {
    /// The environment variable that is set inside.
    pub variable: &'static str,
    /// Options of `unshare` besides those for networks and processes.
    pub unshare: &'static [&'static str],
    /// Commands to run inside first, to set up the network.
    pub set_up: &'static [&'static str],
}

impl Inside {
    /// Enters the namespaces. Returns whether the kit is now inside: false if the system does not
    /// allow namespaces.
    ///
    /// Outside, it replaces the process, so call it before the kit starts threads.
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

/// A named network namespace, which stands for another machine. Dropping it removes it and its
/// links.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Creates a namespace.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        run(&format!("ip netns add {name}"))?;
        Ok(Self { name })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The command prefix that runs a program inside.
    #[must_use]
    pub fn starter(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    /// Makes something in it, such as a socket, in a thread of its own: a socket belongs to the
    /// namespace in which its thread is when it makes it. Blocks until it is made.
    pub fn inside<T: Send + 'static>(
        &self,
        make: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = format!("/run/netns/{}", self.name);
        let there = move || {
            let namespace = File::open(path)?;
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            make()
        };
        let made = thread::spawn(there).join();
        made.map_err(|_| io::Error::other("the thread panicked"))
            .and_then(|made| made)
            .context("creating a socket in another namespace")
    }

    /// Runs an `ip` command in it, and returns the output.
    pub fn ip(&self, arguments: &str) -> Result<String> {
        run(&format!("ip -n {} {arguments}", self.name))
    }

    /// Runs a `tc` command in it, and returns the output.
    pub fn tc(&self, arguments: &str) -> Result<String> {
        run(&format!("tc -n {} {arguments}", self.name))
    }

    /// Assigns an address (/24) to one of its devices, and brings the device up.
    pub fn set_address(&self, device: &str, address: &str) -> Result<()> {
        self.ip(&format!("addr add {address}/24 dev {device}"))?;
        self.ip(&format!("link set dev {device} up")).map(drop)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // If this fails, the namespace still vanishes with the kit's own.
        let _ = run(&format!("ip netns delete {}", self.name));
    }
}

/// Runs a command, whose words are separated by single spaces, and returns its output.
pub fn run(line: &str) -> Result<String> {
    run_words(&line.split(' ').collect::<Vec<_>>())
}

/// Runs a command and returns its output.
pub fn run_words(words: &[&str]) -> Result<String> {
    let line = words.join(" ");
    let (program, arguments) = words.split_first().context("an empty command")?;
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("running `{line}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed: {}", said.trim());
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{line}` printed bytes that are not UTF-8"))
}
