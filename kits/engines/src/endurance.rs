//! Watches a stream at 30 fps for minutes: does the picture freeze, does the page's memory grow?

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use crate::{
    browser::Browser,
    case::Stage,
    engine::Engine,
    how::How,
    processes::Family,
    seen::{Seen, watch},
};

/// The outcome.
pub(crate) struct Endurance {
    how: How,
    length: Duration,
    sent: usize,
    longest_gap_ms: f64,
    /// How many pictures the last one seen is behind the last one sent.
    behind: u16,
    /// Resident memory of the processes that run pages: after [`WARM_UP`], at the end, and the peak
    /// between.
    settled_mib: u64,
    end_mib: u64,
    peak_mib: u64,
}

pub(crate) async fn run(
    engine: Engine,
    browser: &Browser,
    stage: &mut Stage,
    how: How,
    length: Duration,
) -> Result<Endurance> {
    stage.open(&browser.client, how, SAMPLE_INTERVAL).await?;
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
    let warm_up = WARM_UP.min(length / 2);
    let settled = memory.iter().filter(|(after, _)| *after >= warm_up);
    let settled: Vec<u64> = settled.map(|(_, mib)| *mib).collect();
    Ok(Endurance {
        how,
        length,
        sent: sent.len(),
        longest_gap_ms: longest_gap(&seen, start_ms, end_ms),
        behind: last_sent.saturating_sub(last_seen),
        settled_mib: settled.first().copied().unwrap_or_default(),
        end_mib: settled.last().copied().unwrap_or_default(),
        peak_mib: settled.iter().copied().max().unwrap_or_default(),
    })
}

/// Collects for this long the pictures that are seen, and the memory of the processes that run
/// pages.
async fn sample(
    browser: &Browser,
    engine: Engine,
    how: How,
    length: Duration,
) -> Result<(Vec<Seen>, Vec<(Duration, u64)>)> {
    let start = Instant::now();
    let (mut seen, mut memory) = (Vec::new(), Vec::new());
    while start.elapsed() < length {
        let left = length.saturating_sub(start.elapsed());
        let round = ROUND.min(left + SAMPLE_INTERVAL * 2);
        seen.extend(watch(&browser.client, how, round, SAMPLE_INTERVAL).await?.0);
        memory.push((
            start.elapsed(),
            Family::of(browser.root()).pages_mib(engine),
        ));
    }
    // The last pictures, after the camera has ended.
    sleep(SAMPLE_INTERVAL * 2).await;
    let last = watch(&browser.client, how, SAMPLE_INTERVAL, SAMPLE_INTERVAL);
    seen.extend(last.await?.0);
    Ok((seen, memory))
}

/// The longest time without a new picture, including the time before the first and after the last.
fn longest_gap(seen: &[Seen], start_ms: f64, end_ms: f64) -> f64 {
    let mut last = start_ms;
    let mut longest: f64 = 0.0;
    for at in seen.iter().map(|seen| seen.1).chain([end_ms]) {
        longest = longest.max(at - last);
        last = at;
    }
    longest
}

impl Endurance {
    /// The requirements that do not hold, one sentence each.
    pub(crate) fn failures(&self, engine: Engine) -> Vec<String> {
        let (gap_ms, behind) = (self.longest_gap_ms, self.behind);
        let grown_mib = self.end_mib.saturating_sub(self.settled_mib);
        let checks = [
            (
                gap_ms <= MAX_GAP_MS,
                format!("the picture stood still for {gap_ms:.0} ms, at most {MAX_GAP_MS}"),
            ),
            (
                behind <= MAX_BEHIND,
                format!("at the end the picture was {behind} behind"),
            ),
            (
                self.settled_mib > 0,
                "no process that runs pages was found".to_owned(),
            ),
            (
                grown_mib <= MAX_GROWTH_MIB,
                format!("the page's memory grew by {grown_mib} MiB, at most {MAX_GROWTH_MIB}"),
            ),
        ];
        let failed = checks.into_iter().filter(|(holds, _)| !holds);
        let name = format!("{}, {}", engine.name(), self.how.name());
        failed.map(|(_, what)| format!("{name}: {what}")).collect()
    }

    /// The outcome as a line of Markdown.
    pub(crate) fn line(&self) -> String {
        let Self {
            how,
            sent,
            longest_gap_ms,
            settled_mib,
            end_mib,
            peak_mib,
            ..
        } = self;
        format!(
            "* {}: {:.0} minutes at 30 fps, {sent} pictures sent: longest time without a new picture {longest_gap_ms:.0} ms (sampled every {} ms); \
             memory of the page's processes {settled_mib} MiB once settled, {end_mib} MiB at the end, {peak_mib} MiB at most",
            how.name(),
            self.length.as_secs_f64() / 60.0,
            SAMPLE_INTERVAL.as_millis(),
        )
    }
}

/// How often the page samples the picture: rarely, so that sampling does not disturb the stream.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(250);
/// How often memory is read.
const ROUND: Duration = Duration::from_secs(5);
/// After this time the caches of decoded pictures are full (Chromium: 45 s, measured).
const WARM_UP: Duration = Duration::from_secs(60);
const MAX_GAP_MS: f64 = 2000.0;
const MAX_BEHIND: u16 = 30;
/// After the warm-up.
const MAX_GROWTH_MIB: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_at_the_start_and_at_the_end_count() {
        let seen = [(1, 110.0), (2, 120.0)];
        assert_eq!(longest_gap(&seen, 100.0, 130.0), 10.0);
        assert_eq!(longest_gap(&seen, 0.0, 130.0), 110.0);
        assert_eq!(longest_gap(&seen, 100.0, 500.0), 380.0);
        assert_eq!(longest_gap(&[], 100.0, 500.0), 400.0);
    }

    #[test]
    fn each_limit_is_checked() {
        let good = || Endurance {
            how: How::Crossorigin,
            length: Duration::from_secs(600),
            sent: 18000,
            longest_gap_ms: 2000.0,
            behind: 30,
            settled_mib: 400,
            end_mib: 464,
            peak_mib: 500,
        };
        let failures = |outcome: Endurance| outcome.failures(Engine::Firefox).len();
        assert_eq!(failures(good()), 0);
        let break_limit: [fn(&mut Endurance); 4] = [
            |it| it.longest_gap_ms = 2001.0,
            |it| it.behind = 31,
            |it| it.end_mib = 465,
            |it| (it.settled_mib, it.end_mib) = (0, 0),
        ];
        for change in break_limit {
            let mut bad = good();
            change(&mut bad);
            assert_eq!(failures(bad), 1);
        }
    }
}
