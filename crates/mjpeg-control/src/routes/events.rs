//! Events: those of one stream that were, and those of all to come.

use std::sync::Arc;

use axum::{Extension, body::Body, extract::State, response::Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header::CONTENT_TYPE};
use mjpeg_manager::mjpeg_http::Grant;

use super::authorise::PathTarget;
use crate::{
    caller::{ApiCaller, Sight},
    code::ErrorCode,
    error::Error,
    events::{
        log::{EventLog, Following, LogEntry},
        sse::{EventFeed, Subscriber},
    },
    parameters::{PAGE, Parameters, invalid_cursor},
    respond::{AnyProblem, Refused, json},
    state::ApiState,
    view::event::{EventPage, EventView},
};

/// Lists past events of a stream, the oldest first, as far as they are kept.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{name}/events",
    operation_id = "list_stream_events",
    tag = "events",
    params(
        ("name" = String, Path, description = "The stream, or a further name of it"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "Events at most; default 100"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses(
        (status = 200, body = EventPage),
        AnyProblem
    )
)]
pub(super) async fn past(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
    uri: Uri,
) -> Result<Response, Refused> {
    let query = Parameters::of_read(&uri, PAGE)?;
    let limit = query.limit()?;
    let log = &state.log;
    let after = match query.cursor() {
        Some(cursor) => log.number(cursor).ok_or_else(invalid_cursor)?,
        None => 0,
    };
    state.manager.spec(&name).map_err(|_| Error::not_found())?;
    let entries = of_stream(log, &name, after, limit + 1);
    let (entries, next) = query.page(entries, |entry| log.id(entry.number))?;
    let events = entries
        .iter()
        .filter_map(|entry| EventView::of(&entry.what, &log.id(entry.number), Sight::All));
    let events = events.collect();
    Ok(json(StatusCode::OK, &EventPage { events, next }))
}

/// The events of a stream that follow this number.
fn of_stream(log: &EventLog, name: &str, after: u64, most: usize) -> Vec<Arc<LogEntry>> {
    let (mut at, mut entries) = (after, Vec::new());
    while entries.len() < most {
        match log.after(at) {
            Following::Nothing => break,
            Following::Gap { resume, .. } => at = resume,
            Following::Entry(entry) => {
                at = entry.number;
                let stream = entry.what.stream();
                let is_its = stream.is_some_and(|stream| stream.as_str() == name);
                entries.extend(is_its.then_some(entry));
            }
        }
    }
    entries
}

/// Sends events of all streams that the caller may see, as they happen.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "receive_events",
    tag = "events",
    params(("Last-Event-ID" = Option<String>, Header,
        description = "Begin behind this event; what is no longer kept is told as `gap`")),
    responses(
        (status = 200, content_type = "text/event-stream", body = EventView,
            description = "`stream` with an event as JSON; `gap` with `{\"missed\": N}`, or \
                           `null` if nobody knows how many, or the caller may not"),
        AnyProblem
    )
)]
pub(super) async fn subscribe(
    State(state): State<Arc<ApiState>>,
    Extension(caller): Extension<Arc<ApiCaller>>,
    Extension(grant): Extension<Grant>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let place = Arc::clone(&state.subscribers).try_acquire_owned();
    let place = place.map_err(|_| {
        let detail = "as many clients as allowed receive events";
        Error::new(ErrorCode::TooManySubscribers, detail)
    })?;
    let feed = EventFeed {
        log: Arc::clone(&state.log),
        heartbeat: state.config.heartbeat(),
        rechecks: state.rechecks.subscribe(),
    };
    // One that is no text is no id of ours.
    let last_id = headers.get("last-event-id");
    let last_id = last_id.map(|id| id.to_str().unwrap_or_default());
    let subscriber = Subscriber::new(feed, caller, &grant, last_id, place);
    let body = match method == Method::HEAD {
        true => Body::empty(),
        false => Body::from_stream(subscriber.into_stream()),
    };
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // Proxies such as nginx would hold events back.
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}
