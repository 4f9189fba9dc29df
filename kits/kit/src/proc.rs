//! Figures of a process, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The first number after a key such as `VmRSS:` in the status of a process.
pub fn status(id: u32, key: &str) -> Result<u64> {
    let path = format!("/proc/{id}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.with_context(|| format!("no {key} in {path}; has the process ended?"))
}

/// Whether a process runs. One that has ended, and whose parent has not asked how, does not.
#[must_use]
pub fn is_running(id: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let state = status.lines().find_map(|line| line.strip_prefix("State:"));
    state.is_some_and(|state| !state.trim_start().starts_with(['Z', 'X']))
}

/// The CPU time of a process so far, over all its threads.
pub fn cpu_time(id: u32) -> Result<Duration> {
    times(&format!("/proc/{id}/stat"))
}

/// The CPU time of a process so far, over the threads that it has now, to the nanosecond.
pub fn fine_cpu_time(id: u32) -> Result<Duration> {
    let path = format!("/proc/{id}/task");
    let mut sum = 0;
    for thread in fs::read_dir(&path).with_context(|| format!("reading {path}"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"));
        // A thread may have ended meanwhile.
        let spent = text
            .ok()
            .and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        sum += spent.unwrap_or(0);
    }
    Ok(Duration::from_nanos(sum))
}

/// The CPU time of one thread of a process so far.
pub fn thread_cpu_time(process: u32, thread: u32) -> Result<Duration> {
    times(&format!("/proc/{process}/task/{thread}/stat"))
}

fn times(path: &str) -> Result<Duration> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
    // The name, in brackets, may contain blanks. User and system time are fields 14 and 15.
    let fields = text.rsplit_once(')').map(|(_, fields)| fields);
    let ticks = fields.and_then(|fields| {
        let mut times = fields.split_whitespace().skip(11);
        let mut next = || times.next()?.parse::<u64>().ok();
        Some(next()? + next()?)
    });
    let ticks = ticks.with_context(|| format!("{path} is not understood"))?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// Linux has this fixed for programs, whatever the kernel's own clock does.
const TICKS_PER_SECOND: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_holds_numbers_by_their_keys() {
        let own = std::process::id();
        assert_eq!(status(own, "Pid:").unwrap(), u64::from(own));
        assert!(status(own, "VmRSS:").unwrap() > 0);
        assert!(status(own, "None:").is_err());
        assert!(status(u32::MAX, "VmRSS:").is_err());
    }

    #[test]
    fn a_process_runs_until_it_ends_and_uses_time() {
        assert!(is_running(std::process::id()) && !is_running(u32::MAX));
        let before = cpu_time(std::process::id()).unwrap();
        while cpu_time(std::process::id()).unwrap() < before + Duration::from_millis(20) {}
        let own = std::process::id();
        assert!(thread_cpu_time(own, own).unwrap() <= cpu_time(own).unwrap());
        assert!(thread_cpu_time(own, u32::MAX).is_err());
        let fine = fine_cpu_time(own).unwrap();
        assert!(fine > Duration::from_millis(10), "{fine:?}");
        let difference = fine.abs_diff(cpu_time(own).unwrap());
        assert!(difference < Duration::from_millis(200), "{difference:?}");
        assert!(fine_cpu_time(u32::MAX).is_err());
    }
}
