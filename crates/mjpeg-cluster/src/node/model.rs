//! Every interleaving of what can happen to two nodes, within bounds: messages in any order, lost
//! answers, late requests, watches that lag, cut links, restarts, frozen processes, an engine that
//! goes away.
//!
//! From a calm beginning, all successors of every state are visited, breadth first; a state that
//! was met before is not visited again. Time passes in fifths of a lease, and only when everything
//! that is under way has arrived, unless a fault delays it. The number of faults is bounded.

mod bounds;
mod explore;
mod planted;
mod world;

use std::time::Duration;

use crate::node::{
    faults::Mistakes,
    model::{
        bounds::SearchBounds,
        explore::explore,
        world::{Fault, World},
    },
};

const TICK: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(5);

/// Two nodes that have been up for a while, one of which owns the stream.
fn settled(stream: &str, faults: Mistakes) -> World {
    let mut world = World::new(stream, &["a", "b"], faults);
    assert_eq!(world.calm(20), Some(()), "one owner");
    world
}

#[test]
fn never_two_owners_and_one_when_all_is_well_again() {
    for (stream, bounds) in [
        ("door", SearchBounds::new(2, 5)),
        ("yard", SearchBounds::new(1, 11)),
    ] {
        check(&settled(stream, Mistakes::default()), bounds);
    }
}

#[test]
fn never_two_owners_while_a_new_member_joins() {
    check(&joining(Mistakes::default()), SearchBounds::new(1, 10));
}

#[test]
fn never_two_owners_of_three_nodes() {
    let mut world = World::new("door", &["a", "b", "c"], Mistakes::default());
    assert_eq!(world.calm(20), Some(()), "one owner");
    check(&world, SearchBounds::new(1, 5));
}

#[test]
fn never_two_owners_while_an_owner_claims_anew() {
    let kinds = Fault::CutEngine(0).bit() | Fault::CutPeers.bit();
    let bounds = SearchBounds::new(2, 7).only(kinds);
    check(&settled("door", Mistakes::default()), bounds);
}

#[test]
fn owner_stays_when_all_links_to_the_engine_are_cut_for_longer_than_a_lease() {
    for stream in ["door", "yard", "hall", "gate"] {
        let mut world = settled(stream, Mistakes::default());
        assert_eq!(
            world.keeps_its_owner_through_a_cut(14),
            Ok(true),
            "{stream}"
        );
    }
}

#[test]
fn never_two_owners_while_an_operator_moves_the_stream() {
    for (stream, kinds) in [
        (
            "door",
            Fault::MOVES | Fault::CutEngine(0).bit() | Fault::Restart(0).bit(),
        ),
        (
            "yard",
            Fault::MOVES | Fault::Late(0).bit() | Fault::WatchLags(0).bit(),
        ),
    ] {
        let bounds = SearchBounds::new(2, 5).only(kinds);
        check(&settled(stream, Mistakes::default()), bounds);
    }
}

#[test]
fn stream_is_moved_to_the_node_that_is_named_and_stays_there() {
    for stream in ["door", "yard", "hall", "gate"] {
        let mut world = settled(stream, Mistakes::default());
        for _ in 0..3 {
            assert_eq!(world.moves_to_another(), Ok(true), "{stream}");
            let owner = world.owner();
            world.calm(20);
            assert_eq!(world.owner(), owner, "{stream}");
        }
    }
}

/// The same, further: minutes and gigabytes.
#[test]
#[ignore = "takes minutes; run it after a change to `node`"]
fn never_two_owners_in_a_wider_search() {
    for stream in ["door", "yard"] {
        check(
            &settled(stream, Mistakes::default()),
            SearchBounds::new(2, 9),
        );
    }
    check(&joining(Mistakes::default()), SearchBounds::new(2, 9));
    let mut world = World::new("door", &["a", "b", "c"], Mistakes::default());
    assert_eq!(world.calm(20), Some(()), "one owner");
    check(&world, SearchBounds::new(1, 7));
    let cuts = SearchBounds::new(2, 14).only(Fault::CutEngine(0).bit() | Fault::CutPeers.bit());
    check(&settled("yard", Mistakes::default()), cuts);
    let moving = SearchBounds::new(2, 9).only(u16::MAX);
    check(&settled("door", Mistakes::default()), moving);
}

fn check(world: &World, bounds: SearchBounds) {
    let states = explore(world, bounds).unwrap_or_else(|trace| panic!("{trace}"));
    println!("{bounds:?}: {states} states");
}

/// A node that owns the stream, and one that was never here.
fn joining(faults: Mistakes) -> World {
    let mut world = World::new("door", &["a"], faults);
    assert_eq!(world.calm(20), Some(()), "one owner");
    world.join("b");
    world
}
