//! A stream at 30 fps for minutes: whether the picture freezes, and whether the page's memory
//! grows.

use std::{collections::HashMap, fs, iter::successors, time::Duration};

use anyhow::Result;
use kit::proc;
use tokio::time::{Instant, sleep};

use crate::{
    browser::Browser,
    case::Stage,
    engine::Engine,
    how::How,
    seen::{Seen, watch},
};

/// The outcome.
pub(crate) struct Endurance {
    how: How,
    length: Duration,
    sent: usize,
    longest_gap_ms: f64,
    /// By how many pictures the last one seen is behind the last one sent.
    behind: u16,
    /// Resident memory of the processes that run pages, in MiB: after [`WARM_UP`], at the end, and
    /// the peak between.
    settled_mib: u64,
    end_mib: u64,
    most_mib: u64,
}

pub(crate) async fn run(
    engine: Engine,
    browser: &Browser,
    stage: &mut Stage,
    how: How,
    length: Duration,
) -> Result<Endurance> {
    stage.open(&browser.client, how, LOOKS).await?;
    let (sent, watched) = tokio::join!(
        stage.camera.play(30, length),
        sample(browser, engine, how, length)
    );
    let sent = sent?;
    let (seen, memory) = watched?;
    let start_ms = sent.first().map_or(0.0, |first| first.at_ms);
    let end_ms = sent.last().map_or(0.0, |last| last.at_ms);
    let last_sent = sent.last().map_or(0, |last| last.number);
    let last_seen = seen.last().map_or(0, |last| last.0);
    let settled = memory
        .iter()
        .filter(|(after, _)| *after >= WARM_UP.min(length / 2));
    let settled: Vec<u64> = settled.map(|(_, mib)| *mib).collect();
    Ok(Endurance {
        how,
        length,
        sent: sent.len(),
        longest_gap_ms: longest_gap(&seen, start_ms, end_ms),
        behind: last_sent.saturating_sub(last_seen),
        settled_mib: settled.first().copied().unwrap_or_default(),
        end_mib: settled.last().copied().unwrap_or_default(),
        most_mib: settled.iter().copied().max().unwrap_or_default(),
    })
}

/// Collects for this long what is seen, and the memory of the pages' processes.
async fn sample(
    browser: &Browser,
    engine: Engine,
    how: How,
    length: Duration,
) -> Result<(Vec<Seen>, Vec<(Duration, u64)>)> {
    let start = Instant::now();
    let (mut seen, mut memory) = (Vec::new(), Vec::new());
    while start.elapsed() < length {
        // Whole rounds, so that nothing is missed: the last pictures are collected after the
        // camera's end.
        let round = SAMPLES.min(length.saturating_sub(start.elapsed()) + LOOKS * 2);
        seen.extend(watch(&browser.client, how, round, LOOKS).await?.0);
        memory.push((start.elapsed(), resident_mib(engine, browser.root())));
    }
    sleep(LOOKS * 2).await;
    seen.extend(watch(&browser.client, how, LOOKS, LOOKS).await?.0);
    Ok((seen, memory))
}

/// The longest time without a new picture, the beginning and the end included.
fn longest_gap(seen: &[Seen], start_ms: f64, end_ms: f64) -> f64 {
    let mut last = start_ms;
    let mut longest: f64 = 0.0;
    for at in seen.iter().map(|seen| seen.1).chain([end_ms]) {
        longest = longest.max(at - last);
        last = at;
    }
    longest
}

/// The memory of the browser's processes that run pages. Shared memory counts for each.
fn resident_mib(engine: Engine, root: u32) -> u64 {
    let processes: HashMap<u32, Process> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let id = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Some((id, Process::read(id)?))
        })
        .collect();
    let belongs = |id: u32| {
        let parents = successors(Some(id), |id| processes.get(id).map(|it| it.parent));
        // Longer than any chain of parents: the processes are not read at one moment.
        parents.take(64).any(|id| id == root)
    };
    let pages = processes
        .iter()
        .filter(|(id, process)| engine.runs_pages(&process.command_line) && belongs(**id));
    pages.map(|(_, process)| process.resident_kib).sum::<u64>() / 1024
}

