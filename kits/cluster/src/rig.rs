//! A cluster that is to be broken: an engine, relays, a camera, and a viewer of each relay.

pub(crate) mod certificates;
pub(crate) mod etcd;
mod faults;
pub(crate) mod http;
pub(crate) mod local;
pub(crate) mod network;
pub(crate) mod node;
pub(crate) mod parts;
mod report;
pub(crate) mod setting;
pub(crate) mod tally;

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fastrand::Rng;
use tokio::time::{Instant, sleep};

use self::{
    etcd::Etcd,
    network::{Host, Network, node_at},
    node::Node,
    parts::{Parts, Plan},
    setting::Setting,
    tally::Tally,
};
use crate::{
    camera::{Camera, Mode},
    pictures::Pictures,
    seen::Seen,
    wait::{secs, until},
    watcher::Watcher,
};

/// A running cluster. Dropping it ends everything.
pub(crate) struct Rig {
    pub(crate) tally: Tally,
    pub(crate) rng: Rng,
    pub(crate) nodes: Vec<Node>,
    pub(crate) etcd: Etcd,
    pub(crate) network: Network,
    pub(crate) pictures: Pictures,
    pub(crate) cameras: Vec<Camera>,
    watchers: Vec<Option<Watcher>>,
    is_cluster: bool,
    /// When the camera's journal begins to count.
    pub(crate) round: Instant,
}

impl Rig {
    /// Starts everything, and waits until each node shows new pictures.
    pub(crate) async fn set(setting: &Setting, name: &str, plan: Plan) -> Result<Self> {
        let Parts {
            network,
            etcd,
            pictures,
            cameras,
            nodes,
        } = Parts::make(setting, name, plan).await?;
        let mut rig = Self {
            tally: Tally::default(),
            rng: Rng::with_seed(setting.seed),
            nodes,
            etcd,
            network,
            pictures,
            cameras,
            watchers: (0..NODES).map(|_| None).collect(),
            is_cluster: setting.is_cluster(),
            round: Instant::now(),
        };
        for node in 0..plan.started {
            rig.nodes[node].start()?;
        }
        for node in 0..plan.started {
            rig.watch(node).await?;
        }
        let cameras = &rig.cameras;
        until("every camera is connected", SETTLE_LIMIT, async || {
            let all = cameras
                .iter()
                .all(|camera| !camera.journal.open().is_empty());
            Ok(all.then_some(()))
        })
        .await?;
        Ok(rig)
    }

    /// The camera that viewers watch.
    pub(crate) fn camera(&self) -> &Camera {
        &self.cameras[0]
    }

    /// Begins a round: from now on connections are counted. The camera's mode changes by turns.
    pub(crate) async fn begin(&mut self, number: u32) -> Result<()> {
        self.settle().await?;
        let modes = [Mode::Many, Mode::RefuseSecond, Mode::KickFirst];
        self.camera()
            .journal
            .set_mode(modes[number as usize % modes.len()]);
        self.round = Instant::now();
        Ok(())
    }

    /// Waits until all nodes run and show new pictures, and a lease longer, so that each may
    /// take part again.
    pub(crate) async fn settle(&mut self) -> Result<()> {
        for node in 0..NODES {
            if !self.nodes[node].is_up() {
                self.nodes[node].start()?;
            }
            if self.watchers[node].as_ref().is_some_and(Watcher::has_ended) {
                self.leave(node, true);
            }
            if self.watchers[node].is_none() {
                self.watch(node).await?;
            }
        }
        sleep(LEASE + LEASE / 3).await;
        for node in 0..NODES {
            let fresh = self.watcher(node)?.fresh(SETTLE_LIMIT).await;
            fresh.with_context(|| format!("relay-{} before the fault", node + 1))?;
        }
        Ok(())
    }

    /// Waits for a time within a lease, which the seed decides.
    pub(crate) async fn some_time(&mut self) {
        sleep(LEASE.mul_f64(self.rng.f64())).await;
    }

    /// Waits until exactly one node is connected to the camera, and returns it.
    pub(crate) async fn owner(&self) -> Result<usize> {
        if !self.is_cluster {
            return Ok(0);
        }
        until(
            "one node is connected to the camera",
            secs(20),
            async || {
                let open = self.camera().journal.open();
                Ok(match open[..] {
                    [only] => node_at(only),
                    _ => None,
                })
            },
        )
        .await
    }

    /// The nodes but this one.
    pub(crate) fn others(&self, node: usize) -> impl Iterator<Item = usize> + use<> {
        (0..NODES).filter(move |&other| other != node)
    }

