//! The relay under test, seen from outside: a process of its own, its figures, its answers.

use std::{
    collections::BTreeMap, env, fs, net::SocketAddr, path::Path, process::Stdio, sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::turns::Turns;

/// How a relay's process is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Launch {
    /// Of open files, if another one than the suite's.
    pub(crate) most_files: Option<u32>,
    pub(crate) env: BTreeMap<&'static str, String>,
}

/// What a process has of what may leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) files: usize,
    pub(crate) threads: usize,
    /// Told by the relay itself; of the program, nobody tells.
    pub(crate) tasks: Option<u64>,
}

impl Figures {
    /// What there is more of than before.
    pub(crate) fn beyond(&self, before: &Self) -> Vec<String> {
        let pairs = [
            ("open files", before.files as u64, self.files as u64),
            ("threads", before.threads as u64, self.threads as u64),
            ("tasks", before.tasks.unwrap_or(0), self.tasks.unwrap_or(0)),
        ];
        let more = pairs.into_iter().filter(|(_, before, now)| now > before);
        more.map(|(what, before, now)| format!("{now} {what} where {before} were before"))
            .collect()
    }
}

/// A process that is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    pid: u32,
    pub(crate) turns: Arc<Turns>,
    out: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// What it writes to standard error goes to this file.
    pub(crate) fn start(
        program: &Path,
        args: &[&str],
        launch: &Launch,
        log: &Path,
    ) -> Result<Self> {
        let mut command = match launch.most_files {
            // Its process is that of the program: `exec` makes one of the other.
            Some(most) => {
                let mut command = Command::new("sh");
                command.args(["-c", &format!("ulimit -n {most} && exec \"$@\""), "sh"]);
                command.arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(args).envs(&launch.env).kill_on_drop(true);
        // To look up the names for a backtrace takes a debug build 130 MB, and the relay's one thread for half a second.
        command.env_remove("RUST_BACKTRACE");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let file = fs::File::create(log).with_context(|| format!("making {}", log.display()))?;
        let child = command.stderr(file).spawn();
        let mut child = child.with_context(|| format!("starting {}", program.display()))?;
        let out = child.stdout.take().context("standard output is piped")?;
        let pid = child.id().context("it has just started")?;
        Ok(Self {
            pid,
            turns: Turns::watch(pid),
            child,
            out: BufReader::new(out).lines(),
        })
    }

    pub(crate) async fn line(&mut self) -> Result<String> {
        let line = timeout(ANSWER_LIMIT, self.out.next_line()).await;
        let line =
            line.with_context(|| format!("the relay says nothing for {ANSWER_LIMIT:?}"))??;
        line.context("the relay has ended")
    }

    /// Waits for its end, and gives its exit code.
    pub(crate) async fn ended(&mut self, limit: Duration) -> Result<Option<i32>> {
        let ended = timeout(limit, self.child.wait()).await;
        Ok(ended
            .with_context(|| format!("the relay does not end within {limit:?}"))??
            .code())
    }

    pub(crate) async fn terminate(&self) -> Result<()> {
        let pid = self.pid.to_string();
        let killed = Command::new("kill")
            .args(["-s", "TERM", &pid])
            .status()
            .await?;
        ensure!(killed.success(), "kill failed");
        Ok(())
    }

    /// Memory in use, in KiB.
    pub(crate) fn rss_kib(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// The most memory in use since [`Self::forget_peak`], in KiB. The kernel keeps it: no sample misses a peak.
    pub(crate) fn peak_kib(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    pub(crate) fn forget_peak(&self) -> Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.pid), "5").context("the peak of memory")
    }

    pub(crate) fn figures(&self) -> Result<Figures> {
        Ok(Figures {
            files: fs::read_dir(format!("/proc/{}/fd", self.pid))?.count(),
            threads: usize::try_from(self.status("Threads:")?)?,
            tasks: None,
        })
    }

    fn status(&self, key: &str) -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid))
            .context("the relay's process is gone")?;
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.with_context(|| format!("no {key} in its status"))
    }
}

