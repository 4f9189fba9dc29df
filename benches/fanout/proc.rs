//! What `/proc` tells of a process.

use std::fs;

use anyhow::{Context as _, Result};
use serde::Serialize;

/// A process to be watched.
#[derive(Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

/// Time on a processor, over all threads.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Cpu {
    /// To the nanosecond, as the scheduler counts it.
    pub(crate) run_ns: u64,
    /// How long its threads were ready to run while others had the processor.
    pub(crate) wait_ns: u64,
    /// In clock ticks, which are coarse: good for the proportion to `kernel_ticks` alone.
    pub(crate) user_ticks: u64,
    pub(crate) kernel_ticks: u64,
}

impl Cpu {
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            run_ns: self.run_ns.saturating_sub(earlier.run_ns),
            wait_ns: self.wait_ns.saturating_sub(earlier.wait_ns),
            user_ticks: self.user_ticks.saturating_sub(earlier.user_ticks),
            kernel_ticks: self.kernel_ticks.saturating_sub(earlier.kernel_ticks),
        }
    }
}

impl Process {
    pub(crate) fn this() -> Self {
        Self(std::process::id())
    }

    pub(crate) fn cpu(self) -> Result<Cpu> {
        let (mut run_ns, mut wait_ns) = (0, 0);
        let tasks = format!("/proc/{}/task", self.0);
        for task in fs::read_dir(&tasks).with_context(|| format!("reading {tasks}"))? {
            // A thread may end between the two reads; what it ran for is not worth the run.
            if let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) {
                let (run, wait) = two_numbers(&text).context("schedstat is not understood")?;
                run_ns += run;
                wait_ns += wait;
            }
        }
        let (user_ticks, kernel_ticks) =
            ticks(&self.read("stat")?).context("/proc/PID/stat is not understood")?;
        Ok(Cpu {
            run_ns,
            wait_ns,
            user_ticks,
            kernel_ticks,
        })
    }

    /// Resident memory.
    pub(crate) fn rss_kib(self) -> Result<u64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        line.and_then(|text| text.split_whitespace().next()?.parse().ok())
            .context("/proc/PID/status holds no VmRSS; has the process ended?")
    }

    fn read(self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.0);
        fs::read_to_string(&path).with_context(|| format!("reading {path}"))
    }
}

fn two_numbers(text: &str) -> Option<(u64, u64)> {
    let mut fields = text.split_whitespace();
    let mut next = || fields.next()?.parse().ok();
    Some((next()?, next()?))
}

/// Fields 14 and 15, counted from behind the name, which may hold blanks and parentheses.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let behind_name = stat.rsplit_once(')')?.1;
    two_numbers(behind_name.splitn(13, ' ').nth(12)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_whatever_the_name() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 1 2 3 4 1234 567 0 0 20 0 3 0 9";
        assert_eq!(ticks(stat), Some((1234, 567)));
        assert_eq!(ticks("42 (a) S 1"), None);
    }

    #[test]
    fn own_use_grows() {
        let this = Process::this();
        let before = this.cpu().unwrap();
        let mut n = 0_u64;
        while this.cpu().unwrap().since(before).run_ns == 0 {
            n += 1;
            assert!(n < 1_000_000, "no time passes for this process");
        }
        assert!(this.rss_kib().unwrap() > 0);
        assert!(Process(u32::MAX).cpu().is_err());
    }
}
