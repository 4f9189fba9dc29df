//! The heads of answers.

use http::{
    HeaderMap, HeaderValue, Response, Version,
    header::{self, HeaderName},
};
use mjpeg_codec::multipart::{Boundary, RelayId, VIA, Via};
use mjpeg_fanout::Consumer;

use crate::{
    cors::{self, CorsPolicy},
    request::stream::StreamRequest,
};

/// The head of a stream response, to a client of that HTTP version.
pub(crate) fn stream_head(version: Version, request: &StreamRequest) -> Response<()> {
    let mut response = Response::new(());
    if version < Version::HTTP_2 {
        // A 1.0 response of unknown length is ended by close and never chunked, whatever the
        // client's version.
        *response.version_mut() = Version::HTTP_10;
        response.headers_mut().insert(header::CONNECTION, CLOSE);
    }
    let content_type = Boundary::default().content_type();
    let content_type = if request.mixed {
        content_type.replace("x-mixed-replace", "mixed")
    } else {
        content_type
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::try_from(content_type).expect("a boundary holds only characters of a header"),
    );
    for (name, value) in NEVER_STORED {
        headers.insert(name, value);
    }
    response
}

/// Adds the relays that the stream's frames come through, this one in front.
pub(crate) fn name_relays(headers: &mut HeaderMap, consumer: &Consumer) {
    let via = Via::through(RelayId::of_this_process(), &consumer.via());
    if let Ok(value) = HeaderValue::try_from(via.to_string()) {
        headers.insert(HeaderName::from_static(VIA), value);
    }
}

/// Adds the CORS headers that the policy grants to a request with these headers.
pub(crate) fn share<B>(
    mut response: Response<B>,
    policy: &CorsPolicy,
    request: &HeaderMap,
) -> Response<B> {
    let headers = response.headers_mut();
    if policy.varies() {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    let origin = policy.allowed(request);
    let Some(allowed) = cors::header_value(&origin) else {
        return response;
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed.clone());
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    // For pages that isolate themselves (`Cross-Origin-Embedder-Policy`).
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    headers.insert(HeaderName::from_static("timing-allow-origin"), allowed);
    response
}

const CLOSE: HeaderValue = HeaderValue::from_static("close");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("ETag, Age, Last-Modified, Retry-After, X-Timestamp, X-Online");

/// For old and new caches, and for nginx, which would otherwise buffer the stream.
pub(crate) const NEVER_STORED: [(HeaderName, HeaderValue); 4] = [
    (
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-cache, must-revalidate, max-age=0"),
    ),
    (header::PRAGMA, HeaderValue::from_static("no-cache")),
    (
        header::EXPIRES,
        HeaderValue::from_static("Mon, 03 Jan 2000 12:34:56 GMT"),
    ),
    (
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    ),
];
