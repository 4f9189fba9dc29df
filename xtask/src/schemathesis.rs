//! Sends the API of a running relay requests that schemathesis makes from its `openapi.json`.
//!
//! It notices answers that the document does not allow, server errors, methods that should not be
//! there, and requests that are right by the document and refused.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use xshell::cmd;

use crate::util::Workspace;

/// Runs it with its defaults, as a step of `ci` does.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    run(workspace, DEFAULT_EXAMPLES, DEFAULT_SEED)
}

/// Tries each request in up to `examples` forms, and then some sequences of requests.
pub(crate) fn run(workspace: &Workspace, examples: u32, seed: u32) -> Result<()> {
    let sh = &workspace.sh;
    let program = install(workspace)?;
    cmd!(sh, "cargo build --locked --quiet -p mjpeg-server").run()?;
    let folder = workspace.target("schemathesis/relay");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(folder.join("streams.d"))?;
    fs::write(folder.join("mjpeg.toml"), RELAY)?;
    fs::write(folder.join("schemathesis.toml"), CONFIG)?;
    let relay = Relay::start(&workspace.target("debug/mjpeg-server"), &folder)?;
    // Where it keeps notes of its own.
    let _folder = sh.push_dir(&folder);
    let document = format!("{}api/v1/openapi.json", relay.url);
    let (examples, seed) = (examples.to_string(), seed.to_string());
    // A client of events never comes to an end, and the wall is for WebSockets only.
    let outcome = cmd!(
        sh,
        "{program} run {document} --checks all
         --exclude-path /api/v1/events --exclude-path /api/v1/wall
         --max-examples {examples} --seed {seed}
         --continue-on-failure --request-timeout 10 --generation-database none"
    )
    .run();
    relay.end()?;
    outcome.context("the relay does not keep to its openapi.json")
}

/// Installs schemathesis, unless this version is there, and returns its path.
fn install(workspace: &Workspace) -> Result<std::path::PathBuf> {
    let sh = &workspace.sh;
    let venv = workspace.target(&format!("schemathesis/{VERSION}"));
    let program = venv.join("bin/schemathesis");
    if cmd!(sh, "{program} --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_err()
    {
        cmd!(sh, "python3 -m venv --clear {venv}")
            .run()
            .context("python3 needs its module venv: Debian's python3-venv")?;
        let pip = venv.join("bin/pip");
        cmd!(sh, "{pip} install --quiet schemathesis=={VERSION}").run()?;
    }
    Ok(program)
}

/// A relay that is killed when dropped.
struct Relay {
    child: Child,
    /// With a slash at its end.
    url: String,
}

impl Relay {
    fn start(program: &Path, folder: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["run", "-c", "mjpeg.toml"])
            .current_dir(folder)
            .env("STATE_DIRECTORY", folder.join("state"))
            .env_remove("RUNTIME_DIRECTORY")
            .env_remove("XDG_RUNTIME_DIR")
            .stdout(Stdio::piped())
            .stderr(File::create(folder.join("relay.log"))?)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let mut url = String::new();
        let stdout = child.stdout.take().context("standard output is piped")?;
        BufReader::new(stdout).read_line(&mut url)?;
        let relay = Self {
            child,
            url: url.trim().to_owned(),
        };
        let log = folder.join("relay.log");
        ensure!(
            !relay.url.is_empty(),
            "the relay did not start; see {}",
            log.display()
        );
        Ok(relay)
    }

    /// It must still run.
    fn end(mut self) -> Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "the relay has ended");
        Ok(())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Fails if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) const DEFAULT_EXAMPLES: u32 = 20;
pub(crate) const DEFAULT_SEED: u32 = 1;
const VERSION: &str = "4.32.5";

/// Nothing leaves this machine, whatever sources are set.
const RELAY: &str = r#"
include = ["streams.d/*.toml"]
[[listen]]
address = "127.0.0.1:0"
serve = ["streams", "page", "control"]
[control]
sources = ["test"]
[[streams]]
name = "garage"
source = "test:?size=64x64&fps=5"
"#;

/// What may be answered beside what schemathesis takes for right.
///
/// A right request: a stream or its version may be another one by now (404, 409, 412), or has no
/// picture (503); two conditions exclude each other (400); which keys and values a stream has is in
/// docs/configuration.md and not in the document (422). One that is not right: a version that does
/// not hold, whatever it looks like (412).
const CONFIG: &str = r#"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "404", "409", "412", "422"]

[checks.negative_data_rejection]
expected-statuses = ["400", "403", "404", "405", "409", "412", "415", "422"]

[[operations]]
include-operation-id = "read_health"
checks.not_a_server_error.expected-statuses = ["2xx", "4xx", "503"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "404", "503"]
"#;
