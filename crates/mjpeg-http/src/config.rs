//! Limits and times of the HTTP side.

use std::{sync::Arc, time::Duration};

use ipnet::IpNet;

use crate::ViewerLimit;

/// Limits and times of a [`StreamService`](crate::StreamService) and its [`Listener`](crate::Listener).
#[derive(Clone, Debug)]
pub struct HttpConfig {
    pub(crate) max_viewers: usize,
    pub(crate) max_viewers_per_address: Option<usize>,
    pub(crate) trusted_proxies: Arc<[IpNet]>,
    pub(crate) viewer_limit: Option<ViewerLimit>,
    pub(crate) keepalive: Duration,
    pub(crate) header_timeout: Duration,
    pub(crate) max_header_bytes: usize,
    pub(crate) write_stall: Duration,
    pub(crate) max_frame_send_time: Duration,
    pub(crate) max_inflight_bytes: usize,
    pub(crate) notsent_lowat_bytes: Option<u32>,
    pub(crate) send_buffer_bytes: Option<usize>,
    pub(crate) snapshot_wait: Duration,
    pub(crate) max_fps: Option<f64>,
    pub(crate) max_kbps: Option<f64>,
    pub(crate) max_duration: Option<Duration>,
    pub(crate) webkit_fetch_mixed: bool,
    pub(crate) grace: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            max_viewers: 10_000,
            max_viewers_per_address: None,
            trusted_proxies: Arc::default(),
            viewer_limit: None,
            keepalive: Duration::from_secs(5),
            header_timeout: Duration::from_secs(10),
            max_header_bytes: 2 * SMALLEST_HEADER_LIMIT_BYTES,
            write_stall: Duration::from_secs(30),
            max_frame_send_time: Duration::from_secs(30),
            max_inflight_bytes: 64 << 20,
            notsent_lowat_bytes: Some(16 << 10),
            send_buffer_bytes: None,
            snapshot_wait: Duration::from_millis(800),
            max_fps: None,
            max_kbps: None,
            max_duration: None,
            webkit_fetch_mixed: false,
            grace: Duration::from_secs(5),
        }
    }
}

impl HttpConfig {
    /// Sets how many viewers the stream may have. Default 10,000; 0 refuses all.
    ///
    /// The default protects the machine and rations nobody: so many take some 30 MiB of this process, a file descriptor each, and the kernel's memory for what is on its way to
    /// them. One more is answered `503` with `Retry-After`, unless it comes from an address that has a viewer already, as after a reload: then
    /// that one's place is given to it. See [the crate's docs](crate#when-it-is-full).
    ///
    /// Counted in [`Stats::viewers_refused_stream`](crate::Stats::viewers_refused_stream) and [`Stats::viewers_replaced`](crate::Stats::viewers_replaced).
    pub fn with_max_viewers(mut self, most: usize) -> Self {
        self.max_viewers = most;
        self
    }

    /// Sets how many viewers of the stream may come from one address. Default: no limit.
    ///
    /// An IPv6 network of 64 bits counts as one address, as a home has one of IPv4. Loopback and [trusted proxies](Self::trusted_proxies) are never counted: one
    /// of them is many people. Nor are viewers whose address is not known, because somebody else's server took their connection.
    ///
    /// Counted in [`Stats::viewers_refused_address`](crate::Stats::viewers_refused_address) and [`Stats::viewers_replaced`](crate::Stats::viewers_replaced).
    pub fn with_max_viewers_per_address(mut self, most: impl Into<Option<usize>>) -> Self {
        self.max_viewers_per_address = most.into();
        self
    }

    /// Sets the addresses and networks behind which there are many people, such as that of a reverse proxy. Default: none; loopback always is one.
    pub fn with_trusted_proxies(
        mut self,
        proxies: impl IntoIterator<Item = impl Into<IpNet>>,
    ) -> Self {
        self.trusted_proxies = proxies.into_iter().map(Into::into).collect();
        self
    }

    /// Sets a limit that several streams share, beside that of each. Default: none.
    ///
    /// Counted in [`Stats::viewers_refused_total`](crate::Stats::viewers_refused_total) of each stream, and over all in [`ViewerLimit::refused`].
    pub fn with_viewer_limit(mut self, limit: impl Into<Option<ViewerLimit>>) -> Self {
        self.viewer_limit = limit.into();
        self
    }

    /// Sets how long a viewer waits for a frame before the last one is sent again. Default 5 s.
    ///
    /// A value below 100 ms is taken as 100 ms.
    ///
    /// Known readers give up after 10 s of silence (Mainsail, Home Assistant), so stay below that.
    pub fn with_keepalive(mut self, interval: Duration) -> Self {
        self.keepalive = interval.clamp(SHORTEST_KEEPALIVE, LONGEST);
        self
    }

    /// Sets how long a connection may take to send a whole request head, idle time before it included. Default 10 s.
    ///
    /// Counted in [`Stats::header_timeouts`](crate::Stats::header_timeouts).
    pub fn with_header_timeout(mut self, limit: Duration) -> Self {
        self.header_timeout = limit.min(LONGEST);
        self
    }

