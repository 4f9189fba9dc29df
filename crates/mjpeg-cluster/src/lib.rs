//! Several relays that share their cameras: one of them is connected to a camera, the others read
//! it from that one, and take over when it fails.

mod link;

#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub use link::fuzzing;
#[cfg(feature = "tls")]
pub use link::tls::{LinkTls, LinkTlsError};
pub use link::{
    address::{InvalidNode, LinkNodeId},
    client::LinkClient,
    config::LinkConfig,
    connector::{LinkConnector, LinkIo},
    error::LinkFailure,
    node::{LinkNode, LinkOutage, LinkPlace, LinkStream},
    pulls::LinkPull,
    server::LinkServer,
    state::LinkReport,
    stats::{LinkClientStats, LinkServerStats},
};
/// The crates whose types appear in this one's API, so that their versions agree.
#[doc(no_inline)]
pub use {mjpeg_codec, mjpeg_fanout, mjpeg_http, mjpeg_ingest};
