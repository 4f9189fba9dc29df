//! Who is watching.

use std::{sync::Arc, time::SystemTime};

use axum::{
    Extension,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, Uri};

use super::authorise::PathTarget;
use crate::{
    body::{known, read},
    error::Error,
    parameters::{PAGE, Parameters, invalid_cursor},
    respond::{AnyProblem, Refused, json},
    state::ApiState,
    view::viewer::{ViewerPage, ViewerView},
};

/// Lists the viewers of a stream, the first to come first.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{name}/viewers",
    operation_id = "list_viewers",
    tag = "viewers",
    params(
        ("name" = String, Path, description = "The stream, or a further name of it"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "Viewers at most; default 100"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses(
        (status = 200, body = ViewerPage),
        AnyProblem
    )
)]
pub(super) async fn list(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
    uri: Uri,
) -> Result<Response, Refused> {
    let query = Parameters::of_read(&uri, PAGE)?;
    let after: u64 = match query.cursor() {
        Some(cursor) => cursor.parse().map_err(|_| invalid_cursor())?,
        None => 0,
    };
    let service = state.http.service(&name).ok_or_else(Error::not_found)?;
    let mut viewers = service.viewers();
    viewers.retain(|viewer| viewer.id > after);
    viewers.sort_by_key(|viewer| viewer.id);
    let (viewers, next) = query.page(viewers, |viewer| viewer.id.to_string())?;
    let now = SystemTime::now();
    let viewers = viewers.into_iter();
    let viewers = viewers.map(|viewer| ViewerView::new(&name, viewer, now));
    let viewers = viewers.collect();
    Ok(json(StatusCode::OK, &ViewerPage { viewers, next }))
}

/// Disconnects a viewer.
#[utoipa::path(
    delete,
    path = "/api/v1/viewers/{id}",
    operation_id = "disconnect_viewer",
    tag = "viewers",
    params(("id" = String, Path, description = "`STREAM:NUMBER`, as listed")),
    responses(
        (status = 204, description = "It is being disconnected"),
        AnyProblem
    )
)]
pub(super) async fn disconnect(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(id)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    Parameters::of(&parts.uri, &[])?;
    known(&read(body, &state.config).await?, &[])?;
    let kicked = id.split_once(':').and_then(|(stream, number)| {
        let service = state.http.service(stream)?;
        Some(service.kick(number.parse().ok()?))
    });
    match kicked {
        Some(true) => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => Err(Error::not_found().into()),
    }
}
