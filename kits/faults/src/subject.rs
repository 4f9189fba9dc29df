//! The relay under test as a process: what it holds, and what it answers.

use std::{
    env, fs,
    io::Write as _,
    net::SocketAddr,
    path::Path,
    process::{ChildStdin, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use kit::{
    child::{Child, with_open_files},
    proc, relay,
};
use rustix::process::Signal;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    camera::Camera,
    cpu_waits::CpuWaits,
    inside::{Question, Start},
    launch::{Launch, Unread},
    undisturbed,
};

/// What a process holds and may leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) files: usize,
    pub(crate) threads: usize,
    /// Reported by the relay itself. The program does not report it.
    pub(crate) tasks: Option<u64>,
}

impl Figures {
    /// Lists what the process holds more of than before.
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

/// A process. Dropping it kills the process.
pub(crate) struct Process {
    child: Child,
    pub(crate) cpu_waits: Arc<CpuWaits>,
    /// Standard error, if it is not read.
    pub(crate) unread: Option<Unread>,
}

impl Process {
    /// Starts a process. Its standard error goes to the file `log`, unless it is not to be read.
    pub(crate) async fn start(program: &Path, launch: &Launch, log: &Path) -> Result<Self> {
        let mut command = match launch.most_files {
            Some(most) => {
                let mut command = with_open_files(&most.to_string());
                command.arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(&launch.args).envs(&launch.env);
        // In a debug build, a backtrace takes 130 MB and blocks the only thread for half a second.
        command.env_remove("RUST_BACKTRACE");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let file = fs::File::create(log).with_context(|| format!("creating {}", log.display()))?;
        let unread = launch.is_log_unread.then(Unread::new).transpose()?;
        let stderr = match &unread {
            Some(pipe) => Stdio::from(pipe.writer()?),
            None => file.into(),
        };
        command.stderr(stderr);
        let child = undisturbed::run(async move { Child::start(&mut command, "the relay") });
        let child = child.await??;
        Ok(Self {
            cpu_waits: CpuWaits::watch(child.id()),
            child,
            unread,
        })
    }

    pub(crate) async fn line(&mut self) -> Result<String> {
        self.child.line().await
    }

    /// Waits for the end of the process. Returns its exit code, or `None` if a signal killed it.
    pub(crate) async fn ended(&mut self, limit: Duration) -> Result<Option<i32>> {
        Ok(self.child.ended(limit).await?.code())
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> Result<()> {
        self.child.signal(signal)
    }

    /// The CPU time so far, over all threads.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        proc::cpu_time(self.child.id())
    }

    /// Memory in use, in KiB.
    pub(crate) fn rss_kib(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// The peak of memory since [`Self::forget_peak`], in KiB. The kernel records it, so none is
    /// missed.
    pub(crate) fn peak_kib(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    pub(crate) fn forget_peak(&self) -> Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")
            .context("resetting the peak of memory")
    }

    pub(crate) fn figures(&self) -> Result<Figures> {
        Ok(Figures {
            files: fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count(),
            threads: usize::try_from(self.status("Threads:")?)?,
            tasks: None,
        })
    }

    fn status(&self, key: &str) -> Result<u64> {
        proc::status(self.child.id(), key)
    }
}

/// What the relay reports about a stream.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) state: String,
    pub(crate) retry_in_ms: Option<u64>,
    pub(crate) frames: u64,
    pub(crate) size: Option<(u16, u16)>,
    /// Frames and other pieces of data together.
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

/// The relay that answers questions, which is this program itself; see [`crate::inside`].
pub(crate) struct Relay {
    pub(crate) process: Process,
    stdin: ChildStdin,
}

impl Relay {
    pub(crate) async fn launch(launch: &Launch, log: &Path) -> Result<Self> {
        let launch = Launch {
            args: vec!["relay".into()],
            ..launch.clone()
        };
        let mut process = Process::start(&env::current_exe()?, &launch, log).await?;
        let stdin = process.child.stdin();
        let stdin = stdin.context("standard input is piped")?;
        Ok(Self { process, stdin })
    }

    pub(crate) async fn ask(&mut self, question: &Question) -> Result<Value> {
        let question = serde_json::to_string(question)?;
        // Does not block, because the line fits into the pipe.
        writeln!(self.stdin, "{question}")?;
        let line = self.process.line().await?;
        let answer: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            bail!("{error}");
        }
        Ok(answer)
    }

    /// Starts a stream, and returns its address on loopback.
    pub(crate) async fn start_stream(&mut self, stream: Start) -> Result<SocketAddr> {
        self.begin(&Question::Start(stream)).await
    }

    /// Asks a question that starts a stream, and returns the stream's address on loopback.
    pub(crate) async fn begin(&mut self, question: &Question) -> Result<SocketAddr> {
        let answer = self.ask(question).await?;
        let listen = answer.get("listen").and_then(Value::as_str);
        let listen: SocketAddr = listen.context("the stream has no address")?.parse()?;
        Ok(SocketAddr::new([127, 0, 0, 1].into(), listen.port()))
    }

    pub(crate) async fn stop_stream(&mut self, name: &str) -> Result<()> {
        self.ask(&Question::Stop(name.into())).await.map(drop)
    }

    pub(crate) async fn status(&mut self, name: &str) -> Result<Status> {
        let answer = self.ask(&Question::Status(name.into())).await?;
        Ok(serde_json::from_value(answer)?)
    }

    pub(crate) async fn figures(&mut self) -> Result<Figures> {
        let tasks = self.ask(&Question::Tasks).await?;
        Ok(Figures {
            tasks: tasks.get("tasks").and_then(Value::as_u64),
            ..self.process.figures()?
        })
    }

    /// Shuts the relay down, and returns its exit code.
    pub(crate) async fn end(self) -> Result<Option<i32>> {
        let Self { mut process, stdin } = self;
        drop(stdin);
        process.ended(END_LIMIT).await
    }
}

/// The program `mjpeg-server`, running.
pub(crate) struct Program {
    pub(crate) process: Process,
    /// The addresses of its streams, in the order of the command line.
    pub(crate) addrs: Vec<SocketAddr>,
}

impl Program {
    /// Starts the program with a stream of each camera and the streams that the launch adds.
    pub(crate) async fn start(
        program: &Path,
        cameras: &[Camera],
        launch: &Launch,
        log: &Path,
    ) -> Result<Self> {
        let mut all = Launch {
            args: vec!["run".into()],
            ..launch.clone()
        };
        for (n, camera) in cameras.iter().enumerate() {
            all.add_stream(&format!("s{n}"), &camera.url());
        }
        all.args.extend_from_slice(&launch.args);
        let mut process = Process::start(program, &all, log).await?;
        for _ in 0..all.pages {
            process.line().await?;
        }
        let mut addrs = Vec::new();
        for _ in 0..all.streams() {
            addrs.push(relay::address(&process.line().await?)?);
        }
        Ok(Self { process, addrs })
    }
}

/// The relay's grace of 5 s, and a margin.
pub(crate) const END_LIMIT: Duration = Duration::from_secs(7);
