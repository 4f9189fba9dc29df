//! Judges what the pictures are like.

use super::{
    evidence::ProbeEvidence,
    finding::{FindingLevel, ProbeFinding},
    tally::ProbeTally,
};

/// Judges the pictures, and what came between them.
pub(super) fn findings(evidence: &ProbeEvidence, found: &mut Vec<ProbeFinding>) {
    let tally = &evidence.tally;
    repairs(tally, found);
    losses(tally, found);
    between(tally, found);
    contents(tally, found);
}

/// What the relay repairs.
fn repairs(tally: &ProbeTally, found: &mut Vec<ProbeFinding>) {
    for (name, key, text) in [
        (
            "eoi",
            "no_eoi",
            "Its pictures lack the marker of their end (EOI), so that some viewers do not show them; \
             the relay appends it.",
        ),
        (
            "huffman_tables",
            "no_huffman_tables",
            "Its pictures lack the Huffman tables (DHT), without which browsers do not show them; \
             the relay inserts the standard ones.",
        ),
        (
            "embedded_markers",
            "embedded_markers",
            "Its pictures hold a thumbnail or comment with the markers of a picture in it, at which \
             some viewers cut; the relay removes it.",
        ),
    ] {
        if tally.repaired(name) > 0 {
            let word = name.replace('_', "-");
            let advice = format!("Leave \"{word}\" in the key repair, where it is by default.");
            found.push(ProbeFinding::quirk(key, text).with_advice(advice));
        }
    }
}

/// Pictures that were lost.
fn losses(tally: &ProbeTally, found: &mut Vec<ProbeFinding>) {
    let whole = tally.counted();
    let mut lost = |reason, code, what: &str, advice: &str| {
        let count = tally.lost(reason).count;
        if count > 0 {
            let text = format!("{count} pictures {what}, and {whole} were whole.");
            found.push(ProbeFinding::new(FindingLevel::Problem, code, text, advice));
        }
    };
    const NETWORK: &str = "Look for a weak network (WLAN), a weak power supply, or a camera that is \
                           overloaded: try a lower rate or quality.";
    lost("truncated", "truncated", "broke off", NETWORK);
    lost(
        "malformed",
        "malformed",
        "were no valid JPEG images",
        NETWORK,
    );
    lost("lost_packets", "lost_packets", "missed packets", NETWORK);
    lost(
        "driver_dropped",
        "driver_dropped",
        "were dropped by the camera's driver",
        "Use another USB port or cable, or a smaller size or rate.",
    );
    lost(
        "too_large",
        "too_large",
        "were larger than 16 MiB",
        "Choose a smaller size or a lower quality in the camera's settings.",
    );
}

/// What came between the pictures.
fn between(tally: &ProbeTally, found: &mut Vec<ProbeFinding>) {
    if tally.lost("extra_image").count > 0 {
        let text = "A preview or second picture follows each picture; the relay passes on the first \
                    alone.";
        found.push(ProbeFinding::quirk("extra_image", text));
    }
    if tally.lost("not_jpeg").bytes > 0 {
        let text = "Parts that are no pictures, such as sound or text, come between the pictures; \
                    the relay passes over them.";
        found.push(ProbeFinding::quirk("not_jpeg", text));
    }
    let garbage = tally.lost("garbage").bytes;
    if garbage > GARBAGE_PER_PICTURE * tally.counted().max(1) {
        let text =
            format!("{garbage} bytes between its pictures belong to none; they are skipped.");
        found.push(ProbeFinding::quirk("garbage", text));
    }
    if tally.lost("flood").count > 0 {
        let text = "It sends so many markers or header lines without pictures that it counts as a \
                    flood, and is read more slowly.";
        let advice = "Check that this is the URL of a camera's stream.";
        found.push(ProbeFinding::new(
            FindingLevel::Problem,
            "flood",
            text,
            advice,
        ));
    }
}

/// What is in the pictures.
fn contents(tally: &ProbeTally, found: &mut Vec<ProbeFinding>) {
    let coding = tally.coding().unwrap_or_default();
    if tally.unsupported() > 0 {
        let text = format!("Its pictures are of a kind that browsers do not show ({coding}).");
        let advice = "Choose plain JPEG in the camera's settings; with pass_unsupported the relay \
                      passes them on to other viewers.";
        let level = FindingLevel::Problem;
        let finding = ProbeFinding::new(level, "unsupported", text, advice);
        found.push(finding.setting("pass_unsupported", "true"));
    }
    let (checked, damaged) = tally.damage();
    if damaged > 0 {
        let text = format!("{damaged} of {checked} pictures are damaged inside.");
        let advice = "With check_frames the relay holds them back.";
        let level = FindingLevel::Problem;
        let finding = ProbeFinding::new(level, "damaged", text, advice);
        found.push(finding.setting("check_frames", "true"));
    }
    if tally.sizes_changed() > 0 {
        let times = tally.sizes_changed();
        let text = format!("The size of its pictures changed {times} times.");
        found.push(ProbeFinding::quirk("size_changes", text));
    }
    if tally.frames() >= FROZEN && tally.same() + 1 == tally.frames() {
        let text = "All its pictures are the same, byte for byte: it may be frozen.";
        let advice = "Restart the camera, unless it sends a still picture on purpose.";
        found.push(ProbeFinding::new(
            FindingLevel::Problem,
            "frozen",
            text,
            advice,
        ));
    }
}

/// Line ends and padding come between pictures without harm.
const GARBAGE_PER_PICTURE: u64 = 16;

/// With how many equal pictures a camera is suspected to be frozen.
const FROZEN: u64 = 10;
