//! Sources: where the images of a stream come from.

#[cfg(feature = "http-listen")]
mod bound;
#[cfg(all(feature = "exec", unix))]
mod exec;
mod file;
#[cfg(feature = "__fuzzing")]
pub mod fuzzing;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "http-listen")]
mod http_listen;
mod invalid;
mod judged;
mod limits;
mod literal;
mod look_up;
mod parse;
#[cfg(feature = "http-listen")]
mod push;
mod rate;
mod redact;
#[cfg(feature = "rtsp")]
mod rtsp;
#[allow(
    clippy::module_inception,
    reason = "the folder holds sources, this file is the type"
)]
mod source;
mod takeover;
mod tcp;
mod tcp_listen;
#[cfg(feature = "test-picture")]
mod test;
mod text;
#[cfg(unix)]
mod unix;
mod url;
#[cfg(all(feature = "v4l2", target_os = "linux"))]
mod v4l2;
pub(crate) mod visits;

pub use file::Recording;
#[cfg(feature = "http")]
pub use http::HttpCamera;
#[cfg(feature = "http-listen")]
pub use http_listen::stats::PushStats;
pub use invalid::InvalidSource;
pub use limits::Limits;
#[cfg(feature = "http-listen")]
pub use push::{Inlet, Push, PushOutcome};
pub use redact::redacted;
pub use source::Source;
#[cfg(feature = "test-picture")]
pub use test::TestCamera;
#[cfg(all(feature = "v4l2", target_os = "linux"))]
pub use v4l2::{V4l2Camera, V4l2Control, V4l2Device, V4l2Format, V4l2Size};
