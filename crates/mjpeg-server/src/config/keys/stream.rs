//! Keys of a stream.

use std::collections::BTreeMap;

use mjpeg_manager::{
    ManagerConfig, MaskRect, StreamName, StreamSpec, mjpeg_fanout::RingConfig,
    mjpeg_http::StreamConfig,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KEEP, LONGEST, NEW, RESTART, RIGHTS, auth::UserName};
use crate::{
    config::value::{
        choice::{Repair, StartChoice},
        limit::Limit,
        listen_addr::ListenAddr,
        placeholder::PlaceholderChoice,
        replay::ReplayChoice,
        rotation::Rotation,
        size::Size,
        source_text::SourceText,
        text::TextValue,
        time::Time,
    },
    event_clips::ClipEvent,
};

/// The keys that only a stream itself has.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct OwnKeys {
    /// The stream's name: 1 to 64 letters, digits, `_` or `-`.
    #[schemars(extend(
        "x-required" = true,
        "x-example" = "garage",
        "x-reload" = "another name is another stream: the viewers of the old one end",
        "x-api" = true
    ))]
    pub(crate) name: Option<TextValue<StreamName>>,

    /// The camera. `${env:NAME}`, `${file:PATH}` and `${credential:NAME}` in the URL stand for an
    /// environment variable, the content of a file, and a credential of systemd.
    #[schemars(extend(
        "x-required" = true,
        "x-example" = "tcp://192.168.1.100:6001",
        "x-reload" = KEEP,
        "x-api" = true
    ))]
    pub(crate) source: Option<SourceText>,

    /// A port of the stream's own.
    #[schemars(extend("x-example" = "0.0.0.0:8081", "x-reload" = KEEP, "x-api" = true))]
    pub(crate) listen: Option<ListenAddr>,

    /// Further names below which the listeners serve the stream.
    #[schemars(length(max = 64), extend("x-example" = ["webcam"], "x-reload" = KEEP))]
    pub(crate) aliases: Vec<TextValue<StreamName>>,
}

