//! Changing streams.

mod condition;

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header::LOCATION};
use mjpeg_manager::{Manager, StreamName};
use serde_json::{Map, Value};

use self::condition::condition;
use super::{
    authorise::{PathTarget, about},
    bodies::{AllKeys, NewStream, Nothing, SomeKeys},
    streams::{full, in_full},
};
use crate::{
    audit::NoChange,
    body::{known, read},
    configurator::{EditMode, StreamEdit, StreamRemoval},
    error::{Error, Violation},
    parameters::Parameters,
    respond::{AnyProblem, Refused, json},
    state::ApiState,
    view::stream::{CheckedView, FullStream, SetView},
};

/// Adds a stream. Waits for its camera unless `start` is `retry`; if that fails, there is no
/// stream.
#[utoipa::path(
    post,
    path = "/api/v1/streams",
    operation_id = "create_stream",
    tag = "streams",
    params(
        ("persist" = Option<bool>, Query,
            description = "Whether to store it, else it is for this run only; default true"),
        ("cluster" = Option<bool>, Query,
            description = "Whether to add it for all nodes of the cluster; default false"),
        ("dry_run" = Option<bool>, Query,
            description = "Only say what is wrong, and change nothing; default false")
    ),
    request_body = NewStream,
    responses(
        (status = 200, body = CheckedView, description = "It could be added"),
        (status = 201, body = FullStream),
        AnyProblem
    )
)]
pub(super) async fn create(
    State(state): State<Arc<ApiState>>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let wish = Wish::of(&parts.uri)?;
    wish.answer(create_as(&state, wish, body).await)
}

async fn create_as(state: &ApiState, wish: Wish, body: Body) -> Result<Response, Refused> {
    let mut keys = read(body, &state.config).await?;
    let Some(name) = keys.remove("name") else {
        return Err(wrong_name("a stream needs a name").into());
    };
    let name = parsed(name.as_str().unwrap_or_default())?;
    let mut change = StreamEdit::new(name.clone(), EditMode::Create, keys);
    (change.persist, change.cluster) = (wish.persist, wish.cluster);
    let mut response = set(state, change, wish).await;
    if response.status() == StatusCode::CREATED
        && let Ok(location) = HeaderValue::try_from(format!("streams/{name}"))
    {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(about(response, &name))
}

/// Sets all keys of a stream, or adds it.
#[utoipa::path(
    put,
    path = "/api/v1/streams/{name}",
    operation_id = "replace_stream",
    tag = "streams",
    params(
        ("name" = String, Path, pattern = "^[A-Za-z0-9_-]{1,64}$", description = "The stream"),
        ("persist" = Option<bool>, Query,
            description = "Whether to store it, else it is for this run only; default true"),
        ("cluster" = Option<bool>, Query,
            description = "Whether to add it for all nodes of the cluster; default false"),
        ("dry_run" = Option<bool>, Query,
            description = "Only say what is wrong, and change nothing; default false"),
        ("If-Match" = Option<String>, Header, pattern = r##"^(\*|(W/)?"[ !#-~]*"(, ?(W/)?"[ !#-~]*")*)$"##,
            description = "Versions, or `*`"),
        ("If-None-Match" = Option<String>, Header, pattern = r"^\*$",
            description = "`*`: only to add it")
    ),
    request_body = AllKeys,
    responses(
        (status = 200, body = SetView, description = "It was changed, or could be set"),
        (status = 201, body = FullStream, description = "It was added"),
        AnyProblem
    )
)]
pub(super) async fn replace(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    write(&state, &name, EditMode::Replace, request).await
}

/// Sets some keys of a stream (RFC 7396: `null` removes one). Does not wait for its camera.
#[utoipa::path(
    patch,
    path = "/api/v1/streams/{name}",
    operation_id = "change_stream",
    tag = "streams",
    params(
        ("name" = String, Path, description = "The stream"),
        ("persist" = Option<bool>, Query,
            description = "Whether to store it, else it is for this run only; default true"),
        ("dry_run" = Option<bool>, Query,
            description = "Only say what is wrong, and change nothing; default false"),
        ("If-Match" = Option<String>, Header, pattern = r##"^(\*|(W/)?"[ !#-~]*"(, ?(W/)?"[ !#-~]*")*)$"##,
            description = "Versions, or `*`")
    ),
    request_body(content = SomeKeys, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = SetView, description = "It was changed, or could be"),
        AnyProblem
    )
)]
pub(super) async fn merge(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    // An unknown stream is not found, whatever its name would have to be like.
    if name.parse::<StreamName>().is_err() {
        return Err(Error::not_found().into());
    }
    write(&state, &name, EditMode::Merge, request).await
}

/// Stops a stream and forgets it.
#[utoipa::path(
    delete,
    path = "/api/v1/streams/{name}",
    operation_id = "remove_stream",
    tag = "streams",
    params(
        ("name" = String, Path, description = "The stream"),
        ("persist" = Option<bool>, Query,
            description = "Whether to remove it where it is stored; default true"),
        ("If-Match" = Option<String>, Header, pattern = r##"^(\*|(W/)?"[ !#-~]*"(, ?(W/)?"[ !#-~]*")*)$"##,
            description = "Versions, or `*`")
    ),
    responses(
        (status = 204, description = "It is gone"),
        AnyProblem
    )
)]
pub(super) async fn remove(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let name = name.parse().map_err(|_| Error::not_found())?;
    let mut removal = StreamRemoval::new(name);
    removal.persist = persist(&parts.uri)?;
    removal.condition = condition(&parts.headers)?;
    nothing(body, &state).await?;
    state.configurator.remove(removal).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Makes the next attempt to reach the camera now.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{name}/retry",
    operation_id = "retry_stream",
    tag = "streams",
    params(("name" = String, Path, description = "The stream")),
    request_body = Nothing,
    responses(
        (status = 204, description = "The attempt begins, if one was due later"),
        AnyProblem
    )
)]
pub(super) async fn retry(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    steer(&state, &name, request, Manager::retry_now).await
}

