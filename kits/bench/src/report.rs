//! The tables at the end, in Markdown.

use std::fmt::Write as _;

use crate::cases::{Bound, Case, Figure, Sides};
use crate::run::Run;
use crate::stats::Spread;

/// A case's valid pairs of runs: the measured side and the other one.
pub(crate) struct Outcome {
    pub(crate) case: &'static Case,
    pub(crate) pairs: Vec<(Run, Run)>,
}

impl Outcome {
    fn spread(&self, value: impl Fn(&Run, &Run) -> f64) -> Spread {
        let values = self.pairs.iter().map(|(ours, other)| value(ours, other));
        Spread::of(values).unwrap_or(Spread {
            median: f64::NAN,
            lower: f64::NAN,
            upper: f64::NAN,
        })
    }

    /// Whether the machine was too busy. The reference shows it because it has one thread; the
    /// relay's threads also wait for one another.
    fn contended(&self) -> bool {
        let waited = self.spread(|_, other| other.waited_percent());
        self.case.sides == Sides::Reference && waited.median > WAITED_AT_MOST_PERCENT
    }

    fn figure(&self, figure: Figure) -> Spread {
        match figure {
            Figure::CpuRatio => self.spread(|ours, other| ours.cpu_us() / other.cpu_us()),
            Figure::P99Ratio => self.spread(|ours, other| ours.age_ms.p99 / other.age_ms.p99),
            Figure::P99Ms => self.spread(|ours, _| ours.age_ms.p99),
            Figure::DeliveredPercent => self.spread(|ours, _| ours.delivered_percent()),
            Figure::RssKib => self.spread(|ours, _| ours.rss_kib_per_viewer()),
            Figure::Missed => {
                let all: u64 = self.pairs.iter().map(|(ours, _)| ours.missed).sum();
                let all = all as f64;
                Spread {
                    median: all,
                    lower: all,
                    upper: all,
                }
            }
        }
    }
}

/// Both tables: the bounds, and what was measured on both sides.
pub(crate) fn tables(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| case | figure | median | quartiles | floor | goal | |\n|---|---|---|---|---|---|---|\n",
    );
    for outcome in outcomes {
        let name = outcome.case.name;
        let bounds = outcome.case.bounds;
        if !bounds.iter().any(|b| b.figure == Figure::CpuRatio) {
            let spread = outcome.figure(Figure::CpuRatio);
            let row = row(Figure::CpuRatio, &spread);
            let _ = writeln!(text, "| `{name}` | {row} | | | |");
        }
        for bound in bounds {
            let spread = outcome.figure(bound.figure);
            let (relation, digits) = (relation(bound.figure), digits(bound.figure));
            let goal = bound
                .goal
                .map_or(String::new(), |goal| format!("{relation} {goal:.digits$}"));
            let _ = writeln!(
                text,
                "| `{name}` | {} | {relation} {:.digits$} | {goal} | {} |",
                row(bound.figure, &spread),
                bound.floor,
                verdict(bound, spread.median)
            );
        }
    }
    text += "\nMedians of the runs, each of which is worth a quarter more or less:\n\n\
             | case | pairs | side | CPU per frame | of a core | waited for it | kernel's share | delivered | age p50 | p99 | memory per viewer | viewers' CPU | waited |\n\
             |---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    for outcome in outcomes {
        let (ours, other) = outcome.case.sides.names();
        side(&mut text, outcome, ours, |ours, _| ours);
        side(&mut text, outcome, other, |_, other| other);
    }
    let contended = outcomes.iter().filter(|outcome| outcome.contended());
    let names: Vec<&str> = contended.map(|outcome| outcome.case.name).collect();
    if !names.is_empty() {
        let _ = write!(
            text,
            "\nOthers ran on this machine: in {} the reference waited more than {WAITED_AT_MOST_PERCENT} % of \
             the time for its core. Losses and ages are theirs as much as ours then, and the ratio is worth less.\n",
            names.join(", ")
        );
    }
    text
}

fn side(
    text: &mut String,
    outcome: &Outcome,
    name: &str,
    of: impl for<'r> Fn(&'r Run, &'r Run) -> &'r Run,
) {
    let median =
        |value: fn(&Run) -> f64| outcome.spread(|ours, other| value(of(ours, other))).median;
    let _ = writeln!(
        text,
        "| `{}` | {} | {name} | {:.2} us | {:.1} % | {:.0} % | {:.0} % | {:.2} % | {:.1} ms | {:.1} ms | {:.1} KiB | {:.0} % | {:.0} % |",
        outcome.case.name,
        outcome.pairs.len(),
        median(Run::cpu_us),
        median(Run::core_percent),
        median(Run::waited_percent),
        median(Run::kernel_percent),
        median(Run::delivered_percent),
        median(|run| run.age_ms.p50),
        median(|run| run.age_ms.p99),
        median(Run::rss_kib_per_viewer),
        median(|run| 100.0 * run.load_cpu),
        median(|run| 100.0 * run.load_waited),
    );
}

