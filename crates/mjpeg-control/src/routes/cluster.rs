//! The cluster that the relay is a node of.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Map, Value};

use super::{
    authorise::PathTarget,
    bodies::{DrainedNode, MoveTo},
};
use crate::{
    body::{known, read},
    configurator::ClusterChange,
    error::{Error, Violation},
    parameters::Parameters,
    respond::{AnyProblem, Refused, json},
    state::ApiState,
};

/// Shows the cluster as this node knows it: the node itself, the engine, all `nodes`, and who reads
/// the camera of each stream. `404` if the relay is alone.
#[utoipa::path(
    get,
    path = "/api/v1/cluster",
    operation_id = "read_cluster",
    tag = "cluster",
    responses(
        (status = 200, body = Object),
        AnyProblem
    )
)]
pub(super) async fn show(State(state): State<Arc<ApiState>>) -> Result<Response, Refused> {
    let cluster = state.configurator.cluster().ok_or_else(Error::not_found)?;
    Ok(json(StatusCode::OK, &cluster))
}

/// Lets another node read a camera. Viewers stay. Returns when that node has it.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{name}/move",
    operation_id = "move_stream",
    tag = "cluster",
    params(("name" = String, Path, description = "The stream")),
    request_body = MoveTo,
    responses(
        (status = 204, description = "The other node reads the camera"),
        AnyProblem
    )
)]
pub(super) async fn move_to(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(stream)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    Parameters::of(&parts.uri, &[])?;
    let fields: Map<String, Value> = read(body, &state.config).await?;
    known(&fields, &["node"])?;
    let node = fields.get("node").and_then(Value::as_str);
    let Some(node) = node.map(str::to_owned) else {
        let violation = Violation::new("to which node? Give its name").with_key("node");
        return Err(Error::invalid("a node is missing")
            .with_violation(violation)
            .into());
    };
    let stream = stream.parse().map_err(|_| Error::not_found())?;
    change(&state, ClusterChange::Move { stream, node }).await
}

/// Hands all cameras of a node over to others, and lets it take none until it is undrained, also
/// after a restart. Viewers stay. Returns when the cameras are handed over.
#[utoipa::path(
    post,
    path = "/api/v1/cluster/drain",
    operation_id = "drain_node",
    tag = "cluster",
    request_body = DrainedNode,
    responses(
        (status = 204, description = "The node reads no camera"),
        AnyProblem
    )
)]
pub(super) async fn drain(
    State(state): State<Arc<ApiState>>,
    request: Request,
) -> Result<Response, Refused> {
    let node = drained(&state, request).await?;
    change(&state, ClusterChange::Drain { node }).await
}

/// Lets a node take cameras again, after it was drained.
#[utoipa::path(
    post,
    path = "/api/v1/cluster/undrain",
    operation_id = "undrain_node",
    tag = "cluster",
    request_body = DrainedNode,
    responses(
        (status = 204, description = "The node takes cameras"),
        AnyProblem
    )
)]
pub(super) async fn undrain(
    State(state): State<Arc<ApiState>>,
    request: Request,
) -> Result<Response, Refused> {
    let node = drained(&state, request).await?;
    change(&state, ClusterChange::Undrain { node }).await
}

/// Which node is meant; `None` is the one that is asked.
async fn drained(state: &ApiState, request: Request) -> Result<Option<String>, Error> {
    let (parts, body) = request.into_parts();
    Parameters::of(&parts.uri, &[])?;
    let fields: Map<String, Value> = read(body, &state.config).await?;
    known(&fields, &["node"])?;
    match fields.get("node") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(node)) => Ok(Some(node.clone())),
        Some(_) => {
            let violation = Violation::new("the name of a node is a text").with_key("node");
            Err(Error::invalid("this is no node").with_violation(violation))
        }
    }
}

/// Forgets a node that is down and will not come back. One that still runs, but is cut off, could
/// connect to a camera beside another one then.
#[utoipa::path(
    delete,
    path = "/api/v1/cluster/nodes/{node}",
    operation_id = "forget_node",
    tag = "cluster",
    params(("node" = String, Path, description = "The node")),
    responses(
        (status = 204, description = "It is no member of the cluster any more"),
        AnyProblem
    )
)]
pub(super) async fn forget(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(node)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    changed(&state, request, ClusterChange::Forget { node }).await
}

/// Makes a change that is in the path alone.
async fn changed(
    state: &ApiState,
    request: Request,
    asked: ClusterChange,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    Parameters::of(&parts.uri, &[])?;
    known(&read(body, &state.config).await?, &[])?;
    change(state, asked).await
}

async fn change(state: &ApiState, change: ClusterChange) -> Result<Response, Refused> {
    state.configurator.change_cluster(change).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
