//! Serves Motion-JPEG streams over HTTP to any number of viewers.
//!
//! This is the upper end of a Motion-JPEG relay: it takes frames from a [`mjpeg_fanout`] channel
//! and knows nothing about cameras. It has three parts, and each can be used alone:
//!
//! * [`MjpegBody`] is the endless response body.
//! * [`StreamService`] answers the requests for one stream, as a hyper and a tower service.
//! * [`Listener`] is a small HTTP server for one or many streams.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use mjpeg_http::{Listener, ListenerConfig, StreamConfig, StreamService};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Publish frames through the producer, from a task or thread of your own.
//! let (producer, consumer) = mjpeg_fanout::channel();
//! # drop(producer);
//! let stream = StreamService::new(consumer, StreamConfig::default());
//! let listener = Listener::bind("[::]:8081".parse()?, ListenerConfig::default())?;
//! println!("watch http://localhost:8081/");
//! // Accept requests for an hour, then give the viewers a second to take their last frame.
//! listener.serve(stream.clone(), tokio::time::sleep(Duration::from_secs(3600))).await;
//! stream.drain(Duration::from_secs(1)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # What a viewer gets
//!
//! | request | answer |
//! |---|---|
//! | `GET` or `HEAD` of a stream URL; `POST` of one other than `/` | the stream, or its head |
//! | `GET` or `HEAD` of a snapshot URL | the newest picture, or its head |
//! | `GET` or `HEAD` of `/clip.mov` etc. (feature `replay`) | [the past](#the-past) as a file |
//! | `GET` or `HEAD` of `/state` (feature `compat`) | JSON in the format of ustreamer |
//! | `OPTIONS` of these, and of `*` | `204`, a CORS preflight |
//! | `/?action=command`, `/?action=take` | `501`: a relay cannot control the camera |
//! | any request from a relay that this one reads, see [Relays](#relays) | `508` |
//! | `/?action=` and another word | `400` |
//! | another method | `405` with `Allow` |
//! | another path | `404` |
//!
//! Stream URLs:
//!
//! * `/`, `/stream`, `/?action=stream` and its numbered forms such as `/?action=stream_0`
//! * `/stream.mjpg`, `/stream.mjpeg`, `/video.mjpg`, `/cam_1.mjpg`, `/cam1.mjpg`, `/cam.mjpg`
//! * `/mjpg/video.mjpg`, `/axis-cgi/mjpg/video.cgi`
//!
//! Snapshot URLs:
//!
//! * `/snapshot`, `/?action=snapshot` and its numbered forms such as `/?action=snapshot_0`
//! * `/snapshot.jpg`, `/snapshot.jpeg`, `/cam_1.jpg`, `/cam1.jpg`, `/cam.jpg`
//! * `/jpg/image.jpg`, `/axis-cgi/jpg/image.cgi`
//!
//! These are the URLs of mjpg-streamer, ustreamer, camera-streamer and Axis cameras, so that their
//! clients work unchanged. Unknown parameters, keys without a value and cache busters do no harm.
//! Upper case, double slashes, a slash at the end, and what follows a `;` make no difference. An
//! action is read by its leading word: `?action=snapshot?123` is a snapshot. A reverse proxy may
//! leave its own path in the requests: [`ListenerConfig::with_base_path`].
//!
//! The answers allow every origin by default; [`StreamConfig::with_cors`] restricts them to a
//! [`CorsPolicy`]. Preflights are answered for `Authorization` and private networks too. The policy
//! does not cover the errors that hyper itself sends (`400`, `431`).
//!
//! # The stream
//!
//! HTTP/1 clients get `HTTP/1.0 200 OK` with `Connection: close`. The response is not chunked and
//! ends by close, as mjpg-streamer and ustreamer send it: the widest range of readers understands
//! this form. A server that mounts the service over HTTP/2 sends plain `DATA` frames.
//!
//! A new viewer gets the latest frame at once; before the first frame, the response waits. Every
//! part is a whole JPEG frame, because a single part that is not one ends the picture for good in
//! Chromium and WebKit. When no frame comes for the
//! [keepalive interval](StreamConfig::with_keepalive) (5 s), the last one is sent again. The
//! response does not end while the camera may come back, because WebKit would blank the picture.
//!
//! Chromium and WebKit show a picture only when the headers of the *next* part have arrived. Other
//! programs need the length before the image. The layout is therefore chosen per request, and no
//! viewer has to ask for it:
//!
//! * **[`Layout::Advance`]** sends the next part's headers right behind each image, without a
//!   length and with CORS headers in each part. Otherwise Chromium and WebKit would be one frame
//!   late (measured), and WebKit's `<img crossorigin>` needs CORS in each part. It goes to browsers
//!   that show the stream themselves:
//!   * `Sec-Fetch-Dest` is `image`, `document`, `iframe`, `frame`, `object` or `embed`: what
//!     browsers send over HTTPS and to loopback.
//!   * `Sec-Fetch-Dest` is absent, `Accept` is a browser's and `User-Agent`, if there is one, names
//!     a browser's engine: what they send over plain HTTP (measured). A browser's `Accept` names
//!     WebP, AVIF, APNG or SVG among pictures, or XHTML among pages. Programs that send
//!     `image/*` or Java's `text/html, image/gif, …` do not.
//! * **[`Layout::Trailing`]** sends `Content-Length` before each image and the delimiter right
//!   behind it. It goes to everything else: `fetch`, ffmpeg, VLC, OpenCV, go2rtc, Home Assistant.
//!   Mainsail and go2rtc need the length; Firefox and Fluidd show a frame at its delimiter. For
//!   readers that wait for what follows, the last frame is sent once more after a silence of
//!   100 ms, or of one and a half frame intervals if that is longer.
//! * **`multipart/mixed`** instead of `multipart/x-mixed-replace` is for WebKit's `fetch`, which
//!   cannot read the latter (measured in WebKitGTK). Off by default:
//!   [`StreamConfig::with_webkit_fetch_mixed`].
//!
//! A viewer may ask for less with parameters:
//!
//! * `advance_headers=0` or `1`: choose the layout (ustreamer's name). `showlength=1`: the one with
//!   the length (Axis's name).
//! * `dual_final_frames=0` or `1`: whether the last frame is sent again soon (ustreamer's name).
//! * `fps=`, `kbps=`: at most this many frames, or thousands of bits, per second. Frames stay whole
//!   and evenly spaced. The server's own limits are [`max_fps`](StreamConfig::with_max_fps) and
//!   [`max_kbps`](StreamConfig::with_max_kbps).
//! * `max_duration=`: end the response after this many seconds, within the
//!   [server's limit](StreamConfig::with_max_duration).
//! * `max_lag=`: end the response when a frame cannot be written before it is this many seconds
//!   old, for clients that would rather reconnect than lag.
//! * `key=`: a name for [`ViewerInfo`] and `/state` (ustreamer's name). After a
//!   [kick](StreamService::kick), it is refused for a minute (`410`).
//!
//! # Relays
//!
//! A viewer that is itself a relay names itself in the request header `X-Mjpeg-Via`. It then gets
//! more headers, so that it can pass the stream on unchanged. Other viewers get none of them:
//!
//! * The response has `X-Mjpeg-Via`: this relay, the one that it reads, and so on up to the camera.
//!   From this a relay learns that it would read itself. At most four relays may stand in a row.
//! * Each part has `X-Epoch` and `X-Seq`, which the first relay gave the frame; `X-Age-Us`, the
//!   frame's age in microseconds when it is written; `X-Online`, `false` if the camera is lost; and
//!   `X-Mjpeg-Via` again, because it may change. `X-Repeat: 1` marks repeats and placeholders.
//! * The last frame is repeated after 500 ms at the latest.
//!
//! `X-Timestamp` and the `ETag` of a snapshot are the same at every relay, for everybody.
//!
//! # When the stream is full
//!
//! A viewer over a limit gets `503` with `Retry-After` and the reason as text. There are three
//! limits: [`max_viewers`](StreamConfig::with_max_viewers) of the stream, a [`ViewerLimit`] that
//! several streams share, and
//! [`max_viewers_per_address`](StreamConfig::with_max_viewers_per_address). Snapshots and `HEAD`
//! requests do not count as viewers. Snapshots that wait or are being sent have a limit of their
//! own, [`max_snapshots`](StreamConfig::with_max_snapshots). The limit per address holds for them
//! as well, with a count of its own.
//!
//! A page that is reloaded must not lock itself out: its previous connection may not have ended
//! yet. A new viewer may therefore replace an existing one of the same stream; its address decides
//! which:
//!
//! * **An address that already watches the stream** replaces one of its own viewers: the one that
//!   has taken no byte for longest, if for 5 s or more; else the one that has been receiving the
//!   same frame for longest, if for 1 s or more; else the oldest.
//! * **Another address of the same IPv6 /64** replaces a viewer that has taken no byte for 5 s.
//! * **Loopback or a [trusted proxy](ListenerConfig::with_trusted_proxies)** replaces a viewer from
//!   the same address that has taken no byte for 5 s: any other may belong to another person.
//! * **An unknown address** replaces nobody. In a server of your own, addresses are unknown unless
//!   requests carry a [`Peer`] extension.
//!
//! Viewers of other addresses are never replaced. A replaced viewer is closed at once if it is in
//! the middle of a frame, else at the next frame or within a second.
//!
//! # Snapshots
//!
//! A snapshot comes from memory, with `Content-Length`, `ETag`, `Last-Modified`, `X-Timestamp`,
//! `Age` (whole seconds) and `X-Online`. `If-None-Match` is answered `304`. The tag is
//! `"EPOCH-SEQ"`; the epoch is random per fan-out channel, so that pictures of two runs are never
//! confused.
//!
//! | parameter | the picture |
//! |---|---|
//! | none, or `fresh=0` | the newest; while the camera is offline, see below |
//! | `max_age=` | at most this many seconds old (decimals allowed); 0 is the next picture |
//! | `max_delay=` | the same in milliseconds, camera-streamer's name; 0 means `fresh=1` |
//! | `fresh=1` | captured after the request came |
//! | `after=EPOCH-SEQ` | any but this one: a long poll; unknown tags are answered at once |
//! | `wait=` | wait at most this many seconds, up to 30; default below |
//! | `scale=8`, `scale=eighth` | the same one at an eighth of its size, with the feature `small` |
//!
//! A snapshot waits [800 ms](StreamConfig::with_snapshot_wait) unless the request says otherwise,
//! or [5 s](StreamConfig::with_snapshot_connect_wait) while a camera that is read on demand is
//! being connected. A request with `max_age`, `fresh` or `after` that cannot be satisfied in time
//! gets `503` with `Retry-After`. Any other gets what there is:
//!
//! | the camera | the answer after the wait |
//! |---|---|
//! | has sent pictures before | `200`: the last one, with `X-Online: false` and its `Age` |
//! | has sent none, and is being connected | `503` |
//! | has sent none, and is dead | `200`: the placeholder, with `X-Placeholder: true`; else `503` |
//!
//! A picture at an eighth of its size is made [without decoding](mjpeg_codec::small), when somebody
//! asks for it, and shared by all who do. The answer has `X-Scale: 8`, and `"EPOCH-SEQ-eighth"` as
//! its tag. Some frames have none, such as those with arithmetic coding; then the answer is the
//! whole picture with `X-Scale: 1`.
//!
//! So a page always shows something. A program that looks only at the status should ask for what it
//! needs: with `fresh=1` it gets each picture once, however fast it asks, and with `max_age=5` it
//! gets no picture of a camera that has died. For programs whose URL cannot be changed, the stream
//! can [require that itself](StreamConfig::with_snapshot_max_age).
//!
//! # The past
//!
//! With the feature `replay`, a stream whose producer has a
//! [`ReplayRing`](mjpeg_fanout::ReplayRing) shows what that keeps. Else these requests are answered
//! `404`. A [`Gate`] is asked about [`Action::Replay`].
//!
//! | request | answer |
//! |---|---|
//! | `/snapshot?at=TIME` | the last picture until then, with the `ETag` that it had |
//! | `/stream?from=TIME` | the stream from then on, at the pace in which it was captured |
//! | … `&speed=2` | the same twice as fast, until it is live; a number from 0.1 to 100 |
//! | … `&to=TIME` | the response ends with that time |
//! | `/clip.mov?from=TIME&to=TIME` (`.avi`, `.zip`, `.mjpeg`) | the frames of that time as a file |
//!
//! A time is `now`, `-30s` or `+5s` (with `ms`, `s`, `m`, `h` or `d`; seconds without a unit),
//! seconds since 1970, or a time as RFC 3339 writes it. The wall clock counts as it is set when the
//! request comes. A time that is not kept is answered `404` with the span that is; one that has not
//! come yet `400`, except that a clip may end up to 30 s ahead: its answer waits for that. A clip
//! ends now, unless it says when.
//!
//! A replay is a viewer like others, with the protocol `replay`, but it needs no camera, and its
//! frames do not count in [`StreamStats::ages`]. If it is slower than the camera, it goes on with
//! the oldest frame when its own is dropped. A clip is made while it is sent, in constant memory;
//! [`mjpeg_mux`](https://docs.rs/mjpeg-mux) describes the formats. A frame that is dropped from the
//! ring before its turn is left out. `X-Frames` says how many there are. Both are limited together:
//! [`StreamConfig::with_max_replays`], [`ReplayLimit`].
//!
//! # Clients that close their side
//!
//! Some clients, such as `nc -N`, close their side of the connection after the request. They are
//! answered all the same, with streams too. A viewer that has gone looks the same. So the last
//! frame is sent once more: if the viewer has gone, that fails. Before the first frame nothing can
//! be sent; such a viewer then counts as gone after 5 s. What a viewer sends after its request is
//! dropped; one that sends [too much](StreamConfig::with_max_viewer_input_bytes) is cut.
//!
//! # Several streams on one port
//!
//! [`Listener::serve`] takes any [`Streams`]; a [`StreamService`] is the implementation for one
//! stream. With several, each is found by the first segment of the path:
//!
//! | request | answered by |
//! |---|---|
//! | `/door/`, `/door/stream`, `/door/snapshot`, … | the stream `door`, if there is one |
//! | `/door` | a redirect to `/door/` |
//! | `/door/view` | the [fallback](Listener::with_fallback) if set: a page around the stream |
//! | `/api/stream.mjpeg?src=door`, `/api/frame.jpeg?src=door` (go2rtc's) | the stream `door` |
//! | `/?action=stream_2`, `/?action=snapshot_2` | the stream [with that number](Streams::nth) |
//! | `/stream` and the other URLs above, except a bare `/` | the default stream, if there is one |
//! | anything else | the [fallback](Listener::with_fallback) if set, else the default stream |
//!
//! [Some names](RESERVED_NAMES) would be hidden by these URLs, or hide them.
//!
//! The fallback is a tower service of your own, such as an axum router with a page and an API. It
//! may upgrade connections, and [keep](Detach) them when the listener ends. Requests reach it with
//! a [`Peer`] extension.
//!
//! A service that sends frames in a protocol of its own, such as WebSocket, has its clients counted
//! and limited as viewers: [`StreamService::watch`].
//!
//! One stream may also have several listeners: clones of a [`StreamService`] share their viewers,
//! limits and counters. [`Listener::bind`] listens on a TCP port, [`Listener::bind_unix`] on a Unix
//! socket, and [`Listener::from_fd`] takes over an inherited descriptor (systemd socket
//! activation). Implement [`Accept`] for other [`Transport`]s, and [`Wrap`] to put TLS around each
//! connection.
//!
//! # Who may watch
//!
//! Everybody, unless the service has a [`Gate`]: [`StreamServiceBuilder::gate`]. The gate decides
//! about every request for a stream, a snapshot or `/state`, whether it comes through a listener or
//! through a server of your own. It may name the viewer and limit how long the response lasts
//! ([`Grant`]). When permissions change, [`StreamService::recheck`] asks the gate again about
//! everybody who is watching; [`StreamService::kick`] ends a single viewer. `/state` lists viewers
//! only to those whom the gate also allows [`Action::Control`]; to others it tells how many there
//! are.
//!
//! # Ending
//!
//! * [`Listener::serve`] ends the port only. When it returns, the port is free, and all connections
//!   that came through it have ended, except those of viewers.
//! * [`StreamService::drain`] ends the viewers, each after its current part, and cuts those that
//!   need longer than the grace. [`Drained`] says how many were cut.
//! * [`StreamService::close`] ends the responses without waiting, for servers that wait for their
//!   connections themselves. Without it, a stream would never end.
//!
//! [`StreamService::configure`] changes limits while viewers watch; only a shorter `max_duration`
//! may end a response. [`ListenerHandle::configure`] does so for a port.
//!
//! # Lagging
//!
//! There is no queue per viewer. The next frame is taken from the fan-out channel when the previous
//! one is written, so a slow viewer skips whole frames. It lags only as far as its own link forces
//! it to, and never delays others. Three places could hide lag:
//!
//! * Our own buffers hold none. A [`Listener`] lets hyper read the request, then writes to the
//!   connection itself, one part at a time. A transport that buffers, such as TLS, is flushed
//!   before the next part is chosen.
//! * The kernel's send queue is bounded by `TCP_NOTSENT_LOWAT`
//!   ([16 KiB](ListenerConfig::with_notsent_lowat_bytes), Linux only) or
//!   [`SO_SNDBUF`](ListenerConfig::with_send_buffer_bytes).
//! * A server of your own that sends an [`MjpegBody`] gets the next part only after it has dropped
//!   the previous one. hyper does that when the last byte is in the kernel. A server or layer that
//!   copies bodies drops a part at once; then its buffer adds to the lag. The kernel's queue, and
//!   the limits on time and memory below, are then up to that server.
//!
//! When frames come together, each viewer that is ready gets all of them if they are published with
//! [`Producer::publish_next`](mjpeg_fanout::Producer::publish_next).
//!
//! A [`Listener`]'s viewer is cut when it takes no byte for
//! [`write_stall`](StreamConfig::with_write_stall), or when one frame takes longer than
//! [`max_frame_send_time`](StreamConfig::with_max_frame_send_time). When slow viewers together hold
//! more than [`max_inflight_bytes`](StreamConfig::with_max_inflight_bytes), those with the oldest
//! frame are cut. The same limits apply to clients of snapshots and of other answers, and all count
//! together. [`StreamStats`] counts each case, and [`StreamService::viewers`] reports for each
//! viewer what it was sent, what it skipped, and how old its frames were.
//!
//! On Linux, a listener hands large parts to TCP sockets with `splice`, which raises `SIGPIPE` when
//! the viewer has gone. Rust programs ignore that signal from the start; one that restores its
//! default action must ignore it again.
//!
//! # Configuration
//!
//! [`StreamConfig`] holds the limits of a stream, [`ListenerConfig`] those of a port.
//! [`StreamStats`] and [`ListenerStats`] count what the limits refuse or cut. A value out of bounds
//! is an [`InvalidConfig`] error that names the setting; only absurdly long durations saturate, at
//! 100 years.
//!
//! # HTTP/2
//!
//! With the feature `http2`, a listener speaks it to clients whose [`Wrap`] has agreed on it
//! ([`TlsInfo::is_http2`]). Many streams and snapshots then share one connection, more than the six
//! that browsers open to a server over HTTP/1. Each stream is a viewer by itself, with the same
//! limits and counters. A slow one skips whole frames, and is cut alone. Some things differ:
//!
//! * Streams are sent by hyper, frame by frame of HTTP/2, which costs more: see `docs/tls.md`.
//! * A connection without requests for the [header
//!   timeout](ListenerConfig::with_header_timeout) is closed in order.
//! * When the listener ends, clients are told so (`GOAWAY`). Viewers stay until their stream ends;
//!   other answers on their connection have the [grace](ListenerConfig::with_grace).
//! * `?max_lag=` ends a response when a frame that came too late has been taken, not before.
//! * A client that reads none of a response, and lets the unread bytes use up what all responses of
//!   its connection may send (its connection window), delays itself.
//!
//! # Features
//!
//! * `http2`: HTTP/2, by `hyper` and `h2`.
//! * `serde`: `Serialize` for [`StreamStats`], [`ListenerStats`] and [`ViewerInfo`], durations in
//!   seconds.
//! * `replay`: [the past](#the-past) of streams that keep some of it: pictures, streams and files.
//! * `small`: snapshots at an eighth of their size (`?scale=8`).
//! * `compat`: adds `/state` in the format of ustreamer; depends on `serde_json`.
//!
//! (`__fuzzing` is private: the oracles that fuzz targets and a test share.)
//!
//! [`Layout::Advance`]: mjpeg_codec::multipart::Layout::Advance
//! [`Layout::Trailing`]: mjpeg_codec::multipart::Layout::Trailing

