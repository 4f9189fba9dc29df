//! Counters of the walls.

use std::sync::atomic::{AtomicU64, Ordering};

/// Declares counters and how to read them.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// A reading of the counters of the wall sockets, from
        /// [`ControlApi::wall_stats`](crate::ControlApi::wall_stats). All but `sockets` and `tiles`
        /// only grow.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct WallStats {
            $($(#[$doc])* pub $name: u64,)+
        }

        #[derive(Debug, Default)]
        pub(crate) struct WallCounters {
            $(pub(crate) $name: WallCounter,)+
        }

        impl WallCounters {
            pub(crate) fn read(&self) -> WallStats {
                WallStats {
                    $($name: self.$name.0.load(Ordering::Relaxed),)+
                }
            }
        }
    };
}

counters! {
    /// Sockets that are open now.
    sockets,
    /// Tiles that show a stream now: each is a viewer.
    tiles,
    /// Sockets opened.
    opened,
    /// Sockets refused because there were
    /// [as many as allowed](crate::ControlConfig::with_max_walls).
    refused,
    /// Sockets refused because their address had
    /// [as many as allowed](crate::ControlConfig::with_max_walls_per_address).
    refused_address,
    /// Frames sent, repeats included.
    frames,
    /// Bytes of their pictures.
    sent_bytes,
    /// Sockets closed because a message was not understood.
    invalid,
    /// Sockets closed because the client sent
    /// [too many messages](crate::ControlConfig::with_wall_messages_per_second).
    floods,
    /// Sockets closed because the client neither acknowledged nor answered for the gateway's
    /// [write stall limit](mjpeg_manager::mjpeg_http::ListenerConfig::with_write_stall).
    stalls,
    /// Sockets closed because a frame took longer than its stream's
    /// [limit](mjpeg_manager::mjpeg_http::StreamConfig::with_max_frame_send_time), or its viewer
    /// had to end in the middle of it.
    send_timeouts,
}

/// Relaxed, because counters are read independently of each other.
#[derive(Debug, Default)]
pub(crate) struct WallCounter(AtomicU64);

impl WallCounter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn add_one(&self) {
        self.add(1);
    }

    pub(crate) fn take_one(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
