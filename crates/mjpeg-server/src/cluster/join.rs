//! `mjpeg-server cluster join-check`: whether a node can join, before it does.

use std::{fmt, fmt::Write as _, io, sync::Arc, time::Duration};

use mjpeg_cluster::{
    Engine, EngineImage, EngineValue, Etcd, LinkClient, LinkNode, LinkPlace, LinkServer,
    MemberRecord, NodeName, NodeRecord,
};
use mjpeg_manager::mjpeg_ingest::escaped;
use serde::Serialize;
use tokio::{runtime::Builder, time::timeout};

use super::{
    link::{LinkPort, certificates},
    plan::ClusterPlan,
};
use crate::config::plan::RelayPlan;

/// Checks whether a node can join with this plan. `None` if it has no cluster.
///
/// # Errors
///
/// If the system gives no way to find out.
pub(crate) fn join_checks(plan: &RelayPlan) -> io::Result<Option<JoinChecks>> {
    let Some(cluster) = &plan.cluster else {
        return Ok(None);
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let checks = runtime.block_on(all(plan, cluster));
    // Does not wait for name look-ups, which may hang in the system's resolver.
    runtime.shutdown_background();
    Ok(Some(checks))
}

/// What was checked, in order.
#[derive(Default, Serialize)]
pub(crate) struct JoinChecks {
    checks: Vec<JoinFinding>,
}

#[derive(Serialize)]
struct JoinFinding {
    is_fine: bool,
    what: String,
    /// What to do about it; empty if it is fine.
    #[serde(skip_serializing_if = "str::is_empty")]
    help: &'static str,
}

impl JoinChecks {
    /// Whether the node can join.
    pub(crate) fn are_fine(&self) -> bool {
        self.checks.iter().all(|check| check.is_fine)
    }

    fn fine(&mut self, what: impl Into<String>) {
        self.checks.push(JoinFinding {
            is_fine: true,
            what: what.into(),
            help: "",
        });
    }

    fn wrong(&mut self, what: impl Into<String>, help: &'static str) {
        self.checks.push(JoinFinding {
            is_fine: false,
            what: what.into(),
            help,
        });
    }
}

impl fmt::Display for JoinChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let mark = if check.is_fine { "ok   " } else { "FAIL " };
            writeln!(f, "{mark}{}", escaped(&check.what))?;
            if !check.help.is_empty() {
                writeln!(f, "       {}", check.help)?;
            }
        }
        Ok(())
    }
}

async fn all(plan: &RelayPlan, cluster: &ClusterPlan) -> JoinChecks {
    let mut checks = JoinChecks::default();
    let mut client = LinkClient::new(cluster.link.clone());
    let tls = match &cluster.tls {
        Some(files) => match certificates(files.clone()).await {
            Ok(tls) => Some(tls),
            Err(error) => {
                checks.wrong(format!("{error:#}"), "see `tls` of `[cluster]`");
                return checks;
            }
        },
        None => None,
    };
    if let Some(tls) = &tls {
        client = client.with_connector(Arc::new(tls.clone()));
    }
    let server = LinkServer::new(Arc::new(NoStreams), cluster.link.clone());
    // If it is taken, the node runs already, and answers itself.
    let _port = LinkPort::open(cluster.listen, server, tls);
    let own = cluster.id.address();
    match client.engine(own).await {
        Ok(_) => checks.fine(format!("{own} reaches this node")),
        Err(error) => checks.wrong(
            format!("{own} does not reach this node: {}", chain(&error)),
            "see `listen`, `advertise` and `tls`: the certificate must be for that host",
        ),
    }
    let image = match engine(cluster).await {
        Ok(image) => image,
        Err(error) => {
            checks.wrong(
                format!("etcd: {error}"),
                "see `engine`, and whether etcd runs",
            );
            return checks;
        }
    };
    checks.fine("etcd answers");
    let (members, nodes) = records(&image);
    who(cluster, &members, &nodes, &mut checks);
    for (name, record) in &nodes {
        if *name == cluster.config.node() {
            continue;
        }
        let address = record.address.as_str();
        match client.engine(address).await {
            Ok(_) => checks.fine(format!("{name} answers at {address}")),
            Err(error) => checks.wrong(
                format!("{name} does not answer at {address}: {}", chain(&error)),
                "every node must reach every other one: firewalls, names, certificates",
            ),
        }
        streams(plan, cluster, name, record, &mut checks);
    }
    checks
}