/// The keys that `[defaults]` may set for all streams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct StreamKeys {
    /// Other cameras, in their order, for when the first has no pictures. The stream goes back when
    /// the first is stable again.
    #[schemars(length(max = 16), extend("x-reload" = KEEP, "x-api" = true))]
    pub(crate) fallback: Vec<SourceText>,

    /// What happens if the camera cannot be reached at the start: `"retry"` tries again until it
    /// can, `"require"` lets the start fail.
    #[schemars(extend("x-reload" = RESTART, "x-api" = true))]
    pub(crate) start: StartChoice,

    /// How long connecting to the camera may take.
    #[schemars(extend("x-least" = "1ms", "x-most" = "7d", "x-reload" = KEEP, "x-api" = true))]
    pub(crate) connect_timeout: Time,

    /// How long a camera that speaks HTTP may take from the request to the head of its answer.
    #[schemars(extend("x-least" = "1ms", "x-most" = "7d", "x-reload" = KEEP, "x-api" = true))]
    pub(crate) answer_timeout: Time,

    /// How long a camera may send nothing before it counts as lost. For a camera that is polled,
    /// the limit is `answer_timeout`, but at least three times `poll_interval`.
    #[schemars(extend("x-least" = "1ms", "x-most" = "7d", "x-reload" = KEEP, "x-api" = true))]
    pub(crate) stall_limit: Time,

    /// The time from one request to the next, for a camera that sends single pictures.
    #[schemars(extend("x-least" = "16ms", "x-most" = "7d", "x-reload" = KEEP, "x-api" = true))]
    pub(crate) poll_interval: Time,

    /// How long the relay waits after a refused password before it tries the next login.
    #[schemars(extend("x-least" = "1ms", "x-most" = "7d", "x-reload" = KEEP, "x-api" = true))]
    pub(crate) login_retry: Time,

    /// Connect to the camera only while somebody watches or asks for a picture.
    #[schemars(extend("x-reload" = KEEP, "x-api" = true, "x-common" = true))]
    pub(crate) on_demand: bool,

    /// With `on_demand`: how long the camera stays connected after the last viewer.
    #[schemars(extend("x-most" = LONGEST, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) linger: Time,

    /// What is repaired in pictures that need it, without changing a pixel: `"huffman-tables"`,
    /// `"embedded-markers"`, `"eoi"`. An empty list relays pictures byte for byte, unless `rotate`
    /// or `mirror` is set.
    #[schemars(length(max = 4), extend("x-reload" = KEEP, "x-api" = true))]
    pub(crate) repair: Vec<Repair>,

    /// By how many degrees viewers turn pictures clockwise, in addition to what the camera's Exif
    /// says. Only a tag in the picture changes: docs/orientation.md says which viewers obey it.
    #[schemars(extend("x-reload" = KEEP, "x-api" = true))]
    pub(crate) rotate: Rotation,

    /// Viewers swap left and right, after turning the picture as `rotate` says.
    #[schemars(extend("x-reload" = KEEP, "x-api" = true))]
    pub(crate) mirror: bool,

    /// Check the inside of each picture for damage, and hold damaged ones back. This takes 3 to 5
    /// ms per megabyte, and up to 60 ms per megabyte for pictures that are built to take long.
    #[schemars(extend("x-reload" = KEEP, "x-api" = true))]
    pub(crate) check_frames: bool,

    /// Pass on pictures that browsers cannot show.
    #[schemars(extend("x-reload" = KEEP, "x-api" = true))]
    pub(crate) pass_unsupported: bool,

    /// How long a camera may send the same picture before it is reported as frozen. It stays
    /// connected.
    #[schemars(extend("x-most" = LONGEST, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) frozen_after: Time,

    /// Report the picture as dark if its mean brightness is below this, in percent of white. 8 is a
    /// night without light.
    #[schemars(extend("x-above" = 0, "x-most" = 100, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) detect_dark: Limit<f64>,

    /// Report the camera as covered if nearly all parts of the picture have less contrast than
    /// this, in percent. 4 is a hand or a cloth.
    #[schemars(extend("x-above" = 0, "x-most" = 100, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) detect_covered: Limit<f64>,

    /// Report the picture as still if nothing in it has changed for this long. Unlike with
    /// `frozen_after`, its bytes may differ, and `detect_mask` may mask a clock in it.
    #[schemars(extend("x-most" = LONGEST, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) detect_still: Limit<Time>,

    /// Report motion if at least this part of the picture changes, in percent. 1 is a person at
    /// some distance.
    #[schemars(extend("x-above" = 0, "x-most" = 100, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) detect_motion: Limit<f64>,

    /// Parts of the picture that `detect_…` ignores: rectangles `"left,top,width,height"` in
    /// percent of the picture.
    #[schemars(length(max = 32), extend("x-reload" = KEEP, "x-api" = true))]
    pub(crate) detect_mask: Vec<TextValue<MaskRect>>,

    /// How long the picture must be dark or covered before that is reported, and how long darkness,
    /// cover or motion must be over before the end is reported. Motion itself is reported at once.
    #[schemars(extend("x-most" = LONGEST, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) detect_hold: Time,

    /// What viewers see if there is no picture: `"drawn"` (the stream's name, roughly what is
    /// wrong, and since when), `"none"`, or the path of a JPEG file.
    #[schemars(extend("x-type" = "`\"drawn\"`, `\"none\"` or a path", "x-reload" = KEEP))]
    pub(crate) placeholder: TextValue<PlaceholderChoice>,

    /// How old a lost camera's last picture may be before the placeholder takes its place.
    #[schemars(extend("x-most" = LONGEST, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) placeholder_after: Time,

    /// How long a snapshot waits for a picture that satisfies the request.
    #[schemars(extend("x-most" = LONGEST, "x-reload" = NEW, "x-api" = true))]
    pub(crate) snapshot_wait: Time,

    /// How long a snapshot waits while a camera that is read on demand is being connected.
    #[schemars(extend("x-most" = LONGEST, "x-reload" = NEW, "x-api" = true))]
    pub(crate) snapshot_connect_wait: Time,

    /// Answer each snapshot with the next picture, as if the request had `?fresh=1`. This is for
    /// programs that ask again as soon as they have an answer.
    #[schemars(extend("x-reload" = NEW, "x-api" = true))]
    pub(crate) snapshot_fresh: bool,

    /// How old the picture of a snapshot may be, as if each request had `?max_age=`. If there is no
    /// picture that young, as with a dead camera, the answer is `503`.
    #[schemars(extend("x-most" = LONGEST, "x-reload" = NEW, "x-api" = true))]
    pub(crate) snapshot_max_age: Limit<Time>,

    /// The most requests for snapshots that may be waiting at once. One more is answered `503`.
    #[schemars(extend("x-least" = 0, "x-reload" = NEW, "x-api" = true))]
    pub(crate) max_snapshots: u32,

    /// The most viewers that the stream may have. One more is answered `503`, unless it replaces a
    /// viewer from its own address: a dead one, else the slowest, else the oldest.
    #[schemars(extend("x-least" = 0, "x-reload" = NEW, "x-api" = true))]
    pub(crate) max_viewers: u32,

    /// The most viewers of the stream from one address (IPv6: from one /64). Loopback and trusted
    /// proxies do not count.
    #[schemars(extend("x-least" = 0, "x-reload" = NEW, "x-api" = true))]
    pub(crate) max_viewers_per_address: Limit<u32>,

    /// How long a response may last before the relay ends it. Browsers do not ask again by
    /// themselves.
    #[schemars(extend(
        "x-least" = "1ms",
        "x-most" = LONGEST,
        "x-reload" = "viewers keep their response, except those that have had it for longer",
        "x-api" = true
    ))]
    pub(crate) max_duration: Limit<Time>,

    /// The most pictures per second that any viewer gets.
    #[schemars(extend("x-above" = 0, "x-reload" = KEEP, "x-api" = true, "x-common" = true))]
    pub(crate) max_fps: Limit<f64>,

    /// The most kilobits per second that any viewer gets, in whole pictures.
    #[schemars(extend("x-above" = 0, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) max_kbps: Limit<f64>,

    /// How long a viewer waits for a picture before the last one is sent again. Some viewers give
    /// up after 10 s of silence.
    #[schemars(extend("x-least" = "100ms", "x-most" = LONGEST, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) keepalive: Time,

    /// How long a viewer may take no byte before its connection is closed.
    #[schemars(extend("x-least" = "1ms", "x-most" = LONGEST, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) write_stall: Time,

    /// How much memory slow viewers may hold together, besides the newest picture. Above that, the
    /// relay disconnects those that hold the oldest picture.
    #[schemars(extend("x-least" = 0, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) max_inflight: Size,

    /// Which past pictures are kept in memory, for `/snapshot?at=`, `/stream?from=` and clips: each
    /// one for a time such as `"30s"`, or fewer of the older ones, by tiers:
    /// `[{ keep = "60s" }, { every = "1s", keep = "10m" }]`. [replay.md](replay.md) tells more.
    #[schemars(extend(
        "x-example" = "60s", "x-reload" = KEEP, "x-api" = true, "x-common" = true
    ))]
    pub(crate) replay: ReplayChoice,

    /// How much memory the past pictures of the stream may take. Above that, the oldest ones are
    /// dropped.
    #[schemars(extend("x-least" = 0, "x-reload" = KEEP, "x-api" = true))]
    pub(crate) max_replay_memory: Size,

    /// The most replays and clips of the stream that may be on their way at once. One more is
    /// answered `503`.
    #[schemars(extend("x-least" = 0, "x-reload" = NEW, "x-api" = true))]
    pub(crate) max_replays: u32,

    /// When the stream keeps a clip on the disk by itself: on `"motion"` (with `detect_motion`),
    /// `"dark"` (with `detect_dark`), `"covered"` (with `detect_covered`), `"frozen"` or
    /// `"offline"`. This needs `replay`.
    /// [recordings.md](recordings.md#clips-by-event) tells more.
    #[schemars(length(max = 5), extend(
        "x-example" = ["frozen", "offline"], "x-reload" = KEEP, "x-api" = true
    ))]
    pub(crate) clip_on: Vec<ClipEvent>,

    /// With `clip_on`: how much of the time before the event a clip has, at most what `replay`
    /// keeps.
    #[schemars(extend("x-most" = "1h", "x-reload" = KEEP, "x-api" = true))]
    pub(crate) clip_before: Time,

    /// With `clip_on`: how long a clip goes on after the event; after motion, from its end on.
    #[schemars(extend("x-most" = "1h", "x-reload" = KEEP, "x-api" = true))]
    pub(crate) clip_after: Time,

    /// With `clip_on`: how long a clip may be. If motion goes on, the next clip follows it.
    #[schemars(extend("x-least" = "1s", "x-most" = "1h", "x-reload" = KEEP, "x-api" = true))]
    pub(crate) max_clip_duration: Time,

    /// The users who may see the stream. Without it, everybody may whom `[auth]` lets view.
    #[schemars(length(max = 256), extend(
        "x-default" = "as `[auth]` says",
        "x-example" = ["alice"],
        "x-reload" = RIGHTS
    ))]
    pub(crate) view: Option<Vec<TextValue<UserName>>>,

    /// Serve WebKit's `fetch()` as `multipart/mixed`, because it cannot read
    /// `multipart/x-mixed-replace`.
    #[schemars(extend("x-reload" = NEW, "x-api" = true))]
    pub(crate) webkit_fetch_mixed: bool,

    /// In a cluster: only nodes with these labels read the camera, such as `{ site = "a" }`.
    /// `{ node = "relay-1" }` names one node. A camera that one machine alone can read (`v4l2:`,
    /// `exec:`, `file:`, `unix:`, `tcp-listen:`, `http-listen:`, `push:`) needs this if other nodes
    /// are to show it, too.
    #[schemars(extend("x-type" = "table of texts", "x-reload" = KEEP, "x-api" = true))]
    pub(crate) requires: BTreeMap<String, String>,
}

