//! Keys of the whole process.

use std::path::PathBuf;

use mjpeg_control::ControlConfig;
use mjpeg_manager::{HttpOutlet, ManagerConfig, mjpeg_http::ListenerConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KEEP, NEW, RESTART};
use crate::config::value::{choice::LogFormat, log_filter::LogFilter, size::Size, text::TextValue};

/// The keys at the top of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ProcessKeys {
    /// Threads that serve viewers. One is cheapest; add more when one core cannot serve them all.
    #[schemars(extend("x-least" = 1, "x-most" = 256, "x-reload" = RESTART))]
    pub(crate) worker_threads: u16,

    /// The most viewers that all streams may have together. One more is answered `503`.
    #[schemars(extend("x-least" = 0, "x-reload" = NEW))]
    pub(crate) max_viewers_total: u32,

    /// How much memory the past pictures of all streams may take together. Above that, the stream
    /// that takes the most gives up its oldest.
    #[schemars(extend("x-least" = 0, "x-reload" = KEEP))]
    pub(crate) max_replay_memory_total: Size,

    /// The most replays and clips of all streams that may be on their way at once. One more is
    /// answered `503`.
    #[schemars(extend("x-least" = 0, "x-reload" = NEW))]
    pub(crate) max_replays_total: u32,

    /// The most wall sockets that may be open: pages that show streams, and programs that do as
    /// they do. One more is refused, and the page shows streams in their place.
    #[schemars(extend("x-least" = 0, "x-reload" = NEW))]
    pub(crate) max_walls: u32,

    /// The most wall sockets of one address (IPv6: of one /64). It does not apply to addresses that
    /// many people may share: loopback, Unix sockets, and proxies that do not name their clients.
    #[schemars(extend("x-least" = 0, "x-reload" = NEW))]
    pub(crate) max_walls_per_address: u32,

    /// How many bytes may wait unsent in the kernel for each viewer (`TCP_NOTSENT_LOWAT`, Linux).
    /// `0` leaves it to the kernel, which makes viewers on slow links see older pictures.
    #[schemars(extend("x-least" = 0, "x-most" = "1GiB", "x-reload" = NEW))]
    pub(crate) notsent_lowat: Size,

    /// Read the configuration again when it has changed: this file, those that it includes, the
    /// files of `${file:PATH}` and `${credential:NAME}`, and pictures of placeholders. On Linux at
    /// once, elsewhere within 2 s.
    #[schemars(extend("x-reload" = KEEP))]
    pub(crate) watch: bool,

    /// How much the clips that are kept may take on the disk.
    #[schemars(extend("x-least" = 0, "x-reload" = RESTART))]
    pub(crate) max_clip_storage: Size,

    /// How much time-lapses may take on the disk.
    #[schemars(extend("x-least" = 0, "x-reload" = RESTART))]
    pub(crate) max_timelapse_storage: Size,

    /// The folder where the relay keeps what must survive a restart: clips and time-lapses, the key
    /// of signed links, and which links were revoked. It is created when it is first needed.
    #[schemars(extend(
        "x-default" = "`$STATE_DIRECTORY`, else `/var/lib/mjpeg-server` if that exists, else \
                       `$XDG_STATE_HOME/mjpeg-server`, else `~/.local/state/mjpeg-server`",
        "x-example" = "/var/lib/mjpeg-server",
        "x-reload" = RESTART
    ))]
    pub(crate) state_dir: Option<PathBuf>,

    /// What is logged, to standard error: `off`, `error`, `warn`, `info`, `debug` or `trace`, and
    /// other levels for single modules after a comma: `info,mjpeg_http=debug`. The lines about a
    /// reload itself still follow the old value. [logs.md](logs.md) lists what is logged.
    #[schemars(extend("x-type" = "levels", "x-reload" = KEEP))]
    pub(crate) log: TextValue<LogFilter>,

    /// How lines of the log are written: for people, or each as a JSON object.
    #[schemars(extend("x-reload" = RESTART))]
    pub(crate) log_format: LogFormat,
}

impl Default for ProcessKeys {
    fn default() -> Self {
        let lowat = ListenerConfig::default().notsent_lowat_bytes();
        let control = ControlConfig::default();
        let most = |walls| u32::try_from(walls).unwrap_or(u32::MAX);
        Self {
            worker_threads: 1,
            max_viewers_total: u32::try_from(HttpOutlet::default().max_viewers())
                .unwrap_or(u32::MAX),
            max_replay_memory_total: Size(ManagerConfig::default().max_replay_bytes() as u64),
            max_replays_total: most(HttpOutlet::default().max_replays()),
            max_walls: most(control.max_walls()),
            max_walls_per_address: most(control.max_walls_per_address()),
            notsent_lowat: Size(lowat.unwrap_or(0).into()),
            max_clip_storage: Size(1 << 30),
            max_timelapse_storage: Size(10 << 30),
            watch: false,
            state_dir: None,
            log: TextValue(LogFilter::default()),
            log_format: LogFormat::default(),
        }
    }
}