async fn engine(cluster: &ClusterPlan) -> Result<EngineImage, String> {
    let asked = async {
        let etcd = Etcd::connect(cluster.etcd().await.map_err(|e| format!("{e:#}"))?).await;
        let image = etcd.map_err(|error| chain(&error))?.read().await;
        image.map_err(|error| chain(&error))
    };
    let asked = timeout(PATIENCE, asked).await;
    asked.unwrap_or_else(|_| Err("it has not answered within 5 s".into()))
}

type Members<'i> = Vec<(&'i NodeName, &'i MemberRecord)>;
type Nodes<'i> = Vec<(&'i NodeName, &'i NodeRecord)>;

fn records(image: &EngineImage) -> (Members<'_>, Nodes<'_>) {
    let (mut members, mut nodes) = (Vec::new(), Vec::new());
    for stored in &image.stored {
        match &stored.value {
            EngineValue::Member(name, record) => members.push((name, record)),
            EngineValue::Node(name, record) => nodes.push((name, record)),
            _ => {}
        }
    }
    (members, nodes)
}

fn who(cluster: &ClusterPlan, members: &Members<'_>, nodes: &Nodes<'_>, checks: &mut JoinChecks) {
    let own = cluster.config.node();
    let namesake = nodes.iter().find(|(name, _)| *name == own);
    let other = namesake.filter(|(_, record)| record.address.as_str() != cluster.id.address());
    match (namesake, other) {
        (_, Some((_, record))) => checks.wrong(
            format!("{own} is the name of another node, at {}", record.address),
            "give this one another `node`",
        ),
        (Some(_), None) => checks.fine(format!("{own} is up already")),
        (None, None) => checks.fine(format!("no other node is called {own}")),
    }
    let is_member = members.iter().any(|(name, _)| *name == own);
    let is_down = |name: &NodeName| !nodes.iter().any(|(up, _)| *up == name);
    for (name, _) in members
        .iter()
        .filter(|(name, _)| *name != own && is_down(name))
    {
        match is_member {
            true => checks.fine(format!("{name} is down; this node is a member already")),
            false => checks.wrong(
                format!("{name} is down: no new node is admitted while a member is"),
                "start it, or forget it for good: mjpeg-server cluster forget NODE",
            ),
        }
    }
}

/// Compares what the streams mean on this node and another one.
fn streams(
    plan: &RelayPlan,
    cluster: &ClusterPlan,
    name: &NodeName,
    record: &NodeRecord,
    checks: &mut JoinChecks,
) {
    let (mut same, mut differ) = (0, String::new());
    for stream in &plan.streams {
        let Some(sharing) = &stream.sharing else {
            continue;
        };
        let own = stream.spec.name().as_str();
        let theirs = record
            .streams
            .iter()
            .find(|(theirs, _)| theirs.as_str() == own);
        match theirs {
            Some((_, digest)) if *digest == cluster.digest(sharing) => same += 1,
            Some(_) => {
                let _ = write!(differ, " {own}");
            }
            None => {}
        }
    }
    match differ.is_empty() {
        true => checks.fine(format!("{same} streams are the same on {name}")),
        false => checks.wrong(
            format!("these streams have other keys on {name}:{differ}"),
            "give them the same keys on all nodes but `listen`, and all nodes the same `secret`",
        ),
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

/// A node that has nothing yet.
struct NoStreams;

impl LinkNode for NoStreams {
    fn place(&self, _: &str) -> LinkPlace {
        LinkPlace::Unknown
    }

    fn reaches_engine(&self) -> bool {
        false
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
