//! The relay as a whole.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};

use super::bodies::Nothing;
use crate::{
    body::{known, read},
    error::Error,
    parameters::Parameters,
    respond::{AnyProblem, Refused, json},
    state::ApiState,
    time::rfc3339,
    view::relay::{InfoView, ReloadView},
};

/// Shows the configuration that is in effect, without secrets.
#[utoipa::path(
    get,
    path = "/api/v1/config",
    operation_id = "read_config",
    tag = "relay",
    responses(
        (status = 200, body = Object),
        AnyProblem
    )
)]
pub(super) async fn config(State(state): State<Arc<ApiState>>) -> Result<Response, Refused> {
    Ok(json(StatusCode::OK, &state.configurator.shown().await?))
}

/// Reads the configuration again and applies it. If it is wrong, nothing changes.
#[utoipa::path(
    post,
    path = "/api/v1/reload",
    operation_id = "reload",
    tag = "relay",
    params(("dry_run" = Option<bool>, Query,
        description = "Only say what would change; default false")),
    request_body = Nothing,
    responses(
        (status = 200, body = ReloadView),
        AnyProblem
    )
)]
pub(super) async fn reload(
    State(state): State<Arc<ApiState>>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let dry_run = Parameters::of(&parts.uri, &["dry_run"])?.is("dry_run", false)?;
    known(&read(body, &state.config).await?, &[])?;
    let reloaded = state.configurator.reload(dry_run).await?;
    let view = ReloadView {
        dry_run,
        changes: reloaded.changes,
        warnings: reloaded.warnings,
    };
    Ok(json(StatusCode::OK, &view))
}

/// Says what the program is, and how much it does.
#[utoipa::path(
    get,
    path = "/api/v1/info",
    operation_id = "read_info",
    tag = "relay",
    responses(
        (status = 200, body = InfoView),
        AnyProblem
    )
)]
pub(super) async fn info(State(state): State<Arc<ApiState>>) -> Result<Response, Refused> {
    let (stats, http, config) = (state.manager.stats(), &state.http, &state.config);
    let free = state.subscribers.available_permits();
    let info = InfoView {
        program: config.program().to_owned(),
        version: config.version().to_owned(),
        api: "v1",
        since: rfc3339(state.since),
        streams: stats.streams,
        streams_refused: stats.streams_refused,
        viewers: http.total_viewers(),
        max_viewers: http.max_viewers(),
        viewers_refused: http.viewers_refused(),
        subscribers: config.max_subscribers().saturating_sub(free),
    };
    Ok(json(StatusCode::OK, &info))
}

/// Describes the keys of a stream that the API may set (JSON Schema). A key's `default` is what
/// holds without it.
#[utoipa::path(
    get,
    path = "/api/v1/schema",
    operation_id = "read_schema",
    tag = "relay",
    responses(
        (status = 200, body = Object),
        AnyProblem
    )
)]
pub(super) async fn schema(State(state): State<Arc<ApiState>>) -> Result<Response, Refused> {
    let schema = state.configurator.stream_schema();
    let schema = schema.ok_or_else(Error::not_found)?;
    Ok(json(StatusCode::OK, &schema))
}

/// Lists the cameras of this machine that a stream may be given: `devices`, each with its `path`,
/// the `source` to use, the `formats` of its pictures and its `controls`. Opens each of them, which
/// may take seconds. `404` where sources of that kind may not be set.
#[utoipa::path(
    get,
    path = "/api/v1/devices",
    operation_id = "list_devices",
    tag = "relay",
    responses(
        (status = 200, body = Object),
        AnyProblem
    )
)]
pub(super) async fn devices(State(state): State<Arc<ApiState>>) -> Result<Response, Refused> {
    let devices = state.configurator.devices().await;
    let devices = devices.ok_or_else(Error::not_found)?;
    Ok(json(StatusCode::OK, &devices))
}

/// Describes this API (OpenAPI 3.1).
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "read_openapi",
    tag = "relay",
    responses(
        (status = 200, body = Object),
        AnyProblem
    )
)]
pub(super) async fn document(State(state): State<Arc<ApiState>>) -> Result<Response, Refused> {
    let mut response = Response::new(state.document.clone().into());
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}