mod address;
mod closing;
mod config;
mod cors;
mod error;
mod feed;
#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod limit;
mod live;
mod peer;
#[cfg(feature = "replay")]
mod replay;
mod request;
mod response;
mod server;
mod service;
mod shards;
mod stats;
mod timer;
mod transport;
mod viewers;
mod watcher;

pub use address::ListenAddress;

pub use config::{InvalidConfig, listener::ListenerConfig, stream::StreamConfig};
pub use cors::{CorsPolicy, InvalidOrigin};
pub use error::BindError;
pub use gate::{Access, Action, Gate, Grant, Inquiry};
pub use limit::ViewerLimit;
#[cfg(feature = "replay")]
pub use limit::replays::ReplayLimit;
pub use live::{InvalidPicture, LiveServer};
pub use peer::Peer;
#[cfg(feature = "replay")]
pub use replay::moment::{BadMoment, Moment, MomentClock};
pub use response::{body::ResponseBody, future::ResponseFuture, mjpeg_body::MjpegBody};
pub use server::{
    accept::{Accept, Wrap},
    detach::Detach,
    handle::ListenerHandle,
    listener::Listener,
    streams::{RESERVED_NAMES, Streams, is_reserved_name},
};
pub use service::{Drained, Rechecked, StreamService, StreamServiceBuilder};
pub use stats::{ListenerStats, StreamStats};
pub use transport::{TlsInfo, Transport};
pub use viewers::viewer::ViewerInfo;
pub use watcher::{StreamWatcher, WatchEnd, WatchRefusal, WatchRequest, WatchedFrame};
/// Re-exported because their types occur in this crate's API, so that versions agree.
#[doc(no_inline)]
pub use {ipnet, mjpeg_fanout};
