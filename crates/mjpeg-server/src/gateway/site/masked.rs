//! Answers of the API without the values that came from the environment and from files.

use bytes::Bytes;
use http::{
    Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body_util::{BodyExt, Full};
use mjpeg_control::ControlBody;

use super::respond::{self, SiteBody};
use crate::secrets::masked_json;

/// The answer as it may be shown: errors and sources repeat such values, in a path or in what a
/// program says.
pub(super) async fn masked(answer: Response<ControlBody>) -> Response<SiteBody> {
    let kind = answer.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("text/event-stream") {
        // Each frame is a whole event.
        let masked = |body: ControlBody| body.map_frame(|frame| frame.map_data(event));
        return answer.map(|body| masked(body).boxed_unsync());
    }
    if !kind.ends_with("json") {
        return answer.map(BodyExt::boxed_unsync);
    }
    let (mut parts, body) = answer.into_parts();
    let Ok(body) = body.collect().await else {
        // It is there already, so nothing can end it.
        let failed = respond::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n");
        return failed.map(whole);
    };
    let mut json = body.to_bytes();
    if let Some(masked) = masked_json(&json) {
        json = masked.into();
        parts.headers.remove(CONTENT_LENGTH);
    }
    Response::from_parts(parts, whole(Full::new(json)))
}

fn whole(body: Full<Bytes>) -> SiteBody {
    body.map_err(|never| match never {}).boxed_unsync()
}

/// An event without these values.
fn event(event: Bytes) -> Bytes {
    let Ok(text) = str::from_utf8(&event) else {
        return event;
    };
    let Some((head, data)) = text.split_once(DATA) else {
        return event;
    };
    match masked_json(data.trim_end().as_bytes()) {
        Some(masked) => format!("{head}{DATA}{masked}\n\n").into(),
        None => event,
    }
}

/// What stands before the JSON of an event.
const DATA: &str = "\ndata: ";
