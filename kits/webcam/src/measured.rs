//! What the machine measured, as a table.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

/// Makes the table of the lines `== measured PROGRAM-VIEWERS TICKS FRAMES`, and says what the
/// programs ran on.
pub(crate) fn table(said: &[String]) -> Result<String> {
    let mut costs: BTreeMap<u32, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for line in said {
        let Some(words) = line.strip_prefix("== measured ") else {
            continue;
        };
        let words: Vec<_> = words.split(' ').collect();
        let &[name, ticks, frames] = &words[..] else {
            continue;
        };
        let (program, viewers) = name.rsplit_once('-').context("PROGRAM-VIEWERS")?;
        let (ticks, frames): (f64, f64) = (ticks.parse()?, frames.parse()?);
        let of_program = costs.entry(viewers.parse()?).or_default();
        // A tick of /proc is 10 ms.
        of_program
            .entry(program)
            .or_default()
            .push(ticks * 10.0 / frames);
    }
    // The firmware's control characters stand in front of the first line.
    let kernel = said.iter().find_map(|line| line.split_once("== kernel "));
    let kernel = kernel.map(|(_, kernel)| kernel);
    let mut text = format!(
        "CPU time per picture of 1280x720 and 100 kB at 30 per second, of each of two runs of 40 s,\n\
         on v4l2loopback and Linux {} in an emulated machine (QEMU without acceleration):\n\n\
         | viewers | mjpeg-server | ustreamer, passing MJPG through |\n|---|---|---|\n",
        kernel.context("the machine did not say what it is")?
    );
    for (viewers, of_program) in costs {
        let cell = |program| {
            let costs = of_program.get(program).into_iter().flatten();
            let costs: Vec<_> = costs.map(|ms| format!("{ms:.2} ms")).collect();
            costs.join(", ")
        };
        text += &format!(
            "| {viewers} | {} | {} |\n",
            cell("relay"),
            cell("ustreamer")
        );
    }
    Ok(text)
}
