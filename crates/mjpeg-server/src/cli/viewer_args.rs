//! The arguments about viewers.

use std::{net::IpAddr, time::Duration};

use clap::Args;
use mjpeg_manager::mjpeg_http::ipnet::IpNet;

/// How many viewers are admitted, and limits for each of them. A viewer can lower its own limits in
/// the URL (`?fps=`, `?kbps=`, `?max_duration=`).
#[derive(Args, Debug)]
#[command(next_help_heading = "Viewers")]
pub(crate) struct ViewerArgs {
    /// The most viewers that a stream may have; one more is answered 503, unless it is a reload
    ///
    /// If the stream is full, a new viewer replaces one from its own address: a dead one, else the
    /// slowest, else the oldest. For loopback and trusted proxies, only a dead one is replaced.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) max_viewers: usize,

    /// The most viewers that all streams may have together
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub(crate) max_viewers_total: usize,

    /// The most viewers of a stream that may come from one address (IPv6: from one /64); loopback
    /// and trusted proxies do not count [default: no limit]
    #[arg(long, value_name = "N")]
    pub(crate) max_viewers_per_address: Option<usize>,

    /// The address or network of a reverse proxy, such as 10.0.0.5 or 10.0.0.0/24. Limits per
    /// address do not apply to it, because many people share it. Repeat for more
    #[arg(long, value_name = "ADDR[/BITS]", value_parser = network)]
    pub(crate) trusted_proxy: Vec<IpNet>,

    /// The most frames per second that any viewer gets [default: as they come]
    #[arg(long, value_name = "FPS", value_parser = positive)]
    pub(crate) max_fps: Option<f64>,

    /// The most kilobits per second that any viewer gets, in whole frames [default: no limit]
    #[arg(long, value_name = "KBPS", value_parser = positive)]
    pub(crate) max_kbps: Option<f64>,

    /// How many seconds any stream response may last; browsers do not reconnect by themselves
    /// [default: for ever]
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    pub(crate) max_duration: Option<f64>,

    /// Answer snapshots with the next picture, as if each request had ?fresh=1; for programs that
    /// ask again as soon as they have an answer
    #[arg(long)]
    pub(crate) snapshot_fresh: bool,

    /// How many seconds old the picture of a snapshot may be, as if each request had ?max_age=;
    /// without one that young, as when the camera is dead, the answer is 503 [default: any age]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) snapshot_max_age: Option<Duration>,

    /// How many seconds a snapshot waits for a picture that satisfies the request
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "0.8")]
    pub(crate) snapshot_wait: Duration,

    /// How many seconds a snapshot waits while an on-demand camera is being connected
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    pub(crate) snapshot_connect_wait: Duration,

    /// The path below which a reverse proxy offers the streams, such as /webcam, if the proxy
    /// leaves it in the requests
    #[arg(
        long,
        value_name = "PATH",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) base_path: String,

    /// Serve WebKit's fetch() as multipart/mixed, because it cannot read multipart/x-mixed-replace
    #[arg(long)]
    pub(crate) webkit_fetch_mixed: bool,

    /// How many bytes may wait unsent in the kernel for each viewer (TCP_NOTSENT_LOWAT, Linux); 0
    /// leaves it to the kernel; viewers on slow links then see older pictures
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 10)]
    pub(crate) notsent_lowat: u32,
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address
        .or_else(|_| text.parse())
        .map_err(|_| "expected an address (10.0.0.5, fd00::5) or a network (10.0.0.0/24)".into())
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("expected a number above 0".into()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok();
    number
        .and_then(|number| Duration::try_from_secs_f64(number).ok())
        .ok_or_else(|| "expected a number of seconds, 0 or more".into())
}
