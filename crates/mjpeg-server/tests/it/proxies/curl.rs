//! curl as the client: it speaks HTTP/1.1 and HTTP/2, plain and over TLS.

use std::{
    io::Read,
    net::SocketAddr,
    process::{ChildStdout, Command, Stdio},
};

use crate::{proxies::proxy::HOST, sources::Killed};

/// A server, as curl reaches it: by the name of the documentation.
#[derive(Clone, Copy)]
pub(crate) struct Server {
    scheme: &'static str,
    addr: SocketAddr,
}

impl Server {
    pub(crate) fn plain(addr: SocketAddr) -> Self {
        let scheme = "http";
        Self { scheme, addr }
    }

    /// With TLS, and HTTP/2 if the server offers it.
    pub(super) fn tls(addr: SocketAddr) -> Self {
        let scheme = "https";
        Self { scheme, addr }
    }

    pub(super) fn host(self) -> String {
        format!("{HOST}:{}", self.addr.port())
    }

    pub(super) fn url(self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.host())
    }

    fn command(self, arguments: &[&str], paths: &[&str]) -> Command {
        let mut command = Command::new("curl");
        let version = match self.scheme {
            "https" => "--http2",
            _ => "--http1.1",
        };
        command
            .args(["--silent", "--show-error", "--no-buffer", "--insecure"])
            .args(["--max-time", "30", "--path-as-is", version])
            .args(["--resolve", &format!("{}:127.0.0.1", self.host())])
            .args(arguments)
            .args(paths.iter().map(|path| self.url(path)));
        command
    }

    /// Asks for these paths in turn. Returns what curl prints.
    pub(super) fn ask(self, arguments: &[&str], paths: &[&str]) -> Vec<u8> {
        let output = self.command(arguments, paths).output().expect("curl runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{paths:?}: {said}");
        output.stdout
    }

    /// The status and the body.
    pub(super) fn get(self, path: &str) -> (u16, Vec<u8>) {
        let mut printed = self.ask(&["--write-out", "%{http_code}"], &[path]);
        let status = printed.split_off(printed.len() - 3);
        (String::from_utf8(status).unwrap().parse().unwrap(), printed)
    }

    /// Asks for these paths in turn. The last is a stream.
    pub(crate) fn watch(self, paths: &[&str]) -> Stream {
        let mut command = self.command(&["--include", "--verbose"], paths);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn();
        let mut curl = Killed(child.expect("curl runs"));
        Stream {
            output: curl.0.stdout.take().expect("piped"),
            buffer: Vec::new(),
            curl,
        }
    }
}

/// Heads and bodies as curl prints them. The viewer leaves when this is dropped.
pub(crate) struct Stream {
    output: ChildStdout,
    buffer: Vec<u8>,
    curl: Killed,
}

impl Stream {
    /// The next block of headers.
    pub(crate) fn head(&mut self) -> String {
        loop {
            let end = self
                .buffer
                .windows(4)
                .position(|bytes| bytes == b"\r\n\r\n");
            match end {
                Some(end) => {
                    let head = self.taken(end + 4);
                    return String::from_utf8_lossy(&head).into_owned();
                }
                None => self.fill(),
            }
        }
    }

    /// The next frame of a stream, or a snapshot, and its headers.
    pub(crate) fn picture(&mut self) -> (String, Vec<u8>) {
        let head = self.head();
        let length = value(&head, "content-length").unwrap_or_else(|| panic!("{head}"));
        let length = length.parse().unwrap();
        while self.buffer.len() < length {
            self.fill();
        }
        (head, self.taken(length))
    }

    /// Leaves. Returns how many connections there were.
    pub(super) fn connections(mut self) -> usize {
        let mut said = String::new();
        self.curl.0.kill().expect("it runs");
        let mut stderr = self.curl.0.stderr.take().expect("piped");
        stderr.read_to_string(&mut said).expect("UTF-8");
        said.matches("* Connected to ").count()
    }

    fn taken(&mut self, length: usize) -> Vec<u8> {
        self.buffer.drain(..length).collect()
    }

    fn fill(&mut self) {
        let mut bytes = [0; 64 << 10];
        let read = self.output.read(&mut bytes).unwrap();
        let so_far = self.buffer.escape_ascii();
        assert!(read > 0, "the stream ended; {so_far}");
        self.buffer.extend(&bytes[..read]);
    }
}

/// The value of a header.
pub(super) fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}