struct Process {
    parent: u32,
    command_line: String,
    resident_kib: u64,
}

impl Process {
    fn read(id: u32) -> Option<Self> {
        let line = fs::read(format!("/proc/{id}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        Some(Self {
            parent: u32::try_from(proc::status(id, "PPid:").ok()?).ok()?,
            command_line: line.trim_end().to_owned(),
            // Kernel threads have none.
            resident_kib: proc::status(id, "VmRSS:").unwrap_or_default(),
        })
    }
}

impl Endurance {
    /// What must hold and does not, one sentence each.
    pub(crate) fn failures(&self, engine: Engine) -> Vec<String> {
        let mut failures = Vec::new();
        let name = format!("{}, {}", engine.name(), self.how.name());
        if self.longest_gap_ms > FROZEN_MS {
            failures.push(format!(
                "{name}: the picture stood still for {:.0} ms, {FROZEN_MS} at most",
                self.longest_gap_ms
            ));
        }
        if self.behind > 30 {
            failures.push(format!(
                "{name}: at the end the picture was {} behind",
                self.behind
            ));
        }
        if self.settled_mib == 0 {
            failures.push(format!("{name}: no process that runs pages was found"));
        }
        let grown = self.end_mib.saturating_sub(self.settled_mib);
        if grown > GROWTH_MIB {
            failures.push(format!(
                "{name}: its page's memory grew by {grown} MiB, {GROWTH_MIB} at most"
            ));
        }
        failures
    }

    pub(crate) fn line(&self) -> String {
        let Self {
            how,
            sent,
            longest_gap_ms,
            settled_mib,
            end_mib,
            most_mib,
            ..
        } = self;
        format!(
            "* {}: {:.0} minutes at 30 fps, {sent} pictures sent: longest time without a new picture {longest_gap_ms:.0} ms (looked at every {} ms); \
             memory of its page's processes {settled_mib} MiB once settled, {end_mib} MiB at the end, {most_mib} MiB at most",
            how.name(),
            self.length.as_secs_f64() / 60.0,
            LOOKS.as_millis(),
        )
    }
}

/// How often the page samples the picture: seldom, so that sampling does not disturb the stream.
const LOOKS: Duration = Duration::from_millis(250);
const SAMPLES: Duration = Duration::from_secs(5);
/// After this the caches of decoded pictures are full (Chromium: 45 s, measured).
const WARM_UP: Duration = Duration::from_secs(60);
const FROZEN_MS: f64 = 2000.0;
/// Since the end of the warm-up.
const GROWTH_MIB: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_at_the_beginning_and_at_the_end_count() {
        let seen = [(1, 110.0), (2, 120.0)];
        assert_eq!(longest_gap(&seen, 100.0, 130.0), 10.0);
        assert_eq!(longest_gap(&seen, 0.0, 130.0), 110.0);
        assert_eq!(longest_gap(&seen, 100.0, 500.0), 380.0);
        assert_eq!(longest_gap(&[], 100.0, 500.0), 400.0);
    }

    #[test]
    fn freezing_growing_and_lagging_do_not_hold() {
        let good = || Endurance {
            how: How::Crossorigin,
            length: Duration::from_secs(600),
            sent: 18000,
            longest_gap_ms: 2000.0,
            behind: 30,
            settled_mib: 400,
            end_mib: 464,
            most_mib: 500,
        };
        let failures = |lasted: Endurance| lasted.failures(Engine::Firefox).len();
        assert_eq!(failures(good()), 0);
        let frozen = Endurance {
            longest_gap_ms: 2001.0,
            ..good()
        };
        let behind = Endurance {
            behind: 31,
            ..good()
        };
        let grown = Endurance {
            end_mib: 465,
            ..good()
        };
        let unseen = Endurance {
            settled_mib: 0,
            end_mib: 0,
            ..good()
        };
        for bad in [frozen, behind, grown, unseen] {
            assert_eq!(failures(bad), 1);
        }
    }
}
