//! Figures of a process, from `/proc`.

use std::fs;

use anyhow::{Context as _, Result};
use kit::{load_report::Cpu, proc};

/// A process to watch.
#[derive(Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    pub(crate) fn this() -> Self {
        Self(std::process::id())
    }

    pub(crate) fn cpu(self) -> Result<Cpu> {
        let (mut run_ns, mut wait_ns) = (0, 0);
        let tasks = format!("/proc/{}/task", self.0);
        for task in fs::read_dir(&tasks).with_context(|| format!("reading {tasks}"))? {
            // If a thread ends between the two reads, its time is left out.
            if let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) {
                let (run, wait) = two_numbers(&text).context("cannot parse schedstat")?;
                run_ns += run;
                wait_ns += wait;
            }
        }
        let path = format!("/proc/{}/stat", self.0);
        let stat = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        let ticks = ticks(&stat).with_context(|| format!("cannot parse {path}"))?;
        let (user_ticks, kernel_ticks) = ticks;
        Ok(Cpu {
            run_ns,
            wait_ns,
            user_ticks,
            kernel_ticks,
        })
    }

    /// Resident memory.
    pub(crate) fn rss_kib(self) -> Result<u64> {
        proc::status(self.0, "VmRSS:")
    }
}

fn two_numbers(text: &str) -> Option<(u64, u64)> {
    let mut fields = text.split_whitespace();
    let mut next = || fields.next()?.parse().ok();
    Some((next()?, next()?))
}

/// Fields 14 and 15. Counted from after the name, which may contain spaces and parentheses.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let after_name = stat.rsplit_once(')')?.1;
    two_numbers(after_name.splitn(13, ' ').nth(12)?)
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
    fn the_cpu_time_of_this_process_grows() {
        let this = Process::this();
        let before = this.cpu().unwrap();
        let mut n = 0_u64;
        while this.cpu().unwrap().since(before).run_ns == 0 {
            n += 1;
            assert!(n < 1_000_000, "the CPU time does not grow");
        }
        assert!(this.rss_kib().unwrap() > 0);
        assert!(Process(u32::MAX).cpu().is_err());
    }
}
