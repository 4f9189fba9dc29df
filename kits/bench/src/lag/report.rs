//! The bounds, whether they hold, and the tables.

use std::fmt::Write as _;

use crate::lag::case::Required;
use crate::lag::scene::{BYTES, FAST, FPS, Outcome, Slow};
use crate::report::MAX_WAITED_PERCENT;

impl Slow {
    /// T: how long one picture takes on the link.
    fn t_ms(&self) -> f64 {
        (BYTES * 8) as f64 / f64::from(self.link.mbit) / 1000.0
    }

    /// The limits of the ages at the last byte: of the median and of the 99th percentile.
    fn limits_ms(&self) -> (f64, f64) {
        let interval = 1000.0 / FPS as f64;
        (1.6 * self.t_ms() + interval, 2.0 * self.t_ms() + interval)
    }
}

impl Outcome {
    /// The bounds that do not hold.
    fn missed(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.case.required == Required::Nothing {
            return problems;
        }
        let busy = self.busy();
        let mut require = |holds: bool, what: String| {
            if !holds {
                problems.push(format!("{}: {what}", self.case.name));
            }
        };
        let fast = &self.fast;
        require(
            fast.counts.missed == 0 && fast.lost == 0,
            format!(
                "the fast viewers missed {} of {} frames, and {} of them were lost{busy}",
                fast.counts.missed, fast.counts.expected, fast.lost,
            ),
        );
        if self.case.required == Required::NoLoss {
            return problems;
        }
        for slow in &self.slow {
            let (p50, p99) = slow.limits_ms();
            let (age, mbit) = (&slow.run.counts.age_ms, slow.link.mbit);
            require(
                slow.run.lost == 0 && slow.run.counts.delivered > 0,
                format!("the viewer behind {mbit} Mbit/s was lost"),
            );
            for (name, age, limit) in [("p50", age.p50, p50), ("p99", age.p99, p99)] {
                let what =
                    format!("{mbit} Mbit/s: age {name} {age:.0} ms, at most {limit:.0}{busy}");
                require(age <= limit, what);
            }
        }
        let (first, second) = self.rss_kib.split_at(self.rss_kib.len() / 2);
        let (first, second) = (peak(first), peak(second));
        require(
            second as f64 <= first as f64 * MAX_MEMORY_GROWTH,
            format!("memory grew from {first} to {second} KiB"),
        );
        problems
    }

    /// The share of the time that the fast viewers' single thread was ready to run but had no core.
    fn waited_percent(&self) -> f64 {
        100.0 * self.fast.load_waited
    }

    /// A remark, if other programs kept the machine busy.
    fn busy(&self) -> String {
        if self.waited_percent() <= MAX_WAITED_PERCENT {
            return String::new();
        }
        format!(
            " (the machine was busy: the fast viewers waited {:.0} % of the time for a core, the server {:.0} %)",
            self.waited_percent(),
            self.fast.waited_percent()
        )
    }
}

/// The bounds that do not hold, over all runs.
pub(crate) fn problems(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().flat_map(Outcome::missed).collect()
}

/// The outcome for the terminal.
pub(crate) fn lines(outcome: &Outcome) -> String {
    let mut text = String::new();
    for slow in &outcome.slow {
        let _ = writeln!(
            text,
            "   {:>2} Mbit/s: {} of {} frames, age p50 {:.0} p99 {:.0} max {:.0} ms (T = {:.0} ms), socket p50 {} max {}, link p50 {} max {} bytes{}",
            slow.link.mbit,
            slow.run.counts.delivered,
            outcome.fast.counts.offered,
            slow.run.counts.age_ms.p50,
            slow.run.counts.age_ms.p99,
            slow.run.counts.age_ms.max,
            slow.t_ms(),
            median(&slow.waiting.socket),
            peak(&slow.waiting.socket),
            median(&slow.waiting.link),
            peak(&slow.waiting.link),
            slow.run
                .first_fault
                .as_ref()
                .map_or(String::new(), |fault| format!(", LOST ({fault})")),
        );
    }
    let _ = writeln!(text, "   {FAST} fast: {}", outcome.fast.line());
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
            let age = &slow.run.counts.age_ms;
            let kb = |bytes: u64| format!("{:.0} kB", bytes as f64 / 1000.0);
            let lost = 100.0 * slow.queue.drops as f64
                / (slow.queue.packets + slow.queue.drops).max(1) as f64;
            let _ = writeln!(
                text,
                "| `{}` | {} Mbit/s | {:.0} ms | **{:.0} ms** | {p50:.0} ms | {} | **{:.0} ms** | {p99:.0} ms | {} | {:.0} ms | {} of {} | {} | {} | {} | {lost:.2} % |",
                outcome.case.name,
                slow.link.mbit,
                slow.t_ms(),
                age.p50,
                holds(age.p50, p50),
                age.p99,
                holds(age.p99, p99),
                age.max,
                slow.run.counts.delivered,
                outcome.fast.counts.offered,
                kb(median(&slow.waiting.socket)),
                kb(peak(&slow.waiting.socket)),
                kb(median(&slow.waiting.link)),
            );
        }
    }
    text += &servers(outcomes);
    text.push('\n');
    for outcome in outcomes {
        let _ = writeln!(
            text,
            "* `{}`: {}.",
            outcome.case.name, outcome.case.description
        );
        if !outcome.busy().is_empty() {
            text += "  Other programs kept this machine busy (see the waits for a core). They caused missed frames and ages too.\n";
        }
    }
    text
}