    /// Sets how large a request head may be, in bytes; a larger one is answered `431`. Default 16 KiB; a value below 8 KiB is
    /// taken as 8 KiB.
    ///
    /// Counted in [`Stats::bad_requests`](crate::Stats::bad_requests).
    pub fn with_max_header_bytes(mut self, limit: usize) -> Self {
        self.max_header_bytes = limit.max(SMALLEST_HEADER_LIMIT_BYTES);
        self
    }

    /// Sets how long a viewer may take no byte, while there are bytes for it, before its connection is closed. Default 30 s.
    ///
    /// Counted in [`Stats::write_stalls`](crate::Stats::write_stalls).
    pub fn with_write_stall(mut self, limit: Duration) -> Self {
        self.write_stall = limit.min(LONGEST);
        self
    }

    /// Sets how long one frame may take to be given to the kernel for one viewer, before its connection is closed. Default 30 s.
    ///
    /// Slower links than one frame in this time are of no use for live pictures, and each such viewer holds a frame in memory meanwhile. Holds for
    /// streams of a [`Listener`](crate::Listener).
    ///
    /// Counted in [`Stats::send_timeouts`](crate::Stats::send_timeouts).
    pub fn with_max_frame_send_time(mut self, limit: Duration) -> Self {
        self.max_frame_send_time = limit.min(LONGEST);
        self
    }

    /// Sets how much memory the frames may take that slow viewers still hold, beside the newest one, in bytes. Default 64 MiB.
    ///
    /// Over it, the viewers that hold the oldest frame are cut, however many share it. A frame counts with its rendered part; on Linux, large ones
    /// take twice that while they are being sent. Holds for
    /// streams of a [`Listener`](crate::Listener).
    ///
    /// Counted in [`Stats::in_flight_cuts`](crate::Stats::in_flight_cuts).
    pub fn with_max_inflight_bytes(mut self, limit: usize) -> Self {
        self.max_inflight_bytes = limit;
        self
    }

    /// Sets how many bytes may wait unsent in the kernel before a viewer's socket takes no more (`TCP_NOTSENT_LOWAT`), or leaves it to the kernel. Default 16 KiB. Linux only; elsewhere
    /// it does nothing.
    ///
    /// With the kernel's own choice, a viewer on a slow link sees pictures that are as old as its send buffer is long: seconds.
    pub fn with_notsent_lowat_bytes(mut self, bytes: impl Into<Option<u32>>) -> Self {
        self.notsent_lowat_bytes = bytes.into();
        self
    }

    /// Sets the size of the kernel's send buffer for each viewer (`SO_SNDBUF`), or leaves it to the kernel, which adapts it to the link. Default: left to the
    /// kernel.
    ///
    /// Where `TCP_NOTSENT_LOWAT` does not exist, 128 KiB bound the lag as well, at the price of throughput on long fat links.
    pub fn with_send_buffer_bytes(mut self, bytes: impl Into<Option<usize>>) -> Self {
        self.send_buffer_bytes = bytes.into();
        self
    }

    /// Sets how long a snapshot waits for the picture asked for, unless the request says otherwise with `?wait=`. Default 800 ms: Moonraker gives up after 1 s.
    pub fn with_snapshot_wait(mut self, limit: Duration) -> Self {
        self.snapshot_wait = limit.min(LONGEST);
        self
    }

    /// Sets the most frames per second that any viewer is sent; with `?fps=` it may ask for fewer. Default: as they come. Not above 0 means the same.
    pub fn with_max_fps(mut self, most: impl Into<Option<f64>>) -> Self {
        self.max_fps = most.into().filter(|&fps| fps > 0.0);
        self
    }

    /// Sets the most kilobits (thousands of bits) per second that any viewer is sent, in whole frames; with `?kbps=` it may ask for less. Default: no limit. Not above 0
    /// means the same.
    pub fn with_max_kbps(mut self, most: impl Into<Option<f64>>) -> Self {
        self.max_kbps = most.into().filter(|&kbps| kbps > 0.0);
        self
    }

    /// Sets how long any response may last; with `?max_duration=` it may be asked to end sooner. Default: for ever.
    ///
    /// Browsers do not ask again by themselves, and WebKit blanks the picture.
    ///
    /// Counted in [`Stats::duration_ends`](crate::Stats::duration_ends).
    pub fn with_max_duration(mut self, most: impl Into<Option<Duration>>) -> Self {
        self.max_duration = most.into();
        self
    }

    /// Sets whether WebKit's `fetch` gets its stream as `multipart/mixed`: it cannot read `multipart/x-mixed-replace` (measured in WebKitGTK 2.50). Default: off, for Safari itself was
    /// not measured.
    pub fn with_webkit_fetch_mixed(mut self, on: bool) -> Self {
        self.webkit_fetch_mixed = on;
        self
    }

    /// Sets how long [`Listener::serve`](crate::Listener::serve) waits for responses to end before it cuts them. Default 5 s.
    pub fn with_grace(mut self, limit: Duration) -> Self {
        self.grace = limit.min(LONGEST);
        self
    }
}

/// hyper's own minimum for a connection's buffer.
const SMALLEST_HEADER_LIMIT_BYTES: usize = 8 << 10;

/// Repeats are for silence; faster than this they would be a load of their own.
const SHORTEST_KEEPALIVE: Duration = Duration::from_millis(100);

/// As good as no limit, and far from where adding it to a time would overflow.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
