//! etcd servers as processes on free ports of the loopback interface.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// Servers that form one etcd. They are killed when it is dropped.
pub(crate) struct Group {
    servers: Vec<Server>,
    _folder: TempDir,
}

struct Server {
    args: Vec<String>,
    endpoint: String,
    running: Option<Child>,
}

/// Whether etcd is there.
pub(crate) fn installed() -> bool {
    let version = Command::new("etcd")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

impl Group {
    /// Starts this many. None, and a message, if etcd is not installed.
    pub(crate) fn start(count: usize) -> Option<Self> {
        Self::start_with(count, "http", &[])
    }

    /// Starts one with these arguments.
    pub(crate) fn start_alone(args: &[String]) -> Option<Self> {
        Self::start_with(1, "http", args)
    }

    /// Starts one that speaks TLS, with these arguments.
    pub(crate) fn start_secured(args: &[String]) -> Option<Self> {
        Self::start_with(1, "https", args)
    }

    fn start_with(count: usize, scheme: &str, more: &[String]) -> Option<Self> {
        if !installed() {
            println!("skipped: etcd is not installed (Debian: etcd-server)");
            return None;
        }
        let folder = TempDir::new().unwrap();
        // All at once, so that no port is found twice.
        let free: Vec<_> = (0..2 * count)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let address = |at: usize| free[at].local_addr().unwrap();
        let client_url = |at: usize| format!("{scheme}://{}", address(at));
        let url = |at: usize| format!("http://{}", address(at));
        let named = |at: usize| format!("e{at}={}", url(count + at));
        let all: Vec<_> = (0..count).map(named).collect();
        let server = |at: usize| {
            let data = folder.path().join(format!("e{at}")).display().to_string();
            let args = [
                ("name", format!("e{at}")),
                ("data-dir", data),
                ("listen-client-urls", client_url(at)),
                ("advertise-client-urls", client_url(at)),
                ("listen-peer-urls", url(count + at)),
                ("initial-advertise-peer-urls", url(count + at)),
                ("initial-cluster", all.join(",")),
                ("logger", "zap".into()),
                ("log-level", "error".into()),
            ];
            let args = args.map(|(name, value)| format!("--{name}={value}"));
            Server {
                args: args.into_iter().chain(more.iter().cloned()).collect(),
                endpoint: client_url(at),
                running: None,
            }
        };
        let mut servers: Vec<_> = (0..count).map(server).collect();
        drop(free);
        servers.iter_mut().for_each(Server::start);
        Some(Self {
            servers,
            _folder: folder,
        })
    }

    pub(crate) fn endpoints(&self) -> Vec<String> {
        let servers = self.servers.iter();
        servers.map(|server| server.endpoint.clone()).collect()
    }

    /// Kills a server as `kill -9` does.
    pub(crate) fn kill(&mut self, at: usize) {
        self.servers[at].kill();
    }

    /// Starts a server again, with the data that it has.
    pub(crate) fn restart(&mut self, at: usize) {
        self.servers[at].start();
    }
}

impl Server {
    fn start(&mut self) {
        let mut etcd = Command::new("etcd");
        etcd.args(&self.args)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.running = Some(etcd.spawn().unwrap());
    }

    fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().unwrap();
            running.wait().unwrap();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.servers.iter_mut().for_each(Server::kill);
    }
}