/// The table of the fast viewers and of the servers.
fn servers(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "\n| case | seconds | congestion control | fast viewers missed | their age p50 | p99 | waited for a core | server waited | server's CPU | memory at start | middle | end |\n\
             |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for outcome in outcomes {
        let fast = &outcome.fast;
        let memory = &outcome.rss_kib;
        let at = |index: usize| memory.get(index).copied().unwrap_or(0);
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | **{}** of {} | {:.1} ms | {:.1} ms | {:.0} % | {:.0} % | {:.1} % | {} KiB | {} KiB | {} KiB |",
            outcome.case.name,
            outcome.seconds,
            outcome.congestion,
            fast.counts.missed,
            fast.counts.expected,
            fast.counts.age_ms.p50,
            fast.counts.age_ms.p99,
            outcome.waited_percent(),
            fast.waited_percent(),
            fast.core_percent(),
            at(0),
            at(memory.len() / 2),
            at(memory.len().saturating_sub(1)),
        );
    }
    text
}

fn holds(age: f64, limit: f64) -> &'static str {
    if age <= limit { "ok" } else { "**MISSED**" }
}

/// The relay's memory at the start, after each minute and at the end.
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

fn peak(values: &[u64]) -> u64 {
    values.iter().max().copied().unwrap_or(0)
}

/// The limit of the peak of memory in the second half of the time, relative to the first half's.
const MAX_MEMORY_GROWTH: f64 = 1.05;

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::lag::case::CASES;
    use crate::lag::watch::Waiting;
    use crate::links::{Link, Queue};
    use crate::report::tests::tables_in;
    use crate::run::tests::report;

    /// A run behind 4 Mbit/s in which everything holds: the limits are 353.3 and 433.3 ms.
    fn outcome(slow: impl FnOnce(&mut Value), fast: impl FnOnce(&mut Value)) -> Outcome {
        let queue = serde_json::json!({ "kind": "tbf", "packets": 99, "drops": 1, "backlog": 0 });
        let queue: Queue = serde_json::from_value(queue).unwrap();
        let run = report(|json| {
            json["viewers"] = 1.into();
            json["age_ms"] = serde_json::json!({ "p50": 353.0, "p99": 433.0, "max": 500.0 });
            slow(json);
        });
        Outcome {
            case: &CASES[0],
            seconds: 10,
            congestion: "cubic".into(),
            fast: report(fast),
            slow: vec![Slow {
                link: Link { number: 2, mbit: 4 },
                run,
                waiting: Waiting {
                    socket: vec![3000, 1000, 2000],
                    link: vec![],
                },
                queue,
            }],
            rss_kib: vec![4000, 5000, 5000, 5250],
        }
    }

    fn age(name: &'static str, ms: f64) -> impl FnOnce(&mut Value) {
        move |json| json["age_ms"][name] = ms.into()
    }

    #[test]
    fn each_missed_bound_is_a_problem() {
        assert_eq!(outcome(|_| (), |_| ()).missed(), [""; 0]);
        let of = |outcome: Outcome| {
            let problems = outcome.missed();
            assert_eq!(problems.len(), 1, "{problems:?}");
            problems[0].clone()
        };
        assert!(of(outcome(age("p50", 354.0), |_| ())).contains("p50 354 ms, at most 353"));
        assert!(of(outcome(age("p99", 434.0), |_| ())).contains("p99 434 ms, at most 433"));
        assert!(of(outcome(|json| json["lost"] = 1.into(), |_| ())).contains("behind 4 Mbit/s"));
        let missed = of(outcome(|_| (), |json| json["missed"] = 50.into()));
        assert!(missed.contains("missed 50 of 60000") && !missed.contains("busy"));
        let mut grown = outcome(|_| (), |_| ());
        grown.rss_kib[3] = 5251;
        assert!(of(grown).contains("from 5000 to 5251 KiB"));
    }

    #[test]
    fn other_cases_must_only_spare_the_fast_viewers() {
        let mut unbounded = outcome(age("p50", 5000.0), |json| json["missed"] = 1.into());
        unbounded.case = &CASES[2];
        assert_eq!(unbounded.missed().len(), 1);
        let mut bare = outcome(age("p50", 5000.0), |json| json["missed"] = 1.into());
        bare.case = &CASES[1];
        assert_eq!(bare.missed(), [""; 0]);
    }

    #[test]
    fn a_busy_machine_is_reported() {
        let busy = outcome(age("p99", 500.0), |json| json["load_waited"] = 0.06.into());
        assert!(busy.missed()[0].contains("busy: the fast viewers waited 6 %"));
        assert!(tables(&[busy]).contains("Other programs"));
        assert!(!tables(&[outcome(|_| (), |_| ())]).contains("Other programs"));
    }

    #[test]
    fn tables_have_a_row_for_each_run() {
        let text = tables(&[outcome(|_| (), |_| ()), outcome(age("p50", 354.0), |_| ())]);
        for table in tables_in(&text) {
            assert_eq!(table.lines().count(), 4);
        }
        assert!(
            text.contains("| **354 ms** | 353 ms | **MISSED** |"),
            "{text}"
        );
        assert!(text.contains("| 2 kB | 3 kB | 0 kB | 1.00 % |"), "{text}");
    }
}