    /// The viewer of a node.
    pub(crate) fn watcher(&self, node: usize) -> Result<&Watcher> {
        let watcher = self.watchers[node].as_ref();
        watcher.with_context(|| format!("relay-{} has no viewer", node + 1))
    }

    /// Opens a viewer of a node, in place of one before, as soon as the node answers.
    pub(crate) async fn watch(&mut self, node: usize) -> Result<()> {
        self.leave(node, false);
        let what = format!("relay-{} shows pictures", node + 1);
        let (addr, made) = (self.nodes[node].plan.http, self.pictures.made());
        let process = &mut self.nodes[node];
        let watcher = until(what, SETTLE_LIMIT, async || {
            process.must_run()?;
            Ok(Watcher::open(addr, PATH, made).await.ok())
        });
        let watcher = watcher.await?;
        watcher.fresh(SETTLE_LIMIT).await?;
        self.watchers[node] = Some(watcher);
        Ok(())
    }

    /// Ends the viewer of a node. `lasts`: its response was not to end before.
    pub(crate) fn leave(&mut self, node: usize, lasts: bool) {
        if let Some(watcher) = self.watchers[node].take() {
            let name = format!("relay-{}", node + 1);
            self.tally.take(&name, &watcher.seen(), lasts);
        }
    }

    /// Notes the times from `since` to the next picture at each of these nodes.
    pub(crate) async fn time_to_next(
        &mut self,
        what: &'static str,
        nodes: impl IntoIterator<Item = usize>,
        since: Instant,
    ) -> Result<()> {
        for node in nodes {
            let next = self.watcher(node)?.made_after(since, NEXT_LIMIT).await;
            let next = next.with_context(|| format!("relay-{} after the fault", node + 1))?;
            self.tally.time(what, next.at - since);
        }
        Ok(())
    }

    /// Notes the times from `since` to the first picture of the next owner, whose epoch is later
    /// than that of `owner`.
    pub(crate) async fn time_to_next_of_next_owner(
        &mut self,
        what: &'static str,
        owner: usize,
        nodes: impl IntoIterator<Item = usize>,
        since: Instant,
    ) -> Result<()> {
        let epoch = self.watcher(owner)?.look(Seen::epoch);
        let epoch = epoch.context("the owner has shown no picture")?;
        for node in nodes {
            let next = self.watcher(node)?.later_epoch(epoch, NEXT_LIMIT).await;
            let next = next.with_context(|| format!("relay-{} after the fault", node + 1))?;
            self.tally.time(what, next.at - since);
        }
        Ok(())
    }

    /// Notes the longest time without a new picture at each of these nodes since then.
    pub(crate) fn gaps(
        &mut self,
        what: &'static str,
        nodes: impl IntoIterator<Item = usize>,
        since: Instant,
    ) -> Result<()> {
        for node in nodes {
            let gap = self.watcher(node)?.longest_gap(since, Instant::now());
            self.tally.time(what, gap);
        }
        Ok(())
    }

    /// Notes how many connections the camera has had at once in this round.
    pub(crate) fn count_connections(&mut self) {
        let most = self.camera().journal.most_open(self.round);
        self.tally.sample(AT_ONCE, most as f64);
    }

    /// Compares the tags of snapshots with what viewers were told.
    pub(crate) async fn compare_tags(&mut self) -> Result<()> {
        for node in 0..NODES {
            if !self.nodes[node].is_up() || !self.is_cluster {
                continue;
            }
            let addr = self.nodes[node].plan.http;
            let answer = http::get(addr, &format!("{PATH}snapshot")).await?;
            let Some(id) = answer.head.header("ETag").and_then(setting::tag) else {
                bail!("relay-{} gives a snapshot without a tag", node + 1);
            };
            if let Some(number) = mjpeg_testkit::jpeg::number_of(&answer.body) {
                let name = format!("snapshot of relay-{}", node + 1);
                self.tally.identify(&name, number, id);
            }
        }
        Ok(())
    }

    /// Ends everything, and returns what was counted.
    pub(crate) fn end(mut self) -> Tally {
        for node in 0..NODES {
            self.leave(node, true);
        }
        std::mem::take(&mut self.tally)
    }
}

/// The machine of a node.
pub(crate) fn host(node: usize) -> Host {
    Host::Node(node as u8)
}

/// How many relays there are.
pub(crate) const NODES: usize = 3;
pub(crate) const LEASE: Duration = Duration::from_secs(3);
/// The stream that viewers watch.
pub(crate) const PATH: &str = "/cam1/";
/// What every round has a sample of.
pub(crate) const AT_ONCE: &str = "connections at the camera, at once";
const SETTLE_LIMIT: Duration = Duration::from_secs(30);
const NEXT_LIMIT: Duration = Duration::from_secs(30);
