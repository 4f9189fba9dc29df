//! What is asked, whether it holds, and the tables.

use std::fmt::Write as _;

use crate::bench::lag::scene::{BYTES, FAST, FPS, Outcome, Slow};

impl Slow {
    /// The time that one picture takes on the link.
    fn t_ms(&self) -> f64 {
        (BYTES * 8) as f64 / f64::from(self.link.mbit) / 1000.0
    }

    /// The ages that half of the pictures, and 99 of 100, may have at their last byte.
    fn limits_ms(&self) -> (f64, f64) {
        let interval = 1000.0 / FPS as f64;
        (1.6 * self.t_ms() + interval, 2.0 * self.t_ms() + interval)
    }
}

impl Outcome {
    /// What does not hold of what is asked.
    fn missed(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut ask = |holds: bool, what: String| {
            if !holds {
                problems.push(format!("{}: {what}", self.case));
            }
        };
        ask(
            self.fast.missed == 0 && self.fast.lost == 0,
            format!(
                "the fast viewers missed {} of {} frames, {} of them were lost{}",
                self.fast.missed,
                self.fast.expected,
                self.fast.lost,
                self.busy()
            ),
        );
        if !self.asked {
            return problems;
        }
        for slow in &self.slow {
            let (p50, p99) = slow.limits_ms();
            let (age, mbit) = (&slow.run.age_ms, slow.link.mbit);
            ask(
                slow.run.lost == 0 && slow.run.delivered > 0,
                format!("the viewer behind {mbit} Mbit/s was lost"),
            );
            for (name, age, limit) in [("p50", age.p50, p50), ("p99", age.p99, p99)] {
                ask(
                    age <= limit,
                    format!(
                        "{mbit} Mbit/s: age {name} {age:.0} ms, at most {limit:.0}{}",
                        self.busy()
                    ),
                );
            }
        }
        let (first, second) = self.memory_peaks();
        ask(
            second as f64 <= first as f64 * MEMORY_IS_FLAT,
            format!("memory grew from {first} to {second} KiB"),
        );
        problems
    }

    /// The most memory in the first half of the time, and in the second.
    fn memory_peaks(&self) -> (u64, u64) {
        let (first, second) = self.rss_kib.split_at(self.rss_kib.len() / 2);
        let peak = |part: &[u64]| part.iter().max().copied().unwrap_or(0);
        (peak(first), peak(second))
    }

    /// The share of the time in which the fast viewers' one thread was ready and others had the cores.
    fn waited_percent(&self) -> f64 {
        100.0 * self.fast.load_waited
    }

    /// A remark, if the machine was not the benchmark's own.
    fn busy(&self) -> String {
        if self.waited_percent() <= WAITED_AT_MOST_PERCENT {
            return String::new();
        }
        format!(
            " (the machine was busy: the viewers waited {:.0} % of the time for a core, the relay {:.0} %)",
            self.waited_percent(),
            self.fast.waited_percent()
        )
    }
}

/// What does not hold, of all runs.
pub(crate) fn problems(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().flat_map(Outcome::missed).collect()
}

/// Some lines for who waits.
pub(crate) fn told(outcome: &Outcome) -> String {
    let mut text = String::new();
    for slow in &outcome.slow {
        let _ = writeln!(
            text,
            "   {:>2} Mbit/s: {} of {} frames, age p50 {:.0} p99 {:.0} max {:.0} ms (T = {:.0} ms), socket p50 {} max {}, link p50 {} max {} bytes{}",
            slow.link.mbit,
            slow.run.delivered,
            slow.run.offered,
            slow.run.age_ms.p50,
            slow.run.age_ms.p99,
            slow.run.age_ms.max,
            slow.t_ms(),
            median(&slow.waiting.socket),
            most(&slow.waiting.socket),
            median(&slow.waiting.link),
            most(&slow.waiting.link),
            slow.run
                .first_fault
                .as_ref()
                .map_or(String::new(), |fault| format!(", LOST ({fault})")),
        );
    }
    let _ = writeln!(text, "   {FAST} fast: {}", outcome.fast.told());
    let _ = writeln!(text, "   memory by the minute: {}", minutes(outcome));
    text
}

