//! The parts of a rig, before its relays run.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};

use super::{
    LEASE, NODES,
    certificates::Authority,
    etcd::{Etcd, Places},
    network::{Host, Network},
    node::{Member, Node, NodePlan, stream},
    setting::Setting,
};
use crate::{
    camera::Camera,
    pictures::{INTERVAL, Pictures, SMALL_BYTES},
};

/// How a rig is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Members of etcd.
    pub(crate) engines: u8,
    /// The least length of a picture, in bytes.
    pub(crate) bytes: usize,
    /// The time from picture to picture.
    pub(crate) every: Duration,
    /// More keys of the stream, as TOML.
    pub(crate) keys: &'static str,
    /// How many cameras there are. Viewers watch the first one.
    pub(crate) cameras: u16,
    /// How many relays are started with the rig; the others later.
    pub(crate) started: usize,
}

/// What a rig consists of.
pub(super) struct Parts {
    pub(super) network: Network,
    pub(super) etcd: Etcd,
    pub(super) pictures: Pictures,
    pub(super) cameras: Vec<Camera>,
    pub(super) nodes: Vec<Node>,
}

impl Plan {
    /// One engine, three relays, one camera with small pictures.
    pub(crate) const USUAL: Self = Self {
        engines: 1,
        bytes: SMALL_BYTES,
        every: INTERVAL,
        keys: "",
        cameras: 1,
        started: NODES,
    };

    /// As usual, with three members of the engine.
    pub(crate) const THREE_ENGINES: Self = Self {
        engines: 3,
        ..Self::USUAL
    };

    /// Pictures of 100 kB, 30 a second: 24 Mbit/s.
    pub(crate) const LARGE: Self = Self {
        bytes: 100_000,
        every: Duration::from_nanos(1_000_000_000 / 30),
        ..Self::USUAL
    };

    /// The camera is connected while somebody watches.
    pub(crate) const ON_DEMAND: Self = Self {
        bytes: 100_000,
        keys: "on_demand = true\nlinger = \"2s\"",
        ..Self::USUAL
    };

    /// A hundred cameras, which the first node has: the others are started later.
    pub(crate) const HUNDRED: Self = Self {
        cameras: 100,
        started: 1,
        ..Self::USUAL
    };
}

impl Parts {
    pub(super) async fn make(setting: &Setting, name: &str, plan: Plan) -> Result<Self> {
        let folder = setting.folder.join(name);
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let hosts = (0..NODES as u8).map(Host::Node);
        let hosts = hosts.chain((0..plan.engines).map(Host::Engine));
        let network = Network::new(hosts.chain([Host::Camera]))?;
        let etcd = Etcd::start(&Places::Machines(&network, plan.engines), &folder).await?;
        let pictures = Pictures::start(plan.bytes, plan.every);
        let cameras = (0..plan.cameras).map(|number| {
            let listener = network.listen(Host::Camera, CAMERA_PORT + number)?;
            Camera::on(listener, pictures.latest(), Arc::default())
        });
        let cameras = cameras.collect::<Result<Vec<_>>>()?;
        let mut streams = String::new();
        for (number, camera) in (1..).zip(&cameras) {
            streams += &stream(&format!("cam{number}"), &camera.url(), plan.keys);
        }
        let maker = NodeMaker {
            setting,
            network: &network,
            etcd: &etcd,
            authority: Authority::new(&folder)?,
            streams,
            folder: &folder,
        };
        let nodes = (0..NODES as u8).map(|number| maker.make(number));
        let nodes = nodes.collect::<Result<Vec<_>>>()?;
        Ok(Self {
            network,
            etcd,
            pictures,
            cameras,
            nodes,
        })
    }
}

/// What all nodes have in common.
struct NodeMaker<'a> {
    setting: &'a Setting,
    network: &'a Network,
    etcd: &'a Etcd,
    authority: Authority,
    streams: String,
    folder: &'a Path,
}

impl NodeMaker<'_> {
    fn make(&self, number: u8) -> Result<Node> {
        let host = Host::Node(number);
        let name = format!("relay-{}", number + 1);
        let member = if self.setting.is_cluster() {
            Some(Member {
                engine: self.etcd.clients().collect(),
                link: host.at(LINK_PORT),
                lease: LEASE,
                tls: Some(self.authority.node(&name, host.ip().into())?),
                keys: "",
            })
        } else {
            None
        };
        let mut command: Vec<_> = self.network.starter(host).map(str::to_owned).into();
        command.push(self.setting.server.display().to_string());
        Node::new(NodePlan {
            name,
            command,
            http: host.at(HTTP_PORT),
            control: ([127, 0, 0, 1], CONTROL_PORT).into(),
            member,
            streams: self.streams.clone(),
            folder: PathBuf::from(self.folder),
        })
    }
}

const HTTP_PORT: u16 = 8080;
const CONTROL_PORT: u16 = 8081;
const LINK_PORT: u16 = 7443;
const CAMERA_PORT: u16 = 6001;
