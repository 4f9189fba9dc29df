//! Mistakes that the enumeration must find: otherwise it would prove nothing.

use crate::node::{
    faults::Mistakes,
    model::{bounds::SearchBounds, explore::explore, joining, settled, world::Fault},
};

/// Explores nodes that make a mistake, and shows how they got two owners.
fn found(faults: Mistakes, bounds: SearchBounds) {
    let trace = explore(&settled("door", faults), bounds).expect_err("a mistake");
    println!("{trace}");
}

#[test]
fn fence_that_is_not_enforced_is_found() {
    let faults = Mistakes {
        no_fence: true,
        ..Mistakes::default()
    };
    found(faults, SearchBounds::new(1, 8));
}

#[test]
fn resuming_from_what_the_view_says_is_found() {
    let faults = Mistakes {
        resume_from_view: true,
        ..Mistakes::default()
    };
    found(faults, SearchBounds::new(2, 9));
}

#[test]
fn release_of_whatever_is_there_is_found() {
    let faults = Mistakes {
        release_without_compare: true,
        ..Mistakes::default()
    };
    let kinds = Fault::GiveUp(0).bit() | Fault::LATE_RELEASE | Fault::WatchLags(0).bit();
    found(faults, SearchBounds::new(3, 14).only(kinds));
}

#[test]
fn deadline_that_counts_from_the_answer_is_found() {
    let faults = Mistakes {
        deadline_from_answer: true,
        ..Mistakes::default()
    };
    let kinds = Fault::Late(0).bit() | Fault::CutEngine(0).bit();
    found(faults, SearchBounds::new(2, 9).only(kinds));
}

#[test]
fn hold_that_takes_silence_for_agreement_is_found() {
    let faults = Mistakes {
        silence_agrees: true,
        ..Mistakes::default()
    };
    found(faults, SearchBounds::new(2, 9).only(CUTS));
}

#[test]
fn claim_against_ones_word_is_found() {
    let faults = Mistakes {
        broken_promise: true,
        ..Mistakes::default()
    };
    found(faults, SearchBounds::new(2, 12).only(CUTS));
}

#[test]
fn claim_of_a_member_that_nobody_knows_is_found() {
    let faults = Mistakes {
        unadmitted_claims: true,
        ..Mistakes::default()
    };
    let trace =
        explore(&joining(faults), SearchBounds::new(2, 12).only(CUTS)).expect_err("a mistake");
    println!("{trace}");
}

#[test]
fn new_lease_that_counts_for_older_claims_is_found() {
    let faults = Mistakes {
        renewing_counts_as_renewed: true,
        ..Mistakes::default()
    };
    found(faults, SearchBounds::new(2, 9).only(CUTS));
}

/// Cut links alone, which find it in seconds.
const CUTS: u16 = Fault::CutEngine(0).bit() | Fault::CutPeers.bit();