/// The libraries' own defaults, except where the program has others: it tries cameras again, and
/// draws a placeholder.
impl Default for StreamKeys {
    fn default() -> Self {
        let http = StreamConfig::default();
        let manager = ManagerConfig::default();
        let ingest = manager.ingest();
        let spec = default_spec();
        let few = |most| u32::try_from(most).unwrap_or(u32::MAX);
        Self {
            fallback: Vec::new(),
            start: StartChoice::Retry,
            connect_timeout: Time(ingest.connect_timeout()),
            answer_timeout: Time(ingest.answer_timeout()),
            stall_limit: Time(ingest.stall_limit()),
            poll_interval: Time(std::time::Duration::from_millis(500)),
            login_retry: Time(ingest.login_retry()),
            on_demand: false,
            linger: Time::from_secs(10),
            repair: vec![Repair::HuffmanTables, Repair::EmbeddedMarkers, Repair::Eoi],
            rotate: Rotation::default(),
            mirror: false,
            check_frames: spec.check(),
            pass_unsupported: spec.pass_unsupported(),
            frozen_after: Time(spec.frozen_after()),
            detect_dark: Limit(spec.detect().dark()),
            detect_covered: Limit(spec.detect().covered()),
            detect_still: Limit(spec.detect().still().map(Time)),
            detect_motion: Limit(spec.detect().motion()),
            detect_mask: Vec::new(),
            detect_hold: Time(spec.detect().hold()),
            placeholder: TextValue(PlaceholderChoice::Drawn),
            placeholder_after: Time(spec.placeholder_after()),
            snapshot_wait: Time(http.snapshot_wait()),
            snapshot_connect_wait: Time(http.snapshot_connect_wait()),
            snapshot_fresh: http.snapshot_fresh(),
            snapshot_max_age: Limit(http.snapshot_max_age().map(Time)),
            max_snapshots: few(http.max_snapshots()),
            max_viewers: few(http.max_viewers()),
            max_viewers_per_address: Limit(http.max_viewers_per_address().map(few)),
            max_duration: Limit(http.max_duration().map(Time)),
            max_fps: Limit(http.max_fps()),
            max_kbps: Limit(http.max_kbps()),
            keepalive: Time(http.keepalive()),
            write_stall: Time(http.write_stall()),
            max_inflight: Size(http.max_inflight_bytes() as u64),
            replay: ReplayChoice::default(),
            max_replay_memory: Size(RingConfig::default().max_bytes() as u64),
            max_replays: few(http.max_replays()),
            clip_on: Vec::new(),
            clip_before: Time::from_secs(10),
            clip_after: Time::from_secs(20),
            max_clip_duration: Time::from_secs(120),
            view: None,
            webkit_fetch_mixed: http.webkit_fetch_mixed(),
            requires: BTreeMap::new(),
        }
    }
}

fn default_spec() -> StreamSpec {
    let name = "a".parse().expect("a letter is a name");
    StreamSpec::fed(name)
}
