//! HTTP API of a Motion-JPEG relay: lists, adds, changes and removes streams, tells who is
//! watching, and sends events.
//!
//! It serves a [`mjpeg_manager`]'s streams below `/api/v1`, as a tower service behind a
//! [`Listener`](mjpeg_manager::mjpeg_http::Listener): it owns no port. What it needs to know from
//! others are three seams:
//!
//! * A [`Gate`](mjpeg_manager::mjpeg_http::Gate) knows the users. It is asked about every request:
//!   [`GatewayPolicy::new`] says what.
//! * A [`Configurator`] keeps the configuration: it knows the keys of a stream, checks, applies and
//!   stores them.
//! * [`LinkIssuer`], if there are any, signs links by which somebody may watch for a while.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use mjpeg_control::{
//!     Configurator, ControlApi, ControlAccess, ControlConfig, GatewayPolicy, Hosts,
//!     mjpeg_manager::{
//!         HttpOutlet, Manager, ManagerConfig,
//!         mjpeg_http::{Gate, Listener, ListenerConfig},
//!     },
//! };
//!
//! async fn serve(
//!     gate: Arc<dyn Gate>,
//!     configurator: Arc<dyn Configurator>,
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     let http = HttpOutlet::default();
//!     let manager = Manager::with_outlets(ManagerConfig::default(), [http.factory()]);
//!     let config = ControlConfig::default();
//!     let control = ControlApi::new(manager, http.clone(), configurator, None, config);
//!     let policy = GatewayPolicy::new(gate)
//!         .with_hosts(Hosts::new(["cams.example.org"]))
//!         .with_access(ControlAccess::Users);
//!     let listener = Listener::bind("[::]:8080".parse()?, ListenerConfig::default())?
//!         .with_fallback(control.service(policy));
//!     listener.serve(http, std::future::pending()).await;
//!     Ok(())
//! }
//! ```
//!
//! # Requests
//!
//! | request | answer |
//! |---|---|
//! | `GET /streams` | the streams that the caller may see; in full those that it may control |
//! | `POST /streams` | adds a stream: `201` |
//! | `GET /streams/{name}` | a stream in full, its version as `ETag` |
//! | `PUT /streams/{name}` | sets all its keys: `200`, or `201` if it is new |
//! | `PATCH /streams/{name}` | sets some of its keys (RFC 7396); does not wait for the camera |
//! | `DELETE /streams/{name}` | stops and forgets it: `204` |
//! | `POST /streams/{name}/retry`, `pause`, `resume` | `204` |
//! | `POST /streams/{name}/probe` | what its camera is, what is odd about it, what to set |
//! | `GET /streams/{name}/health` | `200` if there are pictures, else `503` |
//! | `GET /streams/{name}/viewers`, `events` | who is watching; what has happened |
//! | `DELETE /viewers/{id}` | disconnects a viewer: `204` |
//! | `GET /events` | server-sent events |
//! | `GET /wall` | a WebSocket that shows many streams: see [below](#the-wall-socket) |
//! | `GET /config` | the configuration |
//! | `POST /reload` | reads the configuration again; with `dry_run=true` it only tries |
//! | `GET /info`, `GET /openapi.json` | the program; this API (OpenAPI 3.1) |
//! | `GET`, `POST /links`, `DELETE /links/{id}` | links, if there is a [`LinkIssuer`] |
//! | `GET`, `POST /clips`, `GET`, `DELETE /clips/{id}` | clips that are kept (feature `replay`) |
//! | the same of `/timelapses`; `POST /timelapses/{id}/frame`, `/finish` | time-lapses |
//! | `POST /streams/{name}/frame`, `/timelapses/finish` | its time-lapses, without their ids |
//! | `GET /clips/{id}/movie.mov`, and the same of `/timelapses` | the file of one |
//!
//! Changes of streams take `persist=false` for this run only. `PUT`, `PATCH` and `DELETE` of a
//! stream take `If-Match`, `PUT` also `If-None-Match: *`; if the condition does not hold when the
//! change would be made: `412`.
//!
//! Lists come a page at a time: `limit` (100, at most 1000), and as `cursor` what the page before
//! has as `next`. Times are in RFC 3339. Errors are problems (RFC 9457) with a word from
//! [`ErrorCode`]; parameters and fields that are not known are errors.
//!
//! # Events
//!
//! `GET /events` sends an event `stream` for each change of a stream that the caller may see. With
//! `Last-Event-ID` it begins behind that event. Whoever is too slow, or was away too long, gets an
//! event `gap` in place of those that it missed, with the number of events that there were of all
//! streams, or `null` for whoever may not control everything. Nothing is queued for a slow client:
//! it takes the events from the latest [1024](ControlConfig::with_kept_events) that are kept. Ids
//! are encrypted: they tell nobody how many events of other streams there were. A program that
//! passes events on takes them from [`ControlApi::events`].
//!
//! # The wall socket
//!
//! `GET /wall` opens a WebSocket with the subprotocol `mjpeg-wall.1`, over which a page shows many
//! streams: browsers open only six connections to a server. `docs/wall.md` describes it for those
//! who write clients. Each tile is a viewer of its stream, with the same rights and limits as any
//! other. One frame per tile is on its way; the next goes when the client has acknowledged it. So
//! nothing is queued for a slow client: what it misses, it skips whole.
//!
//! A socket outlives the listener that it came through, as viewers do. [`ControlApi::close`] ends
//! it, and [`ControlApi::drain`] waits for that.
//!
//! # Pushes
//!
//! [`ControlService::push`] (feature `push`) answers requests outside of the API that send pictures
//! to a stream whose source is `push:`. [`ControlApi::push_stats`] counts the answers by their
//! status.
//!
//! # Safety
//!
//! * A gateway's API is closed to control unless [`GatewayPolicy::with_access`] opens it.
//! * Requests must name a host that is ours ([`Hosts`]), else `421`: a page of a stranger could
//!   read the API by a name of its own (DNS rebinding).
//! * What changes something is JSON and says so, even without a body, else `415`: no form can send
//!   that. Only `DELETE` without a body need not say so, which no form can send either.
//! * What changes something must come from a page of the same origin, if a browser says from where
//!   it comes (`Origin`, `Sec-Fetch-Site`), else `403`. What does not say so is refused with a
//!   cookie. Events are refused to pages of other origins that send a cookie, and the wall socket
//!   to all pages of other origins.
//! * No answer has CORS headers. Preflights are refused.
//! * Bodies have at most 256 KiB, 10 s and 16 levels; at most 16 changes are under way at once, 100
//!   clients receive events, and 200 have a wall socket.
//! * Errors repeat no values, and no names but valid ones.
//! * Each change, made or refused, is logged in one line, at the target `mjpeg_control::audit`:
//!   user, address, verb, stream, outcome. A change goes on if its client goes away. Of those that
//!   are refused before the gate allows them, an address has 10 lines a minute, and 100 addresses
//!   have any; the others are counted, and told in one line for each address.
//! * A name that an object of a body has twice is an error.
//!
//! (`__fuzzing` is private: the oracle that a fuzz target and a test share.)

