//! The viewers' report of a run, and the figures computed from it.

use std::ops::Deref;

use anyhow::{Context as _, Result, ensure};
use kit::load_report::Report;
use serde::Deserialize;

/// A run, as its viewers report it.
#[derive(Debug, Deserialize)]
pub(crate) struct Run(Report);

impl Deref for Run {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.0
    }
}

impl Run {
    /// Reads the viewers' report. Frames that differ from the camera's are an error.
    pub(crate) fn read(report: &str) -> Result<Self> {
        let run: Self = serde_json::from_str(report)
            .with_context(|| format!("cannot read the viewers' report: {report}"))?;
        ensure!(
            run.counts.bad == 0 && run.counts.out_of_order == 0,
            "{} of {} frames differ from what the camera sent ({} were compared byte for byte), \
             {} are out of order",
            run.counts.bad,
            run.counts.total,
            run.counts.checked,
            run.counts.out_of_order
        );
        Ok(run)
    }

    /// CPU time of the server per delivered frame.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.server.cpu.run_ns as f64 / 1000.0 / self.counts.delivered.max(1) as f64
    }

    /// The server's share of a core, in percent.
    pub(crate) fn core_percent(&self) -> f64 {
        100.0 * self.server.cpu.run_ns as f64 / self.window_ns as f64
    }

    /// How long the server's threads waited for a core, in percent of the window.
    pub(crate) fn waited_percent(&self) -> f64 {
        100.0 * self.server.cpu.wait_ns as f64 / self.window_ns as f64
    }

    pub(crate) fn kernel_percent(&self) -> f64 {
        let cpu = &self.server.cpu;
        let ticks = cpu.user_ticks + cpu.kernel_ticks;
        100.0 * cpu.kernel_ticks as f64 / ticks.max(1) as f64
    }

    pub(crate) fn delivered_percent(&self) -> f64 {
        100.0 * (self.counts.expected - self.counts.missed) as f64
            / self.counts.expected.max(1) as f64
    }

    pub(crate) fn rss_kib_per_viewer(&self) -> f64 {
        let grown = self.server.rss_kib as f64 - self.server.rss_before_kib as f64;
        grown / self.viewers as f64
    }

    /// Why the run says nothing about the server, if it does not.
    pub(crate) fn void(&self, fps: u64) -> Option<String> {
        let load = 100.0 * self.load_cpu;
        if load > MAX_LOAD_PERCENT {
            return Some(format!("the viewers took {load:.0} % of their core"));
        }
        let due = fps as f64 * self.window_ns as f64 / 1e9;
        // At the ends of the window, one frame more or less is normal.
        if (self.counts.offered as f64) < 0.99 * due - 1.0 {
            return Some(format!(
                "only {} of {due:.0} frames passed from the camera through the server",
                self.counts.offered
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
            self.counts.age_ms.p50,
            self.counts.age_ms.p99,
            self.counts.age_ms.max,
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

/// Above this, frames may have waited for the viewers themselves.
const MAX_LOAD_PERCENT: f64 = 95.0;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A report as the viewers print it: ten seconds at 30 fps, half a core.
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
        // The frames that arrived within the window count, not those sent within it.
        let half = report(|json| json["delivered"] = 50_000.into());
        assert_eq!(half.cpu_us(), 100.0);
    }

    #[test]
    fn a_run_that_says_nothing_about_the_server_is_void() {
        let void = |field: &str, value: serde_json::Value| {
            report(|json| json[field] = value).void(30).is_some()
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
