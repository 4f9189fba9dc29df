//! The time-lapses of a stream, without their ids: for a program that knows only its camera.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use http::StatusCode;
use mjpeg_manager::StreamName;

use super::{
    authorise::PathTarget,
    bodies::Nothing,
    recordings::{nothing, seam},
};
use crate::{
    error::Error,
    respond::{AnyProblem, Refused, json},
    state::ApiState,
    view::recording::StreamTimelapses,
};

/// Keeps the next picture of a stream in each of its running time-lapses without `every_s`.
/// Answered when it is on the disk. `problem` of a time-lapse says if that one could not keep it;
/// an error means that none could.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{name}/frame",
    operation_id = "take_stream_frame",
    tag = "recordings",
    params(("name" = String, Path, description = "The stream")),
    request_body = Nothing,
    responses((status = 200, body = StreamTimelapses), AnyProblem)
)]
pub(super) async fn take(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    nothing(&state, request).await?;
    let taken = seam(&state)?.take_all(&running(&state, &name)?).await?;
    Ok(json(StatusCode::OK, &StreamTimelapses::from(taken)))
}

/// Ends the running time-lapses of a stream without `every_s`, if there are any. They keep what
/// they have.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{name}/timelapses/finish",
    operation_id = "finish_stream_timelapses",
    tag = "recordings",
    params(("name" = String, Path, description = "The stream")),
    request_body = Nothing,
    responses((status = 200, body = StreamTimelapses), AnyProblem)
)]
pub(super) async fn finish(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    nothing(&state, request).await?;
    let ended = seam(&state)?.finish_all(&running(&state, &name)?).await?;
    Ok(json(StatusCode::OK, &StreamTimelapses::from(ended)))
}

/// The name of a stream that is there.
fn running(state: &ApiState, name: &str) -> Result<StreamName, Error> {
    let name: Option<StreamName> = name.parse().ok();
    let name = name.filter(|name| state.manager.spec(name.as_str()).is_ok());
    name.ok_or_else(Error::not_found)
}