/// What the relay tells of a stream.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) state: String,
    pub(crate) retry_in_ms: Option<u64>,
    pub(crate) frames: u64,
    pub(crate) size: Option<(u16, u16)>,
    /// Pieces and frames.
    pub(crate) discarded: u64,
    pub(crate) too_large: u64,
    pub(crate) reconnects: u64,
    pub(crate) panics: u64,
    pub(crate) last_error: Option<String>,
    pub(crate) connections: u64,
    pub(crate) viewers: u64,
    pub(crate) write_stalls: u64,
    pub(crate) send_timeouts: u64,
    pub(crate) in_flight_cuts: u64,
    pub(crate) header_timeouts: u64,
    pub(crate) bad_requests: u64,
    pub(crate) accept_errors: u64,
}

/// The relay that answers questions: this program itself, see [`crate::inside`].
pub(crate) struct Relay {
    pub(crate) process: Process,
    stdin: ChildStdin,
}

impl Relay {
    pub(crate) fn start(launch: &Launch, log: &Path) -> Result<Self> {
        let mut process = Process::start(&env::current_exe()?, &["relay"], launch, log)?;
        let stdin = process
            .child
            .stdin
            .take()
            .context("standard input is piped")?;
        Ok(Self { process, stdin })
    }

    pub(crate) async fn ask(&mut self, command: &str) -> Result<Value> {
        self.stdin
            .write_all(format!("{command}\n").as_bytes())
            .await?;
        let line = self.process.line().await?;
        let answer: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            bail!("{error}");
        }
        Ok(answer)
    }

    /// Starts a stream on a free port, and gives its address on loopback.
    pub(crate) async fn stream(&mut self, name: &str, url: &str) -> Result<SocketAddr> {
        self.begin(&format!("start {name} 0.0.0.0:0 {url}")).await
    }

    /// Starts a stream with a command of one's own.
    pub(crate) async fn begin(&mut self, command: &str) -> Result<SocketAddr> {
        let answer = self.ask(command).await?;
        let listen = answer.get("listen").and_then(Value::as_str);
        let listen: SocketAddr = listen.context("the stream has no address")?.parse()?;
        Ok(SocketAddr::new([127, 0, 0, 1].into(), listen.port()))
    }

    pub(crate) async fn status(&mut self, name: &str) -> Result<Status> {
        let answer = self.ask(&format!("status {name}")).await?;
        Ok(serde_json::from_value(answer)?)
    }

    pub(crate) async fn figures(&mut self) -> Result<Figures> {
        let tasks = self.ask("tasks").await?;
        Ok(Figures {
            tasks: tasks.get("tasks").and_then(Value::as_u64),
            ..self.process.figures()?
        })
    }

    /// Lets it end in order.
    pub(crate) async fn end(self) -> Result<Option<i32>> {
        let Self { mut process, stdin } = self;
        drop(stdin);
        process.ended(END_LIMIT).await
    }
}

/// The program `mjpeg-server`.
pub(crate) struct Program {
    pub(crate) process: Process,
    /// Where its streams are, on loopback, in their order.
    pub(crate) addrs: Vec<SocketAddr>,
}

impl Program {
    /// Relays these cameras.
    pub(crate) async fn start(
        program: &Path,
        cameras: &[SocketAddr],
        launch: &Launch,
        log: &Path,
    ) -> Result<Self> {
        let streams: Vec<String> = cameras
            .iter()
            .enumerate()
            .map(|(n, camera)| format!("s{n}=tcp://{camera}@127.0.0.1:0"))
            .collect();
        let mut args = vec!["--log", "warn", "run"];
        args.extend(streams.iter().flat_map(|stream| ["--stream", stream]));
        let mut process = Process::start(program, &args, launch, log)?;
        let mut addrs = Vec::new();
        for _ in cameras {
            let url = process.line().await?;
            let addr = url
                .strip_prefix("http://")
                .and_then(|url| url.trim_end_matches('/').parse().ok());
            addrs.push(addr.with_context(|| format!("{url:?} is no URL"))?);
        }
        Ok(Self { process, addrs })
    }
}

const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// The grace of five seconds, and a little.
pub(crate) const END_LIMIT: Duration = Duration::from_secs(8);
