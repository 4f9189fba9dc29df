//! The breadth-first search over the states of a world.

use std::{
    collections::HashSet,
    fmt::Write,
    hash::{Hash, Hasher},
};

use crate::node::model::{
    bounds::SearchBounds,
    world::{World, WorldEvent},
};

/// Visits all states. Returns how many there are, or how one came about that must not be.
pub(super) fn explore(first: &World, bounds: SearchBounds) -> Result<usize, String> {
    let mut search = Search {
        first: first.clone(),
        steps: vec![(0, WorldEvent::Tick)],
        met: HashSet::new(),
    };
    search.first.begin(bounds);
    let first = search.first.clone();
    search.met.insert(key(&first));
    let mut frontier = vec![(0, first)];
    while !frontier.is_empty() {
        let mut next = Vec::new();
        for (step, world) in frontier {
            let events = world.events();
            if events.is_empty() || step % 64 == 0 {
                // Nothing may have been broken for good. Checked at each end, and on the way there.
                if let Err(wrong) = world.clone().recovers() {
                    return Err(search.trace(step, &wrong));
                }
            }
            for event in events {
                let mut world = world.clone();
                let outcome = world.happens(&event);
                if !search.met.insert(key(&world)) && outcome.is_ok() {
                    continue;
                }
                let at = search.steps.len();
                search.steps.push((step, event));
                outcome.map_err(|wrong: String| search.trace(at, &wrong))?;
                next.push((at, world));
            }
        }
        frontier = next;
    }
    Ok(search.steps.len())
}

struct Search {
    first: World,
    /// Each state as its predecessor and what happened there.
    steps: Vec<(usize, WorldEvent)>,
    met: HashSet<u128>,
}

impl Search {
    fn trace(&self, mut at: usize, wrong: &str) -> String {
        let mut events = Vec::new();
        while at != 0 {
            let (before, event) = &self.steps[at];
            events.push(*event);
            at = *before;
        }
        let mut trace = format!("{wrong}, after {} events:\n", events.len());
        let mut world = self.first.clone();
        for event in events.into_iter().rev() {
            writeln!(trace, "  {}", world.describe(&event)).expect("text grows");
            let _ = world.happens(&event);
        }
        trace
    }
}

/// Two different states have the same key with a probability that can be neglected.
fn key(world: &World) -> u128 {
    let mut hasher = Wide { low: 1, high: 2 };
    world.hash(&mut hasher);
    let stir = |half: u64| u128::from((half ^ (half >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9));
    (stir(hasher.high) << 64) | stir(hasher.low)
}

/// Two halves that are fed the same in one pass: the search takes most of its time here.
struct Wide {
    low: u64,
    high: u64,
}

impl Wide {
    fn add(&mut self, word: u64) {
        self.low = (self.low.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        self.high = (self.high.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Wide {
    fn finish(&self) -> u64 {
        self.low
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.add(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.add(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.add(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.add(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.add(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.add(value as u64);
    }

    fn write_i64(&mut self, value: i64) {
        self.add(value as u64);
    }
}
