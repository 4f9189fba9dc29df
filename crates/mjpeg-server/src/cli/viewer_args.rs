//! The arguments about viewers.

use clap::{Args, builder::BoolishValueParser};
use serde::Serialize;

use crate::config::value::{
    limit::Limit, network::NetworkValue, replay::ReplayChoice, size::Size, text::TextValue,
    time::Time,
};

/// How many viewers are admitted, and limits for each of them. A viewer can lower its own limits in
/// the URL (`?fps=`, `?kbps=`, `?max_duration=`).
///
/// Defaults of all streams, whose own keys in a file beat them. The fields are called like the keys
/// that they set.
#[derive(Args, Debug, Serialize)]
#[command(next_help_heading = "Viewers")]
pub(crate) struct ViewerArgs {
    /// The most viewers that a stream may have; one more is answered 503, unless it is a reload
    /// [default: 10000]
    ///
    /// If the stream is full, a new viewer replaces one from its own address: a dead one, else the
    /// slowest, else the oldest. For loopback and trusted proxies, only a dead one is replaced.
    #[arg(long, env = "MJPEG_MAX_VIEWERS", value_name = "N")]
    pub(crate) max_viewers: Option<u32>,

    /// The most viewers of a stream that may come from one address (IPv6: from one /64); loopback
    /// and trusted proxies do not count [default: no limit]
    #[arg(long, env = "MJPEG_MAX_VIEWERS_PER_ADDRESS", value_name = "N")]
    pub(crate) max_viewers_per_address: Option<Limit<u32>>,

    /// Keep the last pictures of each stream in memory for this long, such as 60s, for snapshots of
    /// the past, replays and clips [default: none]
    #[arg(long, env = "MJPEG_REPLAY", value_name = "TIME")]
    pub(crate) replay: Option<ReplayChoice>,

    /// The most frames per second that any viewer gets [default: as they come]
    #[arg(long, env = "MJPEG_MAX_FPS", value_name = "FPS")]
    pub(crate) max_fps: Option<Limit<f64>>,

    /// The most kilobits per second that any viewer gets, in whole frames [default: no limit]
    #[arg(long, env = "MJPEG_MAX_KBPS", value_name = "KBPS")]
    pub(crate) max_kbps: Option<Limit<f64>>,

    /// How many seconds any stream response may last; browsers do not reconnect by themselves
    /// [default: for ever]
    #[arg(long, env = "MJPEG_MAX_DURATION", value_name = "SECONDS")]
    pub(crate) max_duration: Option<Limit<Time>>,

    /// Answer snapshots with the next picture, as if each request had ?fresh=1; for programs that
    /// ask again as soon as they have an answer
    #[arg(
        long,
        env = "MJPEG_SNAPSHOT_FRESH",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "BOOL",
        hide_possible_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub(crate) snapshot_fresh: Option<bool>,

    /// How many seconds old the picture of a snapshot may be, as if each request had ?max_age=;
    /// without one that young, as when the camera is dead, the answer is 503 [default: any age]
    #[arg(long, env = "MJPEG_SNAPSHOT_MAX_AGE", value_name = "SECONDS")]
    pub(crate) snapshot_max_age: Option<Limit<Time>>,

    /// How many seconds a snapshot waits for a picture that satisfies the request [default: 0.8]
    #[arg(long, env = "MJPEG_SNAPSHOT_WAIT", value_name = "SECONDS")]
    pub(crate) snapshot_wait: Option<Time>,

    /// How many seconds a snapshot waits while an on-demand camera is being connected [default: 5]
    #[arg(long, env = "MJPEG_SNAPSHOT_CONNECT_WAIT", value_name = "SECONDS")]
    pub(crate) snapshot_connect_wait: Option<Time>,

    /// Serve WebKit's fetch() as multipart/mixed, because it cannot read multipart/x-mixed-replace
    #[arg(
        long,
        env = "MJPEG_WEBKIT_FETCH_MIXED",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "BOOL",
        hide_possible_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub(crate) webkit_fetch_mixed: Option<bool>,
}

/// Defaults of all ports, whose own keys in a file beat them.
#[derive(Args, Debug, Serialize)]
#[command(next_help_heading = "Ports")]
pub(crate) struct PortArgs {
    /// The address or network of a reverse proxy, such as 10.0.0.5 or 10.0.0.0/24. Limits per
    /// address do not apply to it, because many people share it. Repeat for more
    #[arg(
        id = "trusted_proxies",
        long = "trusted-proxy",
        env = "MJPEG_TRUSTED_PROXY",
        value_name = "ADDR[/BITS]",
        value_delimiter = ','
    )]
    pub(crate) trusted_proxies: Option<Vec<TextValue<NetworkValue>>>,

    /// The path below which a reverse proxy offers the streams, such as /webcam, if the proxy
    /// leaves it in the requests
    #[arg(long, env = "MJPEG_BASE_PATH", value_name = "PATH")]
    pub(crate) base_path: Option<String>,
}

/// Keys of the whole process.
#[derive(Args, Debug, Serialize)]
#[command(next_help_heading = "Process")]
pub(crate) struct ProcessArgs {
    /// The most viewers that all streams may have together [default: 20000]
    #[arg(long, env = "MJPEG_MAX_VIEWERS_TOTAL", value_name = "N")]
    pub(crate) max_viewers_total: Option<u32>,

    /// Threads that serve viewers. One is cheapest; add more when one core cannot serve them all
    /// [default: 1]
    #[arg(long, env = "MJPEG_WORKER_THREADS", value_name = "N")]
    pub(crate) worker_threads: Option<u16>,

    /// How many bytes may wait unsent in the kernel for each viewer (TCP_NOTSENT_LOWAT, Linux); 0
    /// leaves it to the kernel; viewers on slow links then see older pictures [default: 16384]
    #[arg(long, env = "MJPEG_NOTSENT_LOWAT", value_name = "BYTES")]
    pub(crate) notsent_lowat: Option<Size>,

    /// Read the configuration file again when it, or a file that it names, has changed
    #[arg(
        long,
        env = "MJPEG_WATCH",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "BOOL",
        hide_possible_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub(crate) watch: Option<bool>,
}
