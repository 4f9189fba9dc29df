//! The engine: one or three servers of etcd.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use kit::child::Child;

use super::{
    http,
    network::{Host, Network},
};
use crate::wait::{secs, until};

/// Servers that form one engine. They are killed when it is dropped.
pub(crate) struct Etcd {
    members: Vec<Member>,
    data: PathBuf,
}

struct Member {
    client: SocketAddr,
    arguments: Vec<String>,
    log: PathBuf,
    process: Option<Child>,
}

impl Etcd {
    /// Starts a server on each of these machines, or on loopback.
    pub(crate) async fn start(places: &Places<'_>, logs: &Path) -> Result<Self> {
        let data = Path::new("/run/etcd").join(format!("{:016x}", fastrand::u64(..)));
        fs::create_dir_all(&data).with_context(|| format!("creating {}", data.display()))?;
        let all: Vec<String> = places.all().map(|at| at.peer_named()).collect();
        let all = all.join(",");
        let members = places.all().map(|at| Member {
            client: at.client,
            arguments: at.arguments(&data, &all),
            log: logs.join(format!("{}.log", at.name)),
            process: None,
        });
        let mut etcd = Self {
            members: members.collect(),
            data,
        };
        for member in 0..etcd.members.len() {
            etcd.revive(member)?;
        }
        etcd.healthy().await?;
        Ok(etcd)
    }

    /// The addresses at which clients reach it.
    pub(crate) fn clients(&self) -> impl Iterator<Item = SocketAddr> {
        self.members.iter().map(|member| member.client)
    }

    pub(crate) fn count(&self) -> usize {
        self.members.len()
    }

    /// Which member leads.
    pub(crate) async fn leader(&self) -> Result<usize> {
        until("a member of etcd leads", secs(20), async || {
            for (number, member) in self.members.iter().enumerate() {
                if member.process.is_none() {
                    continue;
                }
                let leads = http::metric(member.client, "etcd_server_is_leader", "").await;
                // One that has just been started does not answer yet.
                if leads.is_ok_and(|leads| leads == Some(1.0)) {
                    return Ok(Some(number));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Kills a member, as `kill -9` does.
    pub(crate) fn kill(&mut self, member: usize) {
        self.members[member].process = None;
    }

    /// Starts a member again, with the data that it has.
    pub(crate) fn revive(&mut self, member: usize) -> Result<()> {
        let member = &mut self.members[member];
        ensure!(member.process.is_none(), "this member of etcd runs");
        let log = File::options()
            .create(true)
            .append(true)
            .open(&member.log)?;
        let (program, arguments) = member.arguments.split_first().context("a command")?;
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::null()).stderr(log);
        member.process = Some(Child::start(&mut command, "etcd")?);
        Ok(())
    }

    /// Waits until all members answer.
    pub(crate) async fn healthy(&self) -> Result<()> {
        for member in &self.members {
            until("etcd is healthy", secs(30), async || {
                let answer = http::get(member.client, "/health").await;
                let is_healthy = answer
                    .is_ok_and(|answer| String::from_utf8_lossy(&answer.body).contains("\"true\""));
                Ok(is_healthy.then_some(()))
            })
            .await?;
        }
        Ok(())
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.members.clear();
        // It is in memory, and vanishes with the kit's namespace at the latest.
        let _ = fs::remove_dir_all(&self.data);
    }
}

/// Where the servers are.
pub(crate) enum Places<'a> {
    /// One on each of this many machines.
    Machines(&'a Network, u8),
    /// One on the loopback interface.
    Loopback,
}

struct Place {
    name: String,
    starter: Vec<String>,
    client: SocketAddr,
    peer: SocketAddr,
}

impl Places<'_> {
    fn all(&self) -> impl Iterator<Item = Place> {
        let place = |number: u8| match self {
            Self::Machines(network, _) => {
                let host = Host::Engine(number);
                let starter = network.starter(host).map(str::to_owned);
                Place {
                    name: format!("etcd{}", number + 1),
                    starter: starter.into(),
                    client: host.at(CLIENT_PORT),
                    peer: host.at(PEER_PORT),
                }
            }
            Self::Loopback => Place {
                name: "etcd1".to_owned(),
                starter: Vec::new(),
                client: ([127, 0, 0, 1], CLIENT_PORT).into(),
                peer: ([127, 0, 0, 1], PEER_PORT).into(),
            },
        };
        let count = match self {
            Self::Machines(_, count) => *count,
            Self::Loopback => 1,
        };
        (0..count).map(place)
    }
}

impl Place {
    fn peer_named(&self) -> String {
        format!("{}=http://{}", self.name, self.peer)
    }

    fn arguments(&self, data: &Path, all: &str) -> Vec<String> {
        let (client, peer) = (self.client, self.peer);
        let options = [
            ("name", self.name.clone()),
            ("data-dir", data.join(&self.name).display().to_string()),
            ("listen-client-urls", format!("http://{client}")),
            ("advertise-client-urls", format!("http://{client}")),
            ("listen-peer-urls", format!("http://{peer}")),
            ("initial-advertise-peer-urls", format!("http://{peer}")),
            ("initial-cluster", all.to_owned()),
            ("logger", "zap".to_owned()),
            ("log-level", "warn".to_owned()),
        ];
        let options = options.map(|(name, value)| format!("--{name}={value}"));
        let mut arguments = self.starter.clone();
        arguments.push("etcd".to_owned());
        arguments.extend(options);
        arguments
    }
}

const CLIENT_PORT: u16 = 2379;
const PEER_PORT: u16 = 2380;