/// Disconnects the camera until it is resumed. Viewers stay.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{name}/pause",
    operation_id = "pause_stream",
    tag = "streams",
    params(("name" = String, Path, description = "The stream")),
    request_body = Nothing,
    responses(
        (status = 204, description = "The camera is being disconnected"),
        AnyProblem
    )
)]
pub(super) async fn pause(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    steer(&state, &name, request, Manager::pause).await
}

/// Connects a camera that was paused.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{name}/resume",
    operation_id = "resume_stream",
    tag = "streams",
    params(("name" = String, Path, description = "The stream")),
    request_body = Nothing,
    responses(
        (status = 204, description = "The camera is being connected"),
        AnyProblem
    )
)]
pub(super) async fn resume(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    steer(&state, &name, request, Manager::resume).await
}

/// What the manager does to a running stream at once.
type Steer = fn(&Manager, &str) -> Result<(), mjpeg_manager::Error>;

async fn steer(
    state: &ApiState,
    name: &str,
    request: Request,
    steer: Steer,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    Parameters::of(&parts.uri, &[])?;
    nothing(body, state).await?;
    match steer(&state.manager, name) {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        // The name is a text of the client's, and not repeated.
        Err(mjpeg_manager::Error::NotFound { .. }) => Err(Error::not_found().into()),
        Err(error) => Err(error.into()),
    }
}

/// Sets the keys of the stream in the path.
async fn write(
    state: &ApiState,
    name: &str,
    mode: EditMode,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let wish = Wish::of(&parts.uri)?;
    wish.answer(write_as(state, name, mode, wish, (&parts.headers, body)).await)
}

async fn write_as(
    state: &ApiState,
    name: &str,
    mode: EditMode,
    wish: Wish,
    (headers, body): (&HeaderMap, Body),
) -> Result<Response, Refused> {
    let name = parsed(name)?;
    let condition = condition(headers)?;
    let mut keys = read(body, &state.config).await?;
    if keys.remove("name").is_some_and(|it| it != name.as_str()) {
        return Err(wrong_name("a stream cannot be renamed: add it anew").into());
    }
    let mut change = StreamEdit::new(name, mode, keys);
    (change.persist, change.condition) = (wish.persist, condition);
    change.cluster = wish.cluster;
    Ok(set(state, change, wish).await)
}

/// What is to be done with a change.
#[derive(Clone, Copy, Debug)]
struct Wish {
    persist: bool,
    /// To store a new stream for all nodes of the cluster.
    cluster: bool,
    /// Only to say what is wrong with it.
    dry_run: bool,
}

impl Wish {
    fn of(uri: &Uri) -> Result<Self, Error> {
        let parameters = Parameters::of(uri, &["persist", "cluster", "dry_run"])?;
        Ok(Self {
            persist: parameters.is("persist", true)?,
            cluster: parameters.is("cluster", false)?,
            dry_run: parameters.is("dry_run", false)?,
        })
    }

    /// The answer, which says whether a change was to be made.
    fn answer(self, answer: Result<Response, Refused>) -> Result<Response, Refused> {
        let mut response = answer.into_response();
        if self.dry_run {
            response.extensions_mut().insert(NoChange);
        }
        Ok(response)
    }
}

async fn set(state: &ApiState, change: StreamEdit, wish: Wish) -> Response {
    let name = change.name.clone();
    if wish.dry_run {
        return match state.configurator.check_edit(change).await {
            Ok(checked) => json(StatusCode::OK, &CheckedView::from(checked)),
            Err(error) => Refused(error).into_response(),
        };
    }
    let changed = match state.configurator.set(change).await {
        Ok(changed) => changed,
        Err(error) => return Refused(error).into_response(),
    };
    let status = match changed.is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    match changed.info {
        Some(info) => in_full(state, &info, Some(changed.stream), status),
        None => full(state, name.as_str(), Some(changed.stream), status).into_response(),
    }
}

fn persist(uri: &Uri) -> Result<bool, Error> {
    Parameters::of(uri, &["persist"])?.is("persist", true)
}

fn parsed(name: &str) -> Result<StreamName, Error> {
    // What is no name may be anything, such as a secret, and is not repeated.
    let wrong = |_| wrong_name("a name has 1 to 64 letters, digits, _ or -");
    name.parse().map_err(wrong)
}

fn wrong_name(message: impl AsRef<str>) -> Error {
    let violation = Violation::new(&message).with_key("name");
    Error::invalid(message).with_violation(violation)
}

/// Reads a body that may hold nothing.
pub(super) async fn nothing(body: Body, state: &ApiState) -> Result<(), Error> {
    let fields: Map<String, Value> = read(body, &state.config).await?;
    known(&fields, &[])
}
