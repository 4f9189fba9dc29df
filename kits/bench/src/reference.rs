//! Checks that the reference is what it claims to be.

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};

use crate::cases::Case;
use crate::programs::{Programs, Server};

/// Light, because the tracer stops the server at each call.
const TRACED: Case = Case::new("20kB_10fps_50", 20_000, 10, 50);

/// Enough work to read the kernel's share from the clock's ticks.
const TIMED: Case = Case::new("20kB_30fps_1000", 20_000, 30, 1000);

pub(crate) fn verify(programs: &Programs) -> Result<()> {
    let run = programs.run(&TIMED, &Server::ceiling(), SECONDS)?;
    let kernel = run.kernel_percent();
    println!(
        "reference: {kernel:.1} % of its CPU time is the kernel's ({} ticks)",
        run.server.cpu.user_ticks + run.server.cpu.kernel_ticks
    );
    ensure!(
        kernel >= KERNEL_AT_LEAST_PERCENT,
        "the reference spends more than {} % of its time on itself",
        100.0 - KERNEL_AT_LEAST_PERCENT
    );
    traced(programs)
}

fn traced(programs: &Programs) -> Result<()> {
    if std::process::Command::new("strace")
        .arg("-V")
        .output()
        .is_err()
    {
        println!(
            "reference: SKIPPED: there is no strace to count its calls; `apt-get install strace`"
        );
        return Ok(());
    }
    let summary = std::env::temp_dir().join(format!("fanout-{}.strace", std::process::id()));
    let path = summary.to_str().context("the path is text")?;
    let calls = "trace=write,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg,sendfile,splice";
    let tracer = ["strace", "-f", "-c", "-o", path, "-e", calls];
    let run = programs.run(&TRACED, &Server::ceiling_by(&tracer), SECONDS);
    let text = fs::read_to_string(&summary).unwrap_or_default();
    // A temporary file: an error is harmless.
    let _ = fs::remove_file(&summary);
    let run = run?;
    let writev = calls_of(&text, "writev").context("strace shows no writev")?;
    let others: u64 = OTHERS.iter().filter_map(|call| calls_of(&text, call)).sum();
    println!(
        "reference: {writev} writev and {others} other writes for {} frames to {} viewers",
        run.total, run.viewers
    );
    // Frames that were on their way when the viewers left reached no viewer.
    let most = run.total + AT_THE_END_PER_VIEWER * run.viewers;
    if writev < run.total || writev > most {
        bail!(
            "one writev per viewer and frame would be {} to {most}",
            run.total
        );
    }
    // The responses' heads, and its own URL.
    if others > run.viewers + 1 {
        bail!(
            "a head per viewer would be {} other writes",
            run.viewers + 1
        );
    }
    println!("reference: ok");
    Ok(())
}

/// The count in a line of `strace -c`: `99.12    0.012345          12      1034         2 writev`.
fn calls_of(summary: &str, call: &str) -> Option<u64> {
    let mut lines = summary.lines().map(|line| line.split_whitespace());
    let line = lines.find(|words| words.clone().last() == Some(call))?;
    line.clone().nth(3)?.parse().ok()
}

const SECONDS: u64 = 8;
const KERNEL_AT_LEAST_PERCENT: f64 = 95.0;
const AT_THE_END_PER_VIEWER: u64 = 2;
const OTHERS: [&str; 8] = [
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
