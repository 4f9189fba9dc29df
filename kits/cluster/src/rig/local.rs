//! Relays on the loopback interface, whose CPU time is compared: links need no TLS there, and
//! nothing is on the way.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use kit::proc;
use tokio::time::Instant;

use super::{
    LEASE, PATH,
    certificates::{Authority, NodeCertificate},
    etcd::{Etcd, Places},
    node::{Member, Node, NodePlan, stream},
    setting::Setting,
};
use crate::{
    camera::Camera,
    pictures::Pictures,
    wait::{secs, until},
    watcher::Watcher,
};

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalPlan {
    /// How many relays read from the owner.
    pub(crate) edges: u16,
    /// Whether there is a relay without a cluster, which reads the camera itself.
    pub(crate) alone: bool,
    /// Whether links are encrypted.
    pub(crate) tls: bool,
    /// More keys of the stream, as TOML.
    pub(crate) keys: &'static str,
}

/// An owner, its edges, and perhaps a relay beside them. Dropping it ends everything.
pub(crate) struct Local {
    pub(crate) owner: Node,
    pub(crate) edges: Vec<Node>,
    pub(crate) alone: Option<Node>,
    /// With `alone`: a member of the cluster that has no stream.
    pub(crate) idle: Option<Node>,
    pub(crate) pictures: Pictures,
    _camera: Camera,
    _etcd: Etcd,
}

impl Local {
    pub(crate) async fn set(setting: &Setting, name: &str, plan: LocalPlan) -> Result<Self> {
        let folder = setting.folder.join(name);
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let etcd = Etcd::start(&Places::Loopback, &folder).await?;
        let pictures = Pictures::start(BYTES, EVERY);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let camera = Camera::on(listener, pictures.latest(), Arc::default())?;
        let authority = Authority::new(&folder)?;
        let tls = plan
            .tls
            .then(|| authority.node("all", Ipv4Addr::LOCALHOST.into()));
        let maker = LocalMaker {
            setting,
            engine: etcd.clients().collect(),
            tls: tls.transpose()?,
            streams: stream("cam1", &camera.url(), plan.keys),
            folder,
        };
        let mut owner = maker.make(0, Some("capacity = 10"))?;
        owner.start()?;
        let made = pictures.made();
        // It is alone in the cluster, so the camera becomes its own.
        drop(watch(&mut owner, made).await?);
        let mut edges = Vec::new();
        for number in 1..=plan.edges {
            let mut edge = maker.make(number, Some("capacity = 0"))?;
            edge.start()?;
            edges.push(edge);
        }
        for edge in &mut edges {
            drop(watch(edge, made).await?);
        }
        let (mut alone, mut idle) = (None, None);
        if plan.alone {
            let mut node = maker.make_with(98, Some("capacity = 0"), "")?;
            node.start()?;
            idle = Some(node);
            let mut node = maker.make(99, None)?;
            node.start()?;
            drop(watch(&mut node, made).await?);
            alone = Some(node);
        }
        Ok(Self {
            owner,
            edges,
            alone,
            idle,
            pictures,
            _camera: camera,
            _etcd: etcd,
        })
    }

    /// Opens a viewer of a node.
    pub(crate) async fn watch(&self, node: &Node) -> Result<Watcher> {
        let watcher = Watcher::open(node.plan.http, PATH, self.pictures.made()).await?;
        watcher.fresh(secs(20)).await?;
        Ok(watcher)
    }
}

/// Opens a viewer as soon as a node answers.
async fn watch(node: &mut Node, made: &Arc<crate::pictures::Made>) -> Result<Watcher> {
    let addr = node.plan.http;
    let what = format!("{} shows pictures", node.plan.name);
    let watcher = until(what, secs(30), async || {
        node.must_run()?;
        Ok(Watcher::open(addr, PATH, made).await.ok())
    });
    let watcher = watcher.await?;
    watcher.fresh(secs(20)).await?;
    Ok(watcher)
}

/// The CPU time of a node, as a share of the time since a point.
pub(crate) struct Meter {
    process: u32,
    since: Instant,
    spent: Duration,
}

impl Meter {
    pub(crate) fn start(node: &Node) -> Result<Self> {
        let process = node.id()?;
        Ok(Self {
            process,
            since: Instant::now(),
            spent: proc::fine_cpu_time(process)?,
        })
    }

    /// The share of a core.
    pub(crate) fn share(&self) -> Result<f64> {
        let spent = proc::fine_cpu_time(self.process)?.saturating_sub(self.spent);
        Ok(spent.as_secs_f64() / self.since.elapsed().as_secs_f64())
    }
}

struct LocalMaker<'a> {
    setting: &'a Setting,
    engine: Vec<SocketAddr>,
    tls: Option<NodeCertificate>,
    streams: String,
    folder: PathBuf,
}

impl LocalMaker<'_> {
    /// `keys`: those of a member of the cluster. Without them, the relay is in none.
    fn make(&self, number: u16, keys: Option<&'static str>) -> Result<Node> {
        self.make_with(number, keys, &self.streams)
    }

    fn make_with(&self, number: u16, keys: Option<&'static str>, streams: &str) -> Result<Node> {
        let at = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port + number));
        let member = keys.map(|keys| Member {
            engine: self.engine.clone(),
            link: at(7100),
            lease: LEASE,
            tls: self.tls.clone(),
            keys,
        });
        Node::new(NodePlan {
            name: format!("local-{number}"),
            command: vec![self.setting.server.display().to_string()],
            http: at(8100),
            control: at(8300),
            member,
            streams: streams.to_owned(),
            folder: self.folder.clone(),
        })
    }
}

/// 100 kB, 30 a second.
pub(crate) const BYTES: usize = 100_000;
const EVERY: Duration = Duration::from_nanos(1_000_000_000 / 30);