/// The first cells after the case.
fn row(figure: Figure, spread: &Spread) -> String {
    let digits = digits(figure);
    let quartiles = match figure {
        Figure::Missed => String::new(),
        _ => format!("{:.digits$} to {:.digits$}", spread.lower, spread.upper),
    };
    let median = spread.median;
    format!("{} | **{median:.digits$}** | {quartiles}", name(figure))
}

fn name(figure: Figure) -> &'static str {
    match figure {
        Figure::CpuRatio => "CPU per frame, ratio",
        Figure::P99Ratio => "age p99, ratio",
        Figure::P99Ms => "age p99, ms",
        Figure::DeliveredPercent => "delivered, %",
        Figure::Missed => "frames missed, all runs",
        Figure::RssKib => "memory per viewer, KiB",
    }
}

fn digits(figure: Figure) -> usize {
    match figure {
        Figure::CpuRatio | Figure::P99Ratio | Figure::DeliveredPercent => 2,
        Figure::P99Ms | Figure::RssKib => 1,
        Figure::Missed => 0,
    }
}

fn relation(figure: Figure) -> &'static str {
    match figure {
        Figure::DeliveredPercent => ">=",
        _ => "<=",
    }
}

fn verdict(bound: &Bound, measured: f64) -> &'static str {
    let holds = |limit: f64| match bound.figure {
        Figure::DeliveredPercent => measured >= limit,
        _ => measured <= limit,
    };
    match bound.goal {
        Some(goal) if holds(goal) => "goal",
        _ if holds(bound.floor) => "ok",
        _ => "**MISSED**",
    }
}

/// Above this, other programs kept the machine busy.
const WAITED_AT_MOST_PERCENT: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::CASES;
    use crate::run::tests::report;

    fn bound(figure: Figure, floor: f64, goal: Option<f64>) -> Bound {
        Bound {
            figure,
            floor,
            goal,
        }
    }

    #[test]
    fn verdicts_tell_floor_and_goal() {
        let ratio = bound(Figure::CpuRatio, 1.2, Some(1.0));
        assert_eq!(verdict(&ratio, 0.9), "goal");
        assert_eq!(verdict(&ratio, 1.2), "ok");
        assert_eq!(verdict(&ratio, 1.21), "**MISSED**");
        assert_eq!(verdict(&ratio, f64::NAN), "**MISSED**");
        let share = bound(Figure::DeliveredPercent, 99.0, None);
        assert_eq!(verdict(&share, 99.5), "ok");
        assert_eq!(verdict(&share, 98.9), "**MISSED**");
        let missed = bound(Figure::Missed, 0.0, None);
        assert_eq!(verdict(&missed, 0.0), "ok");
        assert_eq!(verdict(&missed, 1.0), "**MISSED**");
    }

    fn outcome(case: &'static Case, ours_ns: u64, other_wait_ns: u64) -> Outcome {
        let ours = report(|json| json["server"]["cpu"]["run_ns"] = ours_ns.into());
        let other = report(|json| json["server"]["cpu"]["wait_ns"] = other_wait_ns.into());
        Outcome {
            case,
            pairs: vec![(ours, other)],
        }
    }

    #[test]
    fn tables_are_whole() {
        let quiet = CASES.iter().map(|case| outcome(case, 6_000_000_000, 0));
        let text = tables(&quiet.collect::<Vec<_>>());
        let tables: Vec<&str> = text.split("\n\n").filter(|t| t.starts_with('|')).collect();
        assert_eq!(tables.len(), 2);
        for table in tables {
            let cells = |line: &str| line.matches('|').count();
            let first = table.lines().next().map(cells);
            assert!(
                table.lines().all(|line| Some(cells(line)) == first),
                "{table}"
            );
            for case in CASES {
                assert!(table.contains(&format!("| `{}` |", case.name)), "{table}");
            }
        }
        assert!(text.contains("CPU per frame, ratio | **1.20** |"), "{text}");
        assert!(!text.contains("Others ran"));
    }

    #[test]
    fn a_busy_machine_is_reported() {
        let busy = outcome(&CASES[0], 5_000_000_000, 600_000_000);
        assert!(tables(&[busy]).contains(&format!("in {} the reference waited", CASES[0].name)));
    }
}
