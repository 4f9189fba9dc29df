//! Serves a Motion-JPEG stream over HTTP to any number of viewers.
//!
//! The upper end of a Motion-JPEG relay: it sits on a [`mjpeg_fanout`] and knows nothing of cameras. Three pieces, each of use
//! alone: [`MjpegBody`] is the endless response body, [`StreamService`] answers requests (hyper and tower),
//! [`Listener`] is a whole small server.
//!
//! ```no_run
//! use mjpeg_http::{HttpConfig, Listener, StreamService};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (producer, consumer) = mjpeg_fanout::channel();
//! # drop(producer);
//! let config = HttpConfig::default();
//! let listener = Listener::bind("[::]:8081".parse()?, config.clone())?;
//! println!("watch http://localhost:{}/", listener.local_addr().port());
//! let service = StreamService::new(consumer, config);
//! listener.serve(service, async { tokio::time::sleep(std::time::Duration::from_secs(60)).await }).await;
//! # Ok(())
//! # }
//! ```
//!
//! # What a viewer gets
//!
//! | request | answer |
//! |---|---|
//! | `GET /`, any query | the stream: `multipart/x-mixed-replace;boundary=boundarydonotcross` |
//! | `HEAD /` | the stream's header, no body |
//! | `OPTIONS /` | `204`, a CORS preflight that allows all |
//! | another method on `/` | `405` with `Allow` |
//! | another path | `404` |
//!
//! All answers of the service allow every origin (what hyper itself refuses, `400` or `431`, does not). To HTTP/1 clients the stream goes out as `HTTP/1.0 200 OK` with `Connection: close`, ended by close and not
//! chunked: the form of mjpg-streamer and ustreamer, which the widest range of readers understands.
//!
//! The body begins with `--boundary`, then each part is `Content-Type`, `Content-Length`, `X-Timestamp`, the image and the next delimiter, in
//! one buffer shared by all viewers. A newcomer gets the latest frame at once (Chromium and WebKit show it in an `<img>` only when the next part's headers
//! follow: with the next frame, or the repeat). When no frame comes for the
//! [keepalive interval](HttpConfig::keepalive) (5 s), the last one is sent again; nothing but whole JPEG frames is ever sent, since one part
//! that is none ends the picture for good in Chromium and WebKit. Before the first frame the response waits.
//!
//! # Lagging
//!
//! The next frame is taken from the fan-out when the connection asks for one; frames in between are skipped, whole. hyper asks ahead while
//! less than [`max_header_bytes`](HttpConfig::max_header_bytes) is unwritten, and the kernel has a send buffer of its own.
//!
//! # Features
//!
//! None yet.

mod asked;
mod body;
mod config;
mod connection;
mod drive;
mod error;
mod feed;
mod listener;
mod pace;
mod query;
mod respond;
mod service;
mod snapshot;
mod socket;
mod stall;
#[cfg(feature = "compat")]
mod state;
mod stats;
mod viewers;

pub use body::{MjpegBody, ResponseBody};
pub use config::HttpConfig;
pub use error::BindError;
pub use listener::{Ended, Listener};
/// The crate whose types stand in this one's API, so that their versions agree.
#[doc(no_inline)]
pub use mjpeg_fanout;
pub use service::{ResponseFuture, StreamService};
pub use stats::Stats;
pub use viewers::ViewerInfo;
