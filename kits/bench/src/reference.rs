//! Checks that the reference server does as little as it claims.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use kit::debian::on_path;

use crate::cases::Case;
use crate::programs::Programs;
use crate::side::Side;

pub(crate) fn verify(programs: &Programs) -> Result<()> {
    let run = Side::REFERENCE.run(programs, &TIMED, SECONDS)?;
    let kernel = run.kernel_percent();
    println!(
        "reference: {kernel:.1} % of its CPU time is the kernel's ({} ticks)",
        run.server.cpu.user_ticks + run.server.cpu.kernel_ticks
    );
    ensure!(
        kernel >= MIN_KERNEL_PERCENT,
        "the reference spends more than {} % of its time in its own code",
        100.0 - MIN_KERNEL_PERCENT
    );
    if !on_path("strace") {
        println!(
            "reference: SKIPPED: no strace to count its calls; install it with `apt-get install strace`"
        );
        return Ok(());
    }
    traced(programs)
}

fn traced(programs: &Programs) -> Result<()> {
    let summary = std::env::temp_dir().join(format!("fanout-{}.strace", std::process::id()));
    let path = summary.to_str().context("the path is not UTF-8")?;
    let calls = format!("trace=writev,{}", OTHER_WRITES.join(","));
    let tracer = ["strace", "-f", "-c", "-o", path, "-e", &calls];
    let side = Side {
        tracer: &tracer,
        ..Side::REFERENCE
    };
    let run = side.run(programs, &TRACED, SECONDS);
    let text = fs::read_to_string(&summary).unwrap_or_default();
    // If this fails, a temporary file stays behind.
    let _ = fs::remove_file(&summary);
    let run = run?;
    let writev = calls_of(&text, "writev").context("strace shows no writev")?;
    let others = OTHER_WRITES.iter().filter_map(|call| calls_of(&text, call));
    let others: u64 = others.sum();
    println!(
        "reference: {writev} writev and {others} other writes for {} frames to {} viewers",
        run.counts.total, run.viewers
    );
    // Frames in flight when the viewers left reached no viewer.
    let most = run.counts.total + IN_FLIGHT_PER_VIEWER * run.viewers;
    ensure!(
        (run.counts.total..=most).contains(&writev),
        "one writev per viewer and frame would be {} to {most}",
        run.counts.total
    );
    // The responses' heads, and the server's URL.
    let heads = run.viewers + 1;
    ensure!(
        others <= heads,
        "a head per viewer would be {heads} other writes"
    );
    println!("reference: ok");
    Ok(())
}

/// The count in a line of `strace -c`: `99.12    0.012345          12      1034         2 writev`.
fn calls_of(summary: &str, call: &str) -> Option<u64> {
    let mut lines = summary.lines().map(|line| line.split_whitespace());
    let line = lines.find(|words| words.clone().last() == Some(call))?;
    line.clone().nth(3)?.parse().ok()
}

/// Light, because the tracer stops the server at each call.
const TRACED: Case = Case::new("20kB_10fps_50", 20_000, 10, 50);
/// Enough work to read the kernel's share from the coarse clock ticks.
const TIMED: Case = Case::new("20kB_30fps_1000", 20_000, 30, 1000);
const SECONDS: u64 = 8;
const MIN_KERNEL_PERCENT: f64 = 95.0;
const IN_FLIGHT_PER_VIEWER: u64 = 2;
const OTHER_WRITES: [&str; 8] = [
    "write", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg", "sendfile", "splice",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_with_errors_or_without() {
        let summary = "% time     seconds  usecs/call     calls    errors syscall\n\
                       ------ ----------- ----------- --------- --------- ----------------\n\
                        99.12    0.012345          12      1034         2 writev\n\
                         0.88    0.000110           2        51           sendto\n\
                       ------ ----------- ----------- --------- --------- ----------------\n\
                       100.00    0.012455          11      1085         2 total\n";
        assert_eq!(calls_of(summary, "writev"), Some(1034));
        assert_eq!(calls_of(summary, "sendto"), Some(51));
        assert_eq!(calls_of(summary, "write"), None);
    }
}
