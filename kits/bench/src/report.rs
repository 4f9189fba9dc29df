//! The tables at the end, in Markdown.

use std::fmt::Write as _;

use crate::cases::{Bound, Case, Sides};
use crate::figures::{CPU_RATIO, Figure, Pair};
use crate::run::Run;
use crate::stats::Spread;

/// A case's valid pairs of runs. There is at least one.
pub(crate) struct Outcome {
    pub(crate) case: &'static Case,
    pub(crate) pairs: Vec<Pair>,
}

impl Outcome {
    /// Whether the machine was too busy. Only the reference shows this, because it has a single
    /// thread; the relay's threads also wait for one another.
    fn contended(&self) -> bool {
        let waited = self.pairs.iter().map(|(_, other)| other.waited_percent());
        self.case.sides == Sides::Reference && Spread::of(waited).median > MAX_WAITED_PERCENT
    }
}

/// Both tables: the bounds, and the measurements of both sides.
pub(crate) fn tables(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| case | figure | median | quartiles | floor | goal | |\n|---|---|---|---|---|---|---|\n",
    );
    for Outcome { case, pairs } in outcomes {
        let name = case.name;
        let is_ratio = |bound: &Bound| bound.figure.name == CPU_RATIO.name;
        if !case.bounds.iter().any(is_ratio) {
            let (cells, _) = measured(&CPU_RATIO, pairs);
            let _ = writeln!(text, "| `{name}` | {cells} | | | |");
        }
        for bound in case.bounds {
            let (cells, median) = measured(bound.figure, pairs);
            let relation = if bound.figure.is_minimum { ">=" } else { "<=" };
            let digits = bound.figure.digits;
            let limit = |limit: f64| format!("{relation} {limit:.digits$}");
            let _ = writeln!(
                text,
                "| `{name}` | {cells} | {} | {} | {} |",
                limit(bound.floor),
                bound.goal.map_or(String::new(), limit),
                verdict(bound, median)
            );
        }
    }
    text += "\nMedians of the runs. A single run is off by up to a quarter:\n\n\
             | case | pairs | side | CPU per frame | of a core | waited for it | kernel's share | delivered | age p50 | p99 | memory per viewer | viewers' CPU | waited |\n\
             |---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    for Outcome { case, pairs } in outcomes {
        let (ours, other): (Vec<&Run>, Vec<&Run>) = pairs.iter().map(|(a, b)| (a, b)).unzip();
        let names = case.sides.names();
        side(&mut text, case, names.0, &ours);
        side(&mut text, case, names.1, &other);
    }
    let contended = outcomes.iter().filter(|outcome| outcome.contended());
    let names: Vec<&str> = contended.map(|outcome| outcome.case.name).collect();
    if !names.is_empty() {
        let _ = write!(
            text,
            "\nOther programs kept this machine busy: in {} the reference waited more than {MAX_WAITED_PERCENT} % of \
             the time for its core. They caused losses and ages too, so the ratio is less reliable.\n",
            names.join(", ")
        );
    }
    text
}

/// The table's row of one side.
fn side(text: &mut String, case: &Case, name: &str, runs: &[&Run]) {
    let median = |value: fn(&Run) -> f64| Spread::of(runs.iter().map(|run| value(run))).median;
    let _ = writeln!(
        text,
        "| `{}` | {} | {name} | {:.2} us | {:.1} % | {:.0} % | {:.0} % | {:.2} % | {:.1} ms | {:.1} ms | {:.1} KiB | {:.0} % | {:.0} % |",
        case.name,
        runs.len(),
        median(Run::cpu_us),
        median(Run::core_percent),
        median(Run::waited_percent),
        median(Run::kernel_percent),
        median(Run::delivered_percent),
        median(|run| run.counts.age_ms.p50),
        median(|run| run.counts.age_ms.p99),
        median(Run::rss_kib_per_viewer),
        median(|run| 100.0 * run.load_cpu),
        median(|run| 100.0 * run.load_waited),
    );
}

