//! Runs the program.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

/// The program with these arguments.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mjpeg-server"));
    command
        .args(args)
        .env_remove("MJPEG_LOG")
        .env_remove("MJPEG_LOG_FORMAT");
    // Each relay of a user would want the same socket.
    command
        .env_remove("RUNTIME_DIRECTORY")
        .env_remove("XDG_RUNTIME_DIR");
    command
}

/// Runs the program to its end.
pub(crate) fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(args).output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

/// A running program that has printed its URLs. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// `None` once it was read to its end.
    stderr: Option<BufReader<ChildStderr>>,
    pub(crate) urls: Vec<String>,
}

impl Server {
    /// Starts the program and reads `streams` URLs.
    pub(crate) fn start(args: &[&str], streams: usize) -> Self {
        Self::of(command(args), streams)
    }

    /// Starts this command, which is the program in the end, and reads `streams` URLs.
    pub(crate) fn of(mut command: Command, streams: usize) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let urls = stdout
            .by_ref()
            .lines()
            .take(streams)
            .map_while(Result::ok)
            .collect();
        let mut server = Self {
            stderr: child.stderr.take().map(BufReader::new),
            child,
            stdout,
            urls,
        };
        if server.urls.len() < streams {
            let _ = server.child.kill();
            let stderr = server.stderr();
            panic!(
                "printed {:?}, and on standard error:
{stderr}",
                server.urls
            );
        }
        server
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn addr(&self, stream: usize) -> SocketAddr {
        let url = &self.urls[stream];
        let authority = url
            .strip_prefix("http://")
            .or_else(|| url.strip_prefix("https://"))
            .and_then(|url| url.strip_suffix('/'))
            .expect("http://…/ or https://…/");
        authority
            .replace("localhost", "127.0.0.1")
            .parse()
            .expect("an address and a port")
    }

    /// Sends a signal by name, waits for the end, and returns the exit status and how long it took.
    pub(crate) fn end_by(&mut self, signal: &str) -> (ExitStatus, Duration) {
        #[allow(clippy::disallowed_methods, reason = "this waits for a real process")]
        let since = Instant::now();
        self.signal(signal);
        let status = self.child.wait().expect("it ends");
        (status, since.elapsed())
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, signal: &str) {
        assert!(kill(signal, self.pid()));
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Reads standard error until a line contains this word, and returns all lines up to it.
    pub(crate) fn stderr_until(&mut self, word: &str) -> Vec<String> {
        let mut until = Vec::new();
        let stderr = self.stderr.as_mut().expect("not read to its end");
        for line in stderr.lines() {
            until.push(line.expect("UTF-8"));
            if until.last().is_some_and(|line| line.contains(word)) {
                return until;
            }
        }
        panic!("ended without {word:?}: {until:?}");
    }

    /// The standard output after the URLs; call it after the end only.
    pub(crate) fn rest_of_stdout(&mut self) -> String {
        let mut text = String::new();
        self.stdout.read_to_string(&mut text).expect("UTF-8");
        text
    }

    /// The standard error; call it after the end only.
    pub(crate) fn stderr(&mut self) -> String {
        let mut text = String::new();
        self.stderr
            .take()
            .expect("piped, read once")
            .read_to_string(&mut text)
            .expect("UTF-8");
        text
    }
}

/// Ends a program that may have ended already.
pub(crate) fn end(pid: u32) {
    kill("KILL", pid);
}

fn kill(signal: &str, pid: u32) -> bool {
    let pid = pid.to_string();
    let mut kill = Command::new("kill");
    kill.args(["-s", signal, &pid]).stderr(Stdio::null());
    kill.status().expect("kill runs").success()
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails if the program has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
