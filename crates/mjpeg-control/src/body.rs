//! Bodies of requests: JSON of bounded size, depth and duration.

mod strict;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, header::CONTENT_TYPE};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use tokio::time::{Duration, timeout};

use self::strict::StrictError;
use crate::{
    code::ErrorCode,
    config::ControlConfig,
    error::{Error, Violation},
    words::{is_word, nearest},
};

/// Whether a request that changes something says that its body is JSON. A form of another page can
/// send no such request. `DELETE` cannot be sent by a form at all.
pub(crate) fn check_type(method: &Method, headers: &HeaderMap, body: &Body) -> Result<(), Error> {
    if *method == Method::DELETE && body.is_end_stream() {
        return Ok(());
    }
    let mut kinds = headers.get_all(CONTENT_TYPE).iter();
    let (kind, more) = (kinds.next(), kinds.next());
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_patch = *method == Method::PATCH && kind.eq_ignore_ascii_case(MERGE_PATCH);
    match more.is_none() && (is_patch || kind.eq_ignore_ascii_case(JSON)) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorCode::UnsupportedMediaType,
            "what changes something is JSON, and must say so, even without a body",
        )
        .with_hint("send Content-Type: application/json")),
    }
}

/// Reads a body of JSON: an object. An empty body is an empty object.
pub(crate) async fn read(body: Body, config: &ControlConfig) -> Result<Map<String, Value>, Error> {
    read_within(body, config.max_body_bytes(), config.body_timeout()).await
}

/// The same, with limits of its own.
pub(crate) async fn read_within(
    body: Body,
    most: usize,
    time: Duration,
) -> Result<Map<String, Value>, Error> {
    let too_large = || {
        let detail = format!("a body may have at most {most} bytes");
        Error::new(ErrorCode::PayloadTooLarge, detail)
    };
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let collecting = Limited::new(body, most).collect();
    let collected = timeout(time, collecting).await;
    let collected = collected
        .map_err(|_| Error::new(ErrorCode::RequestTimeout, "the body did not come in time"))?;
    let bytes = collected.map_err(|error| match error.is::<LengthLimitError>() {
        true => too_large(),
        false => Error::new(ErrorCode::BadRequest, "the body did not come in whole"),
    })?;
    parse(&bytes.to_bytes())
}

fn parse(bytes: &Bytes) -> Result<Map<String, Value>, Error> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let value = strict::value(bytes).map_err(|error| match error {
        StrictError::Syntax(error) => {
            let (line, column) = (error.line(), error.column());
            let detail = format!("the body is not JSON: line {line}, column {column}");
            Error::new(ErrorCode::BadRequest, detail)
        }
        StrictError::Duplicate(name) => twice(&name),
    })?;
    if depth_exceeds(&value, MOST_LEVELS) {
        let detail = format!("the body is nested deeper than {MOST_LEVELS} levels");
        return Err(Error::new(ErrorCode::BadRequest, detail));
    }
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::invalid("the body must be a JSON object")),
    }
}

/// Of two values, none is taken: it may be the wrong one.
fn twice(name: &str) -> Error {
    if !is_word(name) {
        return Error::new(
            ErrorCode::BadRequest,
            "an object of the body has a name twice",
        );
    }
    let message = format!("{name} is there twice");
    let error = Error::new(ErrorCode::BadRequest, &message);
    error.with_violation(Violation::new(&message).with_key(name))
}

fn depth_exceeds(value: &Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else {
        return true;
    };
    match value {
        Value::Array(values) => values.iter().any(|value| depth_exceeds(value, below)),
        Value::Object(fields) => fields.values().any(|value| depth_exceeds(value, below)),
        _ => false,
    }
}

/// Refuses fields that are not known.
pub(crate) fn known(fields: &Map<String, Value>, names: &[&str]) -> Result<(), Error> {
    let unknown = fields.keys().find(|name| !names.contains(&name.as_str()));
    unknown.map_or(Ok(()), |unknown| Err(nearest(unknown, "field", names)))
}

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
/// The spec of a stream has three.
const MOST_LEVELS: usize = 16;
