//! Reading streams.

use std::{collections::HashMap, sync::Arc};

use axum::{Extension, extract::State, response::Response};
use http::{HeaderValue, StatusCode, Uri, header::ETAG};
use mjpeg_manager::{StreamInfo, StreamState};

use super::authorise::PathTarget;
use crate::{
    caller::{ApiCaller, Sight},
    configurator::ConfiguredStream,
    error::Error,
    parameters::{PAGE, Parameters, invalid_cursor},
    respond::{AnyProblem, ProblemDetails, Refused, json, unhealthy},
    state::ApiState,
    view::stream::{FullStream, HealthView, StreamPage, StreamSummary, StreamView, replay_seconds},
};

/// Lists the streams that the caller may see, in order. Those that it may control are shown in
/// full.
#[utoipa::path(
    get,
    path = "/api/v1/streams",
    operation_id = "list_streams",
    tag = "streams",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "Streams at most; default 100"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses(
        (status = 200, body = StreamPage),
        AnyProblem
    )
)]
pub(super) async fn list(
    State(state): State<Arc<ApiState>>,
    Extension(caller): Extension<Arc<ApiCaller>>,
    uri: Uri,
) -> Result<Response, Refused> {
    let query = Parameters::of_read(&uri, PAGE)?;
    let limit = query.limit()?;
    let names = state.names();
    let (mut skip, names) = match query.cursor() {
        None => (0, &names[..]),
        Some(cursor) => {
            let (count, name) = cursor.split_once('.').ok_or_else(invalid_cursor)?;
            let count: usize = count.parse().map_err(|_| invalid_cursor())?;
            match names.iter().position(|known| known.as_str() == name) {
                Some(at) => (0, &names[at + 1..]),
                // It was stopped meanwhile.
                None => (count, &names[..]),
            }
        }
    };
    let seen_before = query.cursor().and_then(|cursor| cursor.split('.').next());
    let seen_before: usize = seen_before.and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut infos: HashMap<_, _> = infos(&state);
    let controls_all = caller.may_control(None).await.is_ok();
    let (mut streams, mut last, mut next) = (Vec::new(), None, None);
    for name in names {
        let sight = match controls_all {
            true => Sight::All,
            false => caller.sight(name.as_str()).await,
        };
        if sight == Sight::Nothing {
            continue;
        }
        if skip > 0 {
            skip -= 1;
            continue;
        }
        if streams.len() == limit {
            let count = seen_before.saturating_add(limit);
            next = last.map(|name| format!("{count}.{name}"));
            break;
        }
        let Some(info) = infos.remove(name.as_str()) else {
            continue;
        };
        let shown = match sight {
            Sight::All => ShownPart::All,
            _ if replay_seconds(&info).is_none() => ShownPart::Summary { may_replay: false },
            _ => ShownPart::Summary {
                may_replay: caller.may_replay(name.as_str()).await.is_ok(),
            },
        };
        streams.push(view(&state, info, shown));
        last = Some(name);
    }
    let page = StreamPage {
        streams,
        next,
        may_add: controls_all,
    };
    Ok(json(StatusCode::OK, &page))
}

/// Reads a stream in full.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{name}",
    operation_id = "read_stream",
    tag = "streams",
    params(("name" = String, Path, description = "The stream, or a further name of it")),
    responses(
        (status = 200, body = FullStream, headers(
            ("ETag" = String, description = "The version of its configuration, for `If-Match`")
        )),
        AnyProblem
    )
)]
pub(super) async fn read(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
) -> Result<Response, Refused> {
    let configured = state.configurator.stream(&name);
    full(&state, &name, configured, StatusCode::OK)
}

/// Says whether a stream has pictures, for monitors that look at the status alone.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{name}/health",
    operation_id = "read_health",
    tag = "streams",
    params(("name" = String, Path, description = "The stream, or a further name of it")),
    responses(
        (status = 200, body = HealthView, description = "It has, or its camera is not needed now"),
        (status = 503, body = ProblemDetails, content_type = "application/problem+json",
            description = "It has none; `code` is its state"),
        AnyProblem
    )
)]
pub(super) async fn health(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
) -> Result<Response, Refused> {
    let info = state.manager.get(&name).map_err(|_| Error::not_found())?;
    let state = info.state.as_str();
    Ok(match info.state {
        // A camera that is read on demand is not known to be lost.
        StreamState::Online | StreamState::Idle => json(StatusCode::OK, &HealthView { state }),
        other => unhealthy(state, &other.public()),
    })
}

/// A stream in full, with its version as `ETag`.
pub(super) fn full(
    state: &ApiState,
    name: &str,
    configured: Option<ConfiguredStream>,
    status: StatusCode,
) -> Result<Response, Refused> {
    let info = state.manager.get(name).map_err(|_| Error::not_found())?;
    Ok(in_full(state, &info, configured, status))
}

/// A stream that runs like this, with its version as `ETag`.
pub(super) fn in_full(
    state: &ApiState,
    info: &StreamInfo,
    configured: Option<ConfiguredStream>,
    status: StatusCode,
) -> Response {
    let viewers = state.viewers(info.name.as_str());
    let owner = state.configurator.owner(info.name.as_str());
    let view = FullStream::new(info, viewers, configured, owner);
    let mut response = json(status, &view);
    if let Some(version) = &view.version
        && let Ok(tag) = HeaderValue::try_from(format!("\"{version}\""))
    {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn infos(state: &ApiState) -> HashMap<String, StreamInfo> {
    let infos = state.manager.list().into_iter();
    infos.map(|info| (info.name.to_string(), info)).collect()
}

/// What somebody is shown of a stream.
enum ShownPart {
    All,
    Summary { may_replay: bool },
}

fn view(state: &ApiState, info: StreamInfo, shown: ShownPart) -> StreamView {
    let viewers = state.viewers(info.name.as_str());
    if let ShownPart::Summary { may_replay } = shown {
        return StreamView::Summary(StreamSummary::new(&info, viewers, may_replay));
    }
    let configured = state.configurator.stream(info.name.as_str());
    let owner = state.configurator.owner(info.name.as_str());
    let full = FullStream::new(&info, viewers, configured, owner);
    StreamView::Full(Box::new(full))
}
