//! Links by which whoever has one may watch.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, Uri};
use mjpeg_manager::{StreamName, mjpeg_http::Grant};
use serde_json::{Map, Value};

use super::{
    authorise::{PathTarget, about},
    bodies::NewLink,
};
use crate::{
    body::{known, read},
    error::{Error, Violation},
    links::{LinkIssuer, LinkRequest, LinkUse},
    parameters::{PAGE, Parameters, invalid_cursor},
    respond::{AnyProblem, Refused, json},
    state::ApiState,
    view::link::{LinkPage, LinkView},
};

/// Lists the links that are still good, without their signatures.
#[utoipa::path(
    get,
    path = "/api/v1/links",
    operation_id = "list_links",
    tag = "links",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "Links at most; default 100"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses(
        (status = 200, body = LinkPage),
        AnyProblem
    )
)]
pub(super) async fn list(
    State(state): State<Arc<ApiState>>,
    uri: Uri,
) -> Result<Response, Refused> {
    let query = Parameters::of_read(&uri, PAGE)?;
    let mut links = seam(&state)?.list().await?;
    if let Some(cursor) = query.cursor() {
        let at = links.iter().position(|link| link.id == cursor);
        links.drain(..=at.ok_or_else(invalid_cursor)?);
    }
    let (links, next) = query.page(links, |link| link.id.clone())?;
    let links = links.into_iter().map(|link| {
        let mut view = LinkView::from(link);
        view.url = None;
        view
    });
    let links = links.collect();
    Ok(json(StatusCode::OK, &LinkPage { links, next }))
}

/// Makes a link.
#[utoipa::path(
    post,
    path = "/api/v1/links",
    operation_id = "create_link",
    tag = "links",
    request_body = NewLink,
    responses(
        (status = 201, body = LinkView),
        AnyProblem
    )
)]
pub(super) async fn create(
    State(state): State<Arc<ApiState>>,
    Extension(grant): Extension<Grant>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    Parameters::of(&parts.uri, &[])?;
    let fields = read(body, &state.config).await?;
    let wanted = wanted(&fields, &grant)?;
    let stream = wanted.stream.clone();
    if state.manager.spec(stream.as_str()).is_err() {
        return Err(Error::not_found().into());
    }
    let link = seam(&state)?.create(wanted).await;
    let response = match link {
        Ok(link) => json(StatusCode::CREATED, &LinkView::from(link)),
        Err(error) => Refused(error).into_response(),
    };
    Ok(about(response, &stream))
}

/// Revokes a link. Whoever watches by it is disconnected.
#[utoipa::path(
    delete,
    path = "/api/v1/links/{id}",
    operation_id = "revoke_link",
    tag = "links",
    params(("id" = String, Path, description = "The link, as listed")),
    responses(
        (status = 204, description = "It is good for nothing any more"),
        AnyProblem
    )
)]
pub(super) async fn revoke(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(id)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    Parameters::of(&parts.uri, &[])?;
    known(&read(body, &state.config).await?, &[])?;
    seam(&state)?.revoke(&id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn seam(state: &ApiState) -> Result<&dyn LinkIssuer, Error> {
    state.links.as_deref().ok_or_else(Error::not_found)
}

fn wanted(fields: &Map<String, Value>, grant: &Grant) -> Result<LinkRequest, Error> {
    known(fields, &["stream", "valid_s", "action", "fps"])?;
    let stream = fields.get("stream").and_then(Value::as_str);
    let stream: Option<StreamName> = stream.and_then(|name| name.parse().ok());
    let stream = stream.ok_or_else(|| wrong("stream", "stream is the name of a stream"))?;
    let valid = fields.get("valid_s").and_then(Value::as_f64);
    let valid = valid.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let valid = valid.filter(|valid| !valid.is_zero());
    let valid = valid.ok_or_else(|| wrong("valid_s", "valid_s is a number of seconds"))?;
    let action = match fields.get("action").filter(|word| !word.is_null()) {
        None => Some(LinkUse::Stream),
        Some(word) => LinkUse::ALL
            .into_iter()
            .find(|action| *word == action.as_str()),
    };
    let action = action.ok_or_else(|| wrong("action", "action is stream, snapshot or replay"))?;
    let fps = fields.get("fps").filter(|fps| !fps.is_null());
    let fps = fps.map(|fps| {
        let fps = fps.as_f64().filter(|fps| *fps > 0.0);
        fps.ok_or_else(|| wrong("fps", "fps is a number of frames per second"))
    });
    let mut wanted = LinkRequest::new(stream, action, valid);
    wanted.fps = fps.transpose()?;
    wanted.by = grant.identity.as_deref().map(str::to_owned);
    Ok(wanted)
}

fn wrong(key: &str, message: &str) -> Error {
    Error::invalid(message).with_violation(Violation::new(message).with_key(key))
}
