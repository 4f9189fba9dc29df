//! What the relay uses, sampled each second and printed each minute.

use anyhow::Result;

use crate::subject::Relay;

pub(super) const HEAD: &str = "\
| minute | frames | reconnects | viewers served | memory | open files | threads | tasks |
|---|---|---|---|---|---|---|---|
";

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

/// A minute: counts since the start, and medians of its samples.
pub(super) struct Minute {
    frames: u64,
    reconnects: u64,
    served: u64,
    median: Sample,
}

impl Minute {
    pub(super) fn of(samples: &[Sample], frames: u64, reconnects: u64, served: u64) -> Self {
        let own = &samples[samples.len().saturating_sub(60)..];
        Self {
            frames,
            reconnects,
            served,
            median: median(own),
        }
    }

    /// The median of memory, in MiB.
    pub(super) fn mib(&self) -> f64 {
        self.median.rss_kib as f64 / 1024.0
    }

    pub(super) fn line(&self, number: u64) -> String {
        let Sample {
            files,
            threads,
            tasks,
            ..
        } = self.median;
        format!(
            "| {number} | {} | {} | {} | {:.1} MiB | {files} | {threads} | {tasks} |\n",
            self.frames,
            self.reconnects,
            self.served,
            self.mib()
        )
    }
}

/// Describes memory at some of the minutes.
pub(super) fn memory(minutes: &[Minute]) -> String {
    let shown = MINUTES.iter().filter_map(|n| {
        let minute = minutes.get(n - 1)?;
        Some(format!("{:.1} MiB at minute {n}", minute.mib()))
    });
    format!("memory: {}", shown.collect::<Vec<_>>().join(", "))
}

/// Lists what has grown: the median of the last quarter exceeds that of the second by more than a
/// tenth and a margin. The first quarter does not count, because the relay is still starting.
pub(super) fn grown(samples: &[Sample]) -> Vec<String> {
    let quarter = samples.len() / 4;
    let second = median(&samples[quarter..2 * quarter]);
    let last = median(&samples[3 * quarter..]);
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

fn median(samples: &[Sample]) -> Sample {
    let of = |read: fn(&Sample) -> u64| {
        let mut all: Vec<u64> = samples.iter().map(read).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or(0)
    };
    Sample {
        rss_kib: of(|sample| sample.rss_kib),
        files: of(|sample| sample.files),
        threads: of(|sample| sample.threads),
        tasks: of(|sample| sample.tasks),
    }
}

/// The minutes whose memory is printed at the end.
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
    fn a_leak_is_reported() {
        assert_eq!(grown(&rising(0)), Vec::<String>::new());
        let grown = grown(&rising(50));
        assert!(grown.len() == 1 && grown[0].contains("memory"), "{grown:?}");
    }
}
