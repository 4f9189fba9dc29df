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
//! | `GET /`, `/stream`, `/?action=stream` (also `…stream_0` and so on), `/stream.mjpg`, `/video.mjpg`, `/cam_1.mjpg`, `/mjpg/video.mjpg`, `/axis-cgi/mjpg/video.cgi`; `POST /stream` | the stream |
//! | `GET /snapshot`, `/snapshot.jpg`, `/?action=snapshot` (also `…snapshot_0`), `/cam_1.jpg`, `/jpg/image.jpg`, `/axis-cgi/jpg/image.cgi` | the newest picture |
//! | `GET /state` (feature `compat`) | JSON as ustreamer gives it |
//! | `HEAD` of these | the header |
//! | `OPTIONS` | `204`, a CORS preflight that allows all |
//! | `/?action=command`, `/?action=take` | `501`: a relay has no controls of the camera |
//! | another method | `405` with `Allow` |
//! | another path | `404` |
//!
//! These are the URLs of mjpg-streamer, ustreamer, camera-streamer and Axis cameras, so that what asked one of them can ask us. Unknown
//! parameters, keys without a value and cache busters do no harm. All answers of the service allow every origin (what hyper itself refuses, `400` or `431`, does not).
//!
//! # The stream
//!
//! To HTTP/1 clients it goes out as `HTTP/1.0 200 OK` with `Connection: close`, ended by close and not
//! chunked: the form of mjpg-streamer and ustreamer, which the widest range of readers understands. A newcomer gets the latest frame at once; before the first
//! frame the response waits. Nothing but whole JPEG frames is ever sent, since one part that is none ends the picture for good in Chromium and
//! WebKit. When no frame comes for the [keepalive interval](HttpConfig::keepalive) (5 s), the last one is sent again; a response does not end while the camera may come
//! back, for WebKit blanks the picture then.
//!
//! Chromium and WebKit show a picture only when the headers of the *next* part have come, other programs need the length ahead of the
//! image. So the layout goes by the request, and no viewer has to know of it:
//!
//! | the request has | it comes from | it gets | why |
//! |---|---|---|---|
//! | `Sec-Fetch-Dest: image`, `document`, `iframe`, `frame`, `object` or `embed` | a browser that shows it itself, over HTTPS or on loopback | [`Layout::Advance`]: the next part's headers right behind each image, without length, with CORS in every part | Chromium and WebKit would be one frame late otherwise (measured); WebKit's `<img crossorigin>` needs CORS in each part |
//! | no `Sec-Fetch-Dest`, and `Accept` begins with `image/` or `text/html` | the same over plain HTTP | the same | browsers send no `Sec-Fetch-Dest` there (measured) |
//! | anything else: `Accept: */*` or none | `fetch`, ffmpeg, VLC, OpenCV, go2rtc, Home Assistant | [`Layout::Trailing`]: `Content-Length` before each image, the delimiter right behind it; and the last frame once again after 100 ms of silence, or one and a half intervals | Mainsail, go2rtc need the length; Firefox, Fluidd show a frame at its delimiter; the repeat is for readers that wait for what follows |
//! | WebKit's `User-Agent`, by [`HttpConfig::webkit_fetch_mixed`] (off by default) | its `fetch` | the same, as `multipart/mixed` | it cannot read `x-mixed-replace` with `fetch` (measured in WebKitGTK) |
//!
//! What a viewer may ask for, by parameter:
//!
//! | parameter | meaning |
//! |---|---|
//! | `advance_headers=0` or `1` | that layout, or the other (ustreamer's name) |
//! | `dual_final_frames=0` or `1` | whether the last frame comes again soon (ustreamer's name) |
//! | `fps=`, `kbps=` | at most so many frames, or thousands of bits, per second: whole frames, evenly spaced; [`max_fps`](HttpConfig::max_fps) and [`max_kbps`](HttpConfig::max_kbps) are the server's limits |
//! | `max_duration=` | the response ends after so many seconds; [the server's limit](HttpConfig::max_duration) |
//! | `max_lag=` | the response ends when a frame is older than so many seconds before it is written: for who would rather begin anew than be behind |
//! | `key=` | a name for [`ViewerInfo`] and `/state` (ustreamer's name) |
//!
//! # When it is full
//!
//! A viewer over one of the limits gets `503` with `Retry-After`, and the reason as text: over [`max_viewers`](HttpConfig::max_viewers) of the stream,
//! over a [`ViewerLimit`] that several streams share, or over [`max_viewers_per_address`](HttpConfig::max_viewers_per_address). Pictures and `HEAD` are no viewers.
//!
//! A reload must not lock itself out: the connection that it left may not have ended yet. So a newcomer may get the place of a viewer of the same
//! stream, and which, goes by where it comes from:
//!
//! | the newcomer's address | whose place it may get |
//! |---|---|
//! | has viewers of this stream | one of its own: the one that has taken no byte for longest, if that is 5 s or more; else the one that has been at a frame for longest, if that is 1 s; else the oldest |
//! | is in the same IPv6 /64 as a viewer | that viewer's, if it has taken no byte for 5 s |
//! | is loopback, or a [trusted proxy](HttpConfig::trusted_proxies) | that of a viewer through the same address that has taken no byte for 5 s: any other may be somebody else's |
//! | is not known, since somebody else's server took the connection | nobody's |
//!
//! Nobody gets the place of a viewer of another address. Who had it is closed at once if it is in the middle of a frame, else at the next one, within a second.
//!
//! # Snapshots
//!
//! From memory, with `Content-Length`, `ETag`, `Last-Modified`, `X-Timestamp`, `Age` (whole seconds) and `X-Online`. `If-None-Match` is answered `304`. The tag is `"EPOCH-SEQ"`; the epoch is random
//! per fan-out, so that pictures of two runs are never taken for one another.
//!
//! | parameter | the picture |
//! |---|---|
//! | none | the newest; while the camera is away, what comes within the wait, else the last one with `X-Online: false` |
//! | `max_age=` | at most so many seconds old (decimals allowed); `max_delay=` in milliseconds, as camera-streamer has it |
//! | `fresh=1`, `max_delay=0` | captured after the request came |
//! | `after=EPOCH-SEQ` | another one than that: a long poll. An epoch or number that is not ours is answered at once |
//! | `wait=` | how many seconds to wait, at most 30; [the default](HttpConfig::snapshot_wait) is 0.8 |
//!
//! Who asked for `max_age`, `fresh` or `after` and got none in time gets `503` with `Retry-After`; so does everybody before the first picture.
//!
//! # Lagging
//!
//! There is no queue per viewer. The next frame is taken from the fan-out when the one before is written, so what a slow viewer misses is missed whole, and it is
//! never behind by more than its own link makes it. Three places could hide lag:
//!
//! * Our own: none. A [`Listener`] lets hyper read the request and then writes to the socket itself, one part at a time.
//! * The kernel's send queue: bounded by `TCP_NOTSENT_LOWAT` ([16 KiB](HttpConfig::notsent_lowat_bytes), Linux) or [`SO_SNDBUF`](HttpConfig::send_buffer_bytes).
//! * The write buffer of a server: where somebody else's server drives an [`MjpegBody`], the next part is not given before it has dropped the one before,
//!   which hyper does when its last byte is in the kernel. A server, or a layer in between, that copies bodies drops it at once; then its own buffer adds to
//!   the lag. The kernel's queue is that server's affair, and so are the limits on time and memory that only a `Listener` can hold.
//!
//! A viewer that takes no byte for [`write_stall`](HttpConfig::write_stall), or needs longer than [`max_frame_send_time`](HttpConfig::max_frame_send_time) for one frame, is cut;
//! and when slow viewers together hold more than [`max_inflight_bytes`](HttpConfig::max_inflight_bytes), those with the oldest frame are. Each is counted in [`Stats`].
//! [`StreamService::viewers`] tells of each viewer what it was sent, what it skipped, and how old its frames were.
//!
//! On Linux a listener hands large parts to sockets by `splice`, which raises `SIGPIPE` when a viewer has gone. Rust programs ignore that signal from
//! the start; one that does not must.
//!
//! # Features
//!
//! * `compat`: `/state` as ustreamer has it; brings in `serde_json`.
//!
//! (`__fuzzing` is private: the oracle that a fuzz target and a test share.)
//!
//! [`Layout::Advance`]: mjpeg_codec::multipart::Layout::Advance
//! [`Layout::Trailing`]: mjpeg_codec::multipart::Layout::Trailing

mod address;
mod body;
mod closing;
mod config;
mod cors;
mod error;
mod feed;
#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod peer;
mod request;
mod response;
mod server;
mod service;
mod shards;
mod stats;
mod timer;
mod transport;
mod viewers;

pub use address::ListenAddress;
pub use body::MjpegBody;
pub use config::{InvalidConfig, listener::ListenerConfig, stream::StreamConfig};
pub use cors::{CorsPolicy, InvalidOrigin};
pub use error::BindError;
pub use gate::{Access, Action, Gate, Grant, Inquiry};
pub use peer::Peer;
pub use response::{body::ResponseBody, future::ResponseFuture};
pub use server::{
    accept::{Accept, Wrap},
    listener::{Listener, ListenerMonitor},
    streams::Streams,
};
pub use service::{Drained, StreamService, StreamServiceBuilder};
pub use stats::{ListenerStats, StreamStats};
pub use transport::{TlsInfo, Transport};
pub use viewers::{limit::ViewerLimit, viewer::ViewerInfo};
/// The crates whose types stand in this one's API, so that their versions agree.
#[doc(no_inline)]
pub use {ipnet, mjpeg_fanout};