/// The cells for a figure's name, median and quartiles, and the median itself.
fn measured(figure: &Figure, pairs: &[Pair]) -> (String, f64) {
    let digits = figure.digits;
    let Spread { median, quartiles } = (figure.of)(pairs);
    let quartiles = quartiles.map_or(String::new(), |(lower, upper)| {
        format!("{lower:.digits$} to {upper:.digits$}")
    });
    let cells = format!("{} | **{median:.digits$}** | {quartiles}", figure.name);
    (cells, median)
}

fn verdict(bound: &Bound, median: f64) -> &'static str {
    let holds = |limit: f64| match bound.figure.is_minimum {
        true => median >= limit,
        false => median <= limit,
    };
    match bound.goal {
        Some(goal) if holds(goal) => "goal",
        _ if holds(bound.floor) => "ok",
        _ => "**MISSED**",
    }
}

/// Above this, other programs kept the machine busy.
pub(crate) const MAX_WAITED_PERCENT: f64 = 5.0;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::cases::CASES;
    use crate::figures::{DELIVERED_PERCENT, MISSED};
    use crate::run::tests::report;

    #[test]
    fn verdicts_compare_with_floor_and_goal() {
        let verdict = |figure, floor, goal, measured| {
            let bound = Bound {
                figure,
                floor,
                goal,
            };
            verdict(&bound, measured)
        };
        assert_eq!(verdict(&CPU_RATIO, 1.2, Some(1.0), 0.9), "goal");
        assert_eq!(verdict(&CPU_RATIO, 1.2, Some(1.0), 1.2), "ok");
        assert_eq!(verdict(&CPU_RATIO, 1.2, Some(1.0), 1.21), "**MISSED**");
        assert_eq!(verdict(&CPU_RATIO, 1.2, Some(1.0), f64::NAN), "**MISSED**");
        assert_eq!(verdict(&DELIVERED_PERCENT, 99.0, None, 99.5), "ok");
        assert_eq!(verdict(&DELIVERED_PERCENT, 99.0, None, 98.9), "**MISSED**");
        assert_eq!(verdict(&MISSED, 0.0, None, 0.0), "ok");
        assert_eq!(verdict(&MISSED, 0.0, None, 1.0), "**MISSED**");
    }

    fn outcome(case: &'static Case, ours_ns: u64, other_wait_ns: u64) -> Outcome {
        let ours = report(|json| json["server"]["cpu"]["run_ns"] = ours_ns.into());
        let other = report(|json| json["server"]["cpu"]["wait_ns"] = other_wait_ns.into());
        Outcome {
            case,
            pairs: vec![(ours, other)],
        }
    }

    /// The tables in a text. All rows of a table must have as many cells as its head.
    pub(crate) fn tables_in(text: &str) -> Vec<&str> {
        let tables: Vec<&str> = text.split("\n\n").filter(|t| t.starts_with('|')).collect();
        for table in &tables {
            let mut cells = table.lines().map(|line| line.matches('|').count());
            let head = cells.next();
            assert!(cells.all(|row| Some(row) == head), "{table}");
        }
        tables
    }

    #[test]
    fn tables_have_a_row_for_each_case() {
        let quiet = CASES.iter().map(|case| outcome(case, 6_000_000_000, 0));
        let text = tables(&quiet.collect::<Vec<_>>());
        let tables = tables_in(&text);
        assert_eq!(tables.len(), 2);
        for case in CASES {
            let row = format!("| `{}` |", case.name);
            assert!(tables.iter().all(|table| table.contains(&row)), "{text}");
        }
        assert!(text.contains("CPU per frame, ratio | **1.20** |"), "{text}");
        assert!(!text.contains("Other programs"));
    }

    #[test]
    fn a_busy_machine_is_reported() {
        let busy = outcome(&CASES[0], 5_000_000_000, 600_000_000);
        assert!(tables(&[busy]).contains(&format!("in {} the reference waited", CASES[0].name)));
    }
}