#[cfg(feature = "replay")]
mod archive;
mod audit;
mod body;
mod caller;
mod code;
mod config;
mod configurator;
mod control;
mod error;
mod events;
#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod host;
mod links;
mod network;
mod origin;
mod page;
mod parameters;
mod policy;
#[cfg(feature = "push")]
mod push;
mod respond;
mod routes;
mod service;
mod state;
mod time;
mod view;
mod wall;
mod words;

#[cfg(feature = "replay")]
pub use archive::{
    Archive, ArchiveList, MovieRequest, RecordingFile, RecordingInfo, RecordingKind,
    RecordingRequest,
};
pub use code::ErrorCode;
pub use config::ControlConfig;
pub use configurator::{
    CameraOwner, ClusterChange, Condition, Configurator, ConfiguredStream, EditMode, EditedStream,
    Reloaded, StreamEdit, StreamOrigin, StreamRemoval,
};
pub use control::ControlApi;
pub use error::{Error, Violation};
pub use events::all::{ApiEvent, ApiEvents};
pub use host::Hosts;
pub use links::{IssuedLink, LinkIssuer, LinkRequest, LinkUse};
/// The crate whose types appear in this one's API, so that their versions agree.
#[doc(no_inline)]
pub use mjpeg_manager;
pub use page::{InvalidPageConfig, ListedStream, Page, PageConfig};
pub use policy::{ControlAccess, GatewayPolicy};
#[cfg(feature = "push")]
pub use push::stats::GatewayPushStats;
pub use service::{ControlBody, ControlService};
pub use view::probe::probe_json;
pub use wall::stats::WallStats;