/// The tables, in Markdown.
pub(crate) fn tables(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| case | link | T | age p50 | at most | | age p99 | at most | | max | frames | in the socket p50 | max | in the link p50 | lost there |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for outcome in outcomes {
        for slow in &outcome.slow {
            let (p50, p99) = slow.limits_ms();
            let age = &slow.run.age_ms;
            let kb = |bytes: u64| format!("{:.0} kB", bytes as f64 / 1000.0);
            let lost = 100.0 * slow.queue.drops as f64
                / (slow.queue.packets + slow.queue.drops).max(1) as f64;
            let _ = writeln!(
                text,
                "| `{}` | {} Mbit/s | {:.0} ms | **{:.0} ms** | {p50:.0} ms | {} | **{:.0} ms** | {p99:.0} ms | {} | {:.0} ms | {} of {} | {} | {} | {} | {lost:.2} % |",
                outcome.case,
                slow.link.mbit,
                slow.t_ms(),
                age.p50,
                holds(age.p50, p50),
                age.p99,
                holds(age.p99, p99),
                age.max,
                slow.run.delivered,
                slow.run.offered,
                kb(median(&slow.waiting.socket)),
                kb(most(&slow.waiting.socket)),
                kb(median(&slow.waiting.link)),
            );
        }
    }
    text += "\n| case | seconds | congestion control | fast viewers missed | their age p50 | p99 | waited for a core | relay waited | relay's CPU | memory at start | middle | end |\n\
             |---|---|---|---|---|---|---|---|---|---|---|---|\n";
    for outcome in outcomes {
        let fast = &outcome.fast;
        let memory = &outcome.rss_kib;
        let at = |index: usize| memory.get(index).copied().unwrap_or(0);
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | **{}** of {} | {:.1} ms | {:.1} ms | {:.0} % | {:.0} % | {:.1} % | {} KiB | {} KiB | {} KiB |",
            outcome.case,
            outcome.seconds,
            outcome.congestion,
            fast.missed,
            fast.expected,
            fast.age_ms.p50,
            fast.age_ms.p99,
            outcome.waited_percent(),
            fast.waited_percent(),
            fast.core_percent(),
            at(0),
            at(memory.len() / 2),
            at(memory.len().saturating_sub(1)),
        );
    }
    text.push('\n');
    for outcome in outcomes {
        let _ = writeln!(text, "* `{}`: {}.", outcome.case, outcome.told);
        let busy = outcome.busy();
        if !busy.is_empty() {
            let _ = writeln!(
                text,
                "  Others ran on this machine{busy}. What the fast viewers missed, and ages, are theirs as much as ours then."
            );
        }
    }
    text
}

fn holds(age: f64, limit: f64) -> &'static str {
    if age <= limit { "ok" } else { "**MISSED**" }
}

/// The relay's memory at the beginning, after each minute and at the end.
fn minutes(outcome: &Outcome) -> String {
    let memory = &outcome.rss_kib;
    let marks = memory.iter().step_by(60);
    let mut marks: Vec<String> = marks.map(|kib| format!("{kib}")).collect();
    if !(memory.len().saturating_sub(1)).is_multiple_of(60) {
        marks.extend(memory.last().map(|kib| format!("{kib} (end)")));
    }
    marks.join(", ") + " KiB"
}

fn median(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

fn most(values: &[u64]) -> u64 {
    values.iter().max().copied().unwrap_or(0)
}

/// The most memory of the second half, to that of the first.
const MEMORY_IS_FLAT: f64 = 1.05;
/// Above this, the machine was not the benchmark's own.
const WAITED_AT_MOST_PERCENT: f64 = 5.0;
