//! What a relay uses, sampled each second and printed each minute.

use anyhow::Result;

use crate::subject::Relay;

pub(super) const HEAD: &str = "| minute | frames | reconnects | viewers served | memory | open files | threads | tasks |\n|---|---|---|---|---|---|---|---|\n";

/// One sample.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    rss_kib: u64,
    files: u64,
    threads: u64,
    tasks: u64,
}

impl Sample {
    pub(super) async fn take(relay: &mut Relay) -> Result<Self> {
        let figures = relay.figures().await?;
        Ok(Self {
            rss_kib: relay.process.rss_kib()?,
            files: figures.files as u64,
            threads: figures.threads as u64,
            tasks: figures.tasks.unwrap_or(0),
        })
    }
}

/// A minute: sums since the start, medians of its samples.
pub(super) struct Minute {
    frames: u64,
    reconnects: u64,
    served: u64,
    middle: Sample,
}

impl Minute {
    pub(super) fn of(samples: &[Sample], frames: u64, reconnects: u64, served: u64) -> Self {
        let own = &samples[samples.len().saturating_sub(60)..];
        Self {
            frames,
            reconnects,
            served,
            middle: middle(own),
        }
    }

    /// Memory in MiB, at its middle.
    pub(super) fn mib(&self) -> f64 {
        self.middle.rss_kib as f64 / 1024.0
    }

    pub(super) fn line(&self, number: u64) -> String {
        let Sample {
            files,
            threads,
            tasks,
            ..
        } = self.middle;
        format!(
            "| {number} | {} | {} | {} | {:.1} MiB | {files} | {threads} | {tasks} |\n",
            self.frames,
            self.reconnects,
            self.served,
            self.mib()
        )
    }
}

/// Memory at some of the minutes, in a sentence.
pub(super) fn memory(minutes: &[Minute]) -> String {
    let shown = MINUTES.iter().filter_map(|n| {
        let minute = minutes.get(n - 1)?;
        Some(format!("{:.1} MiB at minute {n}", minute.mib()))
    });
    format!("memory: {}", shown.collect::<Vec<_>>().join(", "))
}

/// What is not flat: the median of the last quarter exceeds that of the second by more than a tenth
/// and a margin. The first quarter is the start.
pub(super) fn flat(samples: &[Sample]) -> Vec<String> {
    let quarter = samples.len() / 4;
    let second = middle(&samples[quarter..2 * quarter]);
    let last = middle(&samples[3 * quarter..]);
    let pairs = [
        ("KiB of memory", second.rss_kib, last.rss_kib, 2 << 10),
        ("open files", second.files, last.files, 25),
        ("threads", second.threads, last.threads, 0),
        ("tasks", second.tasks, last.tasks, 25),
    ];
    let grown = pairs
        .into_iter()
        .filter(|(_, second, last, little)| *last > second + second / 10 + little);
    grown
        .map(|(what, second, last, _)| format!("{what} grew from {second} to {last}"))
        .collect()
}

fn middle(samples: &[Sample]) -> Sample {
    let median = |read: fn(&Sample) -> u64| {
        let mut all: Vec<u64> = samples.iter().map(read).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or(0)
    };
    Sample {
        rss_kib: median(|sample| sample.rss_kib),
        files: median(|sample| sample.files),
        threads: median(|sample| sample.threads),
        tasks: median(|sample| sample.tasks),
    }
}

/// The minutes whose memory is told at the end.
const MINUTES: [usize; 4] = [1, 10, 30, 60];

#[cfg(test)]
mod tests {
    use super::*;

    fn rising(by: u64) -> Vec<Sample> {
        let sample = |n| Sample {
            rss_kib: 20_000 + n * by,
            files: 250,
            threads: 3,
            tasks: 60,
        };
        (0..240).map(sample).collect()
    }

    #[test]
    fn a_leak_is_not_flat() {
        assert_eq!(flat(&rising(0)), Vec::<String>::new());
        let told = flat(&rising(50));
        assert!(told.len() == 1 && told[0].contains("memory"), "{told:?}");
    }
}
