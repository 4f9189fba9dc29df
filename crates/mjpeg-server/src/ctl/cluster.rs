//! The cluster, as one of its nodes knows it: `cluster`.

use http::Method;
use serde_json::{Value, json};

use super::{
    CtlSession,
    client::{ApiClient, encoded},
    explained,
    failure::CtlFailure,
    fields::{field, items},
    screen::{Screen, notice},
    table::{TextTable, Title},
};
use crate::cli::cluster::ClusterCommand;

impl CtlSession {
    /// Does what is said of the cluster, and returns the exit code.
    pub(super) async fn cluster(&mut self, command: &ClusterCommand) -> u8 {
        self.warn_if_overheard();
        let (client, screen) = (&mut self.client, &self.screen);
        let done = match command {
            ClusterCommand::Status => status(client, screen).await,
            ClusterCommand::Move { name, node } => move_to(client, screen, name, node).await,
            ClusterCommand::Drain { node } => drain(client, screen, node.as_deref(), true).await,
            ClusterCommand::Undrain { node } => drain(client, screen, node.as_deref(), false).await,
            ClusterCommand::Forget { node } => forget(client, screen, node).await,
            // It asks no relay.
            ClusterCommand::JoinCheck { .. } => Ok(()),
        };
        match done {
            Ok(()) => 0,
            Err(failure) => explained(&mut self.client, &self.screen, failure).await,
        }
    }
}

async fn status(client: &mut ApiClient, screen: &Screen) -> Result<(), CtlFailure> {
    let cluster = client.get("/cluster").await?;
    if screen.is_json {
        return screen.json(&cluster);
    }
    let engine = cluster.get("engine").unwrap_or(&Value::Null);
    let is = |name: &str| engine.get(name) == Some(&true.into());
    let engine = match (is("is_up"), is("hold")) {
        (true, _) => "reached",
        (false, true) => "not reached by any node: cameras stay where they are (hold)",
        (false, false) => "not reached",
    };
    for (title, text) in [
        ("node", field(&cluster, "node")),
        ("engine", engine.to_owned()),
    ] {
        screen.whole_line(&format!("{title:<12}{text}"))?;
    }
    screen.whole_line("")?;
    let mut nodes = TextTable::new(&[
        Title::Text("NODE"),
        Title::Text("STATE"),
        Title::Number("CAMERAS"),
        Title::Text("ADDRESS"),
        Title::Text("VERSION"),
        Title::Text("LABELS"),
    ]);
    for node in items(&cluster, "nodes") {
        let [name, state, owned, address, version] =
            ["name", "state", "owned", "address", "version"].map(|name| field(node, name));
        let labels = node.get("labels").and_then(Value::as_object);
        let labels = labels.into_iter().flatten();
        let labels =
            labels.map(|(label, value)| format!("{label}={}", value.as_str().unwrap_or_default()));
        let labels = labels.collect::<Vec<_>>().join(" ");
        nodes.push([name, state, owned, address, version, labels]);
    }
    screen.table(&nodes)?;
    screen.whole_line("")?;
    let mut streams = TextTable::new(&[
        Title::Text("STREAM"),
        Title::Text("READ BY"),
        Title::Number("EPOCH"),
    ]);
    for stream in items(&cluster, "streams") {
        streams.push(["name", "node", "epoch"].map(|name| field(stream, name)));
        let other = field(stream, "conflict");
        if !other.is_empty() {
            notice(&format!(
                "warning: {}: {other} has other keys for it; only nodes with the same keys share it",
                field(stream, "name")
            ));
        }
    }
    screen.table(&streams)
}

async fn move_to(
    client: &mut ApiClient,
    screen: &Screen,
    name: &str,
    node: &str,
) -> Result<(), CtlFailure> {
    let path = format!("/streams/{}/move", encoded(name));
    let body = json!({ "node": node });
    client.send(Method::POST, &path, Some(&body)).await?;
    screen.done(&format!("{name} is read by {node}"))
}

async fn drain(
    client: &mut ApiClient,
    screen: &Screen,
    node: Option<&str>,
    drained: bool,
) -> Result<(), CtlFailure> {
    let body = match node {
        Some(node) => json!({ "node": node }),
        None => json!({}),
    };
    let (path, done) = match drained {
        true => ("/cluster/drain", "reads no camera any more"),
        false => ("/cluster/undrain", "takes cameras again"),
    };
    client.send(Method::POST, path, Some(&body)).await?;
    screen.done(&format!("{} {done}", node.unwrap_or("the node")))
}

async fn forget(client: &mut ApiClient, screen: &Screen, node: &str) -> Result<(), CtlFailure> {
    let path = format!("/cluster/nodes/{}", encoded(node));
    client.send(Method::DELETE, &path, None).await?;
    screen.done(&format!("{node} is forgotten"))
}
