//! What the viewers of the load benchmark report: `fanout_load` prints it as JSON.

use serde::{Deserialize, Serialize};

/// The report of a run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// The number of viewers.
    pub viewers: u64,
    /// Viewers whose connection ended, or whose bytes were not a valid stream.
    pub lost: u64,
    /// Why the first of them was lost.
    pub first_fault: Option<String>,
    /// The length of the measured window.
    pub window_ns: u64,
    /// The share of a core that the viewers took.
    pub load_cpu: f64,
    /// The share of the window in which they were ready to run while others had the core.
    pub load_waited: f64,
    /// What was counted.
    #[serde(flatten)]
    pub counts: Counts,
    /// The server's process.
    pub server: Server,
}

/// Frames, counted over all viewers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Frames that the camera sent within the window.
    pub offered: u64,
    /// Frames whose last byte arrived within the window.
    pub delivered: u64,
    /// `offered` times the viewers.
    pub expected: u64,
    /// Expected frames that did not arrive, not even after the window.
    pub missed: u64,
    /// How often a viewer's frame was not the next after its last.
    pub gaps: u64,
    /// Since the start: frames that were compared byte for byte.
    pub checked: u64,
    /// Since the start: frames that differed from what the camera sent.
    pub bad: u64,
    /// Since the start: frames that were repeated, as keepalives are.
    pub repeated: u64,
    /// Since the start: frames older than the viewer's last.
    pub out_of_order: u64,
    /// Since the start: frames.
    pub total: u64,
    /// The length of a part on the wire.
    pub part_bytes: u64,
    /// The ages of the expected frames that arrived.
    pub age_ms: Ages,
}

/// The times from a frame's stamp to its last byte.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Ages {
    /// The median.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The maximum.
    pub max: f64,
}

/// The server's process.
#[derive(Debug, Serialize, Deserialize)]
pub struct Server {
    /// CPU time within the window.
    pub cpu: Cpu,
    /// Resident memory before the first viewer.
    pub rss_before_kib: u64,
    /// Resident memory at the end of the window.
    pub rss_kib: u64,
}

/// CPU time, over all threads of a process.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Cpu {
    /// In nanoseconds, as the scheduler counts.
    pub run_ns: u64,
    /// How long the threads were ready to run while others had the core.
    pub wait_ns: u64,
    /// In clock ticks. They are coarse, so only the proportion to `kernel_ticks` means anything.
    pub user_ticks: u64,
    /// The kernel's share, in clock ticks.
    pub kernel_ticks: u64,
}

impl Cpu {
    /// The time since an earlier reading.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            run_ns: self.run_ns.saturating_sub(earlier.run_ns),
            wait_ns: self.wait_ns.saturating_sub(earlier.wait_ns),
            user_ticks: self.user_ticks.saturating_sub(earlier.user_ticks),
            kernel_ticks: self.kernel_ticks.saturating_sub(earlier.kernel_ticks),
        }
    }
}
