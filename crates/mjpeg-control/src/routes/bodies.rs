//! The bodies of requests, as they are described. They are read as any JSON object, so that errors
//! name the key.
#![allow(dead_code, reason = "they are only described")]

use utoipa::ToSchema;

/// Nothing. Say all the same that it is JSON: a form of another page cannot.
#[derive(ToSchema)]
#[schema(example = json!({}))]
pub(super) struct Nothing {}

/// A new stream. Any other key of a stream that the API may set goes here, too.
#[derive(ToSchema)]
#[schema(example = json!({ "name": "yard", "source": "test:", "max_fps": 5 }))]
pub(super) struct NewStream {
    /// Letters, digits, `_` and `-`.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    name: String,
    /// Where its pictures come from.
    source: String,
    /// Whether the camera must be there. Default: `require`.
    start: Option<StartWord>,
}

/// All keys of a stream. Any other that the API may set goes here, too.
#[derive(ToSchema)]
#[schema(example = json!({ "source": "test:", "max_fps": 5 }))]
pub(super) struct AllKeys {
    /// Where its pictures come from.
    source: String,
    /// Whether the camera of a new stream must be there. Default: `require`.
    start: Option<StartWord>,
}

/// Keys and their new values; `null` removes one. Any that the API may set goes here.
#[derive(ToSchema)]
#[schema(example = json!({ "max_fps": 5, "linger": null }))]
pub(super) struct SomeKeys {}

/// Whether a camera must be there.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum StartWord {
    Require,
    Retry,
}

/// Which node is to read a camera.
#[derive(ToSchema)]
#[schema(example = json!({ "node": "relay-2" }))]
pub(super) struct MoveTo {
    /// The name of the node.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    node: String,
}

/// A node that is drained, or no longer.
#[derive(ToSchema)]
#[schema(example = json!({}))]
pub(super) struct DrainedNode {
    /// The name of the node. Default: the one that is asked.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    node: Option<String>,
}

/// A link that is to be signed.
#[derive(ToSchema)]
#[schema(example = json!({ "stream": "garage", "valid_s": 3600 }))]
pub(super) struct NewLink {
    /// The stream.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    stream: String,
    /// For how many seconds it is valid.
    #[schema(exclusive_minimum = 0)]
    valid_s: f64,
    /// What may be done. Default: `stream`.
    action: Option<ActionWord>,
    /// Frames per second at most.
    #[schema(exclusive_minimum = 0)]
    fps: Option<f64>,
}

/// A clip that is to be kept.
#[cfg(feature = "replay")]
#[derive(ToSchema)]
#[schema(example = json!({ "stream": "garage", "from": "-30s" }))]
pub(super) struct NewClip {
    /// The stream, which keeps some of its past.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    stream: String,
    /// When it begins: `-30s`, seconds since 1970, or a time as RFC 3339 writes it.
    from: String,
    /// When it ends: the same, and at most 30 s ahead. Default: `now`.
    to: Option<String>,
    /// A title for people.
    title: Option<String>,
}

/// A time-lapse that is to begin.
#[cfg(feature = "replay")]
#[derive(ToSchema)]
#[schema(example = json!({ "stream": "garage", "every_s": 10, "fps": 25 }))]
pub(super) struct NewTimelapse {
    /// The stream.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    stream: String,
    /// Seconds from one picture to the next. Without it, each is asked for with `POST …/frame`.
    #[schema(minimum = 0.1)]
    every_s: Option<f64>,
    /// A title for people.
    title: Option<String>,
    /// When it ends by itself (RFC 3339).
    until: Option<String>,
    /// With how many pictures it ends by itself.
    #[schema(minimum = 1)]
    max_frames: Option<u64>,
    /// Pictures per second of its movie. Default: 25.
    #[schema(minimum = 1, maximum = 120)]
    fps: Option<u32>,
}

/// What a link is for.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum ActionWord {
    Stream,
    Snapshot,
    Replay,
}
