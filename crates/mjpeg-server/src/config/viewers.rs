//! Settings of viewers, and of the ports that serve them.

use std::time::Duration;

use mjpeg_manager::mjpeg_http::{InvalidConfig, ListenerConfig, StreamConfig};

use crate::cli::viewer_args::ViewerArgs;

/// Makes the settings of each stream's viewers.
///
/// # Errors
///
/// When a rate is out of bounds.
pub(super) fn stream_config(args: &ViewerArgs) -> Result<StreamConfig, InvalidConfig> {
    // A number of seconds too large for a duration means no limit.
    let seconds = |seconds| Duration::try_from_secs_f64(seconds).ok();
    StreamConfig::default()
        .with_max_viewers(args.max_viewers)
        .with_max_viewers_per_address(args.max_viewers_per_address)
        .with_max_duration(args.max_duration.and_then(seconds))
        .with_snapshot_fresh(args.snapshot_fresh)
        .with_snapshot_max_age(args.snapshot_max_age)
        .with_snapshot_wait(args.snapshot_wait)
        .with_snapshot_connect_wait(args.snapshot_connect_wait)
        .with_webkit_fetch_mixed(args.webkit_fetch_mixed)
        .with_max_fps(args.max_fps)?
        .with_max_kbps(args.max_kbps)
}

/// Makes the settings of each port.
///
/// # Errors
///
/// When the base path is none.
pub(super) fn listener_config(args: &ViewerArgs) -> Result<ListenerConfig, InvalidConfig> {
    ListenerConfig::default()
        .with_trusted_proxies(args.trusted_proxy.iter().copied())
        .with_notsent_lowat_bytes((args.notsent_lowat > 0).then_some(args.notsent_lowat))
        .with_base_path(&args.base_path)
}
