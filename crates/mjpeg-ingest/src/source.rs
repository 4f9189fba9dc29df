//! Sources: where the images of a stream come from.

#[cfg(all(feature = "exec", unix))]
mod exec;
mod file;
#[cfg(feature = "http")]
mod http;
mod invalid;
mod judged;
mod limits;
mod literal;
mod look_up;
mod parse;
mod rate;
mod redact;
#[cfg(feature = "rtsp")]
mod rtsp;
#[allow(
    clippy::module_inception,
    reason = "the folder holds sources, this file is the type"
)]
mod source;
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
#[cfg(feature = "__fuzzing")]
pub use http::fuzzing;
pub use invalid::InvalidSource;
pub use limits::Limits;
pub use redact::redacted;
pub use source::Source;
#[cfg(feature = "test-picture")]
pub use test::TestCamera;
#[cfg(all(feature = "v4l2", target_os = "linux"))]
pub use v4l2::{V4l2Camera, V4l2Control, V4l2Device, V4l2Format, V4l2Size};
