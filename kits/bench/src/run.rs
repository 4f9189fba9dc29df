//! The viewers' report of one run, and the figures that follow from it.

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::cases::Case;

/// The viewers' report of a run.
#[derive(Debug, Deserialize)]
pub(crate) struct Run {
    pub(crate) viewers: u64,
    pub(crate) lost: u64,
    pub(crate) first_fault: Option<String>,
    pub(crate) window_ns: u64,
    pub(crate) load_cpu: f64,
    pub(crate) load_waited: f64,
    pub(crate) offered: u64,
    pub(crate) delivered: u64,
    pub(crate) expected: u64,
    pub(crate) missed: u64,
    pub(crate) checked: u64,
    pub(crate) bad: u64,
    pub(crate) out_of_order: u64,
    pub(crate) total: u64,
    pub(crate) part_bytes: u64,
    pub(crate) age_ms: Ages,
    pub(crate) server: Watched,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Ages {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Watched {
    pub(crate) cpu: Cpu,
    pub(crate) rss_before_kib: u64,
    pub(crate) rss_kib: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Cpu {
    pub(crate) run_ns: u64,
    pub(crate) wait_ns: u64,
    pub(crate) user_ticks: u64,
    pub(crate) kernel_ticks: u64,
}

impl Run {
    /// Reads the viewers' report. Frames that differ from what the camera sent are an error.
    pub(crate) fn read(report: &str) -> Result<Self> {
        let run: Self = serde_json::from_str(report)
            .with_context(|| format!("the viewers' report is not understood: {report}"))?;
        ensure!(
            run.bad == 0 && run.out_of_order == 0,
            "{} of {} frames were not as the camera sent them ({} of them compared whole), \
             {} out of order",
            run.bad,
            run.total,
            run.checked,
            run.out_of_order
        );
        Ok(run)
    }

    /// CPU time of the server per delivered frame.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.server.cpu.run_ns as f64 / 1000.0 / self.delivered.max(1) as f64
    }

    /// The server's share of a core, in percent.
    pub(crate) fn core_percent(&self) -> f64 {
        100.0 * self.server.cpu.run_ns as f64 / self.window_ns as f64
    }

    /// How long the server waited for a core, in percent of the window.
    pub(crate) fn waited_percent(&self) -> f64 {
        100.0 * self.server.cpu.wait_ns as f64 / self.window_ns as f64
    }

    pub(crate) fn kernel_percent(&self) -> f64 {
        let Cpu {
            user_ticks,
            kernel_ticks,
            ..
        } = self.server.cpu;
        100.0 * kernel_ticks as f64 / (user_ticks + kernel_ticks).max(1) as f64
    }

    pub(crate) fn delivered_percent(&self) -> f64 {
        100.0 * (self.expected - self.missed) as f64 / self.expected.max(1) as f64
    }

    pub(crate) fn rss_kib_per_viewer(&self) -> f64 {
        let grown = self.server.rss_kib as f64 - self.server.rss_before_kib as f64;
        grown / self.viewers as f64
    }

    /// Why the run says nothing about the server, if so.
    pub(crate) fn void(&self, case: &Case) -> Option<String> {
        let load = 100.0 * self.load_cpu;
        if load > LOAD_AT_MOST_PERCENT {
            return Some(format!("the viewers took {load:.0} % of their core"));
        }
        let due = case.fps as f64 * self.window_ns as f64 / 1e9;
        // At the ends of the window, one frame more or less is normal.
        if (self.offered as f64) < 0.99 * due - 1.0 {
            return Some(format!(
                "the camera sent {} frames of {due:.0}, or the server read no more",
                self.offered
            ));
        }
        None
    }

    /// One line for the terminal.
    pub(crate) fn line(&self) -> String {
        let mut line = format!(
            "{:6.2} us/frame, {:5.1} % of a core (waited {:.0} %), {:6.2} % delivered, age p50 {:.1} p99 {:.1} max {:.1} ms, \
             {:.1} KiB/viewer, viewers' CPU {:.0} % (waited {:.0} %)",
            self.cpu_us(),
            self.core_percent(),
            self.waited_percent(),
            self.delivered_percent(),
            self.age_ms.p50,
            self.age_ms.p99,
            self.age_ms.max,
            self.rss_kib_per_viewer(),
            100.0 * self.load_cpu,
            100.0 * self.load_waited
        );
        if self.lost > 0 {
            let why = self.first_fault.as_deref().unwrap_or("unknown");
            line += &format!(", {} viewers LOST ({why})", self.lost);
        }
        line
    }
}

/// Above this, frames may have waited for the viewers' own work.
const LOAD_AT_MOST_PERCENT: f64 = 95.0;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::cases::CASES;

    /// A report as the viewers print it: ten seconds of 30 frames a second, half a core.
    pub(crate) fn report(change: impl FnOnce(&mut serde_json::Value)) -> Run {
        let mut json = serde_json::json!({
            "viewers": 200, "lost": 0, "first_fault": null, "window_ns": 10_000_000_000_u64,
            "load_cpu": 0.2, "load_waited": 0.01, "offered": 300, "delivered": 60_000,
            "expected": 60_000, "missed": 0, "gaps": 0, "checked": 7500, "bad": 0, "repeated": 0,
            "out_of_order": 0, "total": 70_000, "part_bytes": 20_107,
            "age_ms": { "p50": 2.0, "p99": 4.0, "max": 5.0 },
            "server": {
                "cpu": {
                    "run_ns": 5_000_000_000_u64, "wait_ns": 100_000_000, "user_ticks": 25,
                    "kernel_ticks": 475
                },
                "rss_before_kib": 4000, "rss_kib": 6000
            }
        });
        change(&mut json);
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn figures_follow_from_the_report() {
        let run = report(|json| json["missed"] = 600.into());
        assert_eq!(run.core_percent(), 50.0);
        assert_eq!(run.waited_percent(), 1.0);
        assert_eq!(run.kernel_percent(), 95.0);
        assert_eq!(run.delivered_percent(), 99.0);
        assert_eq!(run.rss_kib_per_viewer(), 10.0);
        // Counts the frames that arrived within the window, not those sent within it.
        let half = report(|json| json["delivered"] = 50_000.into());
        assert_eq!(half.cpu_us(), 100.0);
    }

    #[test]
    fn a_run_that_tells_nothing_of_the_server_is_void() {
        let case = &CASES[0];
        let void = |field: &str, value: serde_json::Value| {
            report(|json| json[field] = value).void(case).is_some()
        };
        assert!(!void("load_cpu", 0.95.into()));
        assert!(void("load_cpu", 0.951.into()));
        assert!(!void("offered", 296.into()));
        assert!(void("offered", 295.into()));
    }

    #[test]
    fn lost_viewers_are_reported() {
        assert!(!report(|_| ()).line().contains("LOST"));
        let lost = report(|json| {
            json["lost"] = 3.into();
            json["first_fault"] = "reset".into();
        });
        assert!(lost.line().ends_with("3 viewers LOST (reset)"));
    }
}
