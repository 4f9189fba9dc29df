//! Random changes.

use std::collections::HashMap;

use fastrand::Rng;
use serde_json::{Value, json};

use super::model::{Condition, Edit, Keys, Mode, Model, Op, StoredFile, Version};

/// What happens before all is compared.
#[derive(Debug)]
pub(super) enum Batch {
    Restart,
    /// Of a file that the API may be about to write, which is why nothing else runs.
    Edit(Edit),
    /// What each of several does, one after the other.
    AtOnce(Vec<Vec<Op>>),
}

/// Makes the next changes of a relay that may be like this.
pub(super) fn batch(
    random: &mut Rng,
    model: &Model,
    tags: &HashMap<String, Version>,
    number: usize,
) -> Batch {
    match random.u8(..20) {
        0 if model.is_valid() => Batch::Restart,
        1..4 => Batch::Edit(Edit::Stored {
            name: name(random),
            file: random.bool().then(|| StoredFile {
                is_of_api: random.bool(),
                keys: right_keys(random),
            }),
        }),
        _ => {
            let mut lanes = Vec::new();
            for _ in 0..random.usize(1..=3) {
                let ops = (0..random.usize(1..=2)).map(|_| client(random, tags));
                lanes.push(ops.collect());
            }
            if random.u8(..4) == 0 {
                lanes.push(vec![Op::Edit(main(random, model))]);
            }
            // Its pipe must not fill up with what nobody reads.
            if random.u8(..4) == 0 || number.is_multiple_of(10) {
                lanes.push(vec![Op::HangUp]);
            }
            Batch::AtOnce(lanes)
        }
    }
}

fn client(random: &mut Rng, tags: &HashMap<String, Version>) -> Op {
    let name = name(random);
    match random.u8(..14) {
        0..3 => Op::Set {
            name,
            mode: Mode::Create {
                start: ["retry", "require"][random.usize(..2)],
            },
            persist: is_kept(random),
            keys: keys(random),
            condition: Condition::None,
        },
        3..5 => Op::Set {
            name,
            mode: Mode::Replace,
            persist: is_kept(random),
            keys: keys(random),
            condition: condition(random, tags),
        },
        5..9 => Op::Set {
            name,
            mode: Mode::Merge,
            persist: is_kept(random),
            keys: some_keys(random),
            condition: condition(random, tags),
        },
        9..11 => Op::Remove {
            name,
            persist: is_kept(random),
            condition: condition(random, tags),
        },
        11..13 => Op::Steer {
            name,
            pauses: random.bool(),
        },
        _ => Op::Reload {
            dry_run: random.u8(..4) == 0,
        },
    }
}

/// Few names, so that they meet.
fn name(random: &mut Rng) -> String {
    ["a", "b", "c"][random.usize(..3)].into()
}

fn is_kept(random: &mut Rng) -> bool {
    random.u8(..3) > 0
}

fn condition(random: &mut Rng, tags: &HashMap<String, Version>) -> Condition {
    match random.u8(..8) {
        0 => Condition::Exists,
        1 => Condition::Absent,
        2..6 => {
            // Mostly of this start, in an order that a seed repeats.
            let latest = tags.values().map(|version| version.boot).max();
            let mut tags: Vec<_> = tags.iter().collect();
            tags.retain(|(_, version)| Some(version.boot) == latest);
            tags.sort_by_key(|(_, version)| format!("{version:?}"));
            match random.choice(&tags) {
                Some((tag, _)) => Condition::Tag((*tag).clone()),
                None => Condition::None,
            }
        }
        _ => Condition::None,
    }
}

/// All keys of a stream.
fn keys(random: &mut Rng) -> Keys {
    let mut keys = some_keys(random);
    keys.retain(|_, value| !value.is_null());
    keys.insert("source".into(), source(random));
    keys
}

/// All keys of a stream, none of them wrong.
fn right_keys(random: &mut Rng) -> Keys {
    let mut keys = keys(random);
    keys.remove("colour");
    keys.insert("max_fps".into(), random.u8(1..4).into());
    keys
}

/// Some keys, few of them wrong.
fn some_keys(random: &mut Rng) -> Keys {
    let mut keys = Keys::new();
    let mut maybe = |key: &str, values: &[Value]| {
        if let Some(value) = values.get(random.usize(..2 * values.len())) {
            keys.insert(key.into(), value.clone());
        }
    };
    maybe("max_fps", &[1.into(), 2.into(), Value::Null]);
    maybe("linger", &["5s".into(), Value::Null]);
    match random.u8(..16) {
        0 => drop(keys.insert("colour".into(), 1.into())),
        1 => drop(keys.insert("max_fps".into(), "many".into())),
        2 => drop(keys.insert("source".into(), source(random))),
        _ => {}
    }
    keys
}

fn source(random: &mut Rng) -> Value {
    let fps = random.u8(5..7);
    json!(format!("test:?name=test&size=32x32&fps={fps}"))
}

/// Another main file.
fn main(random: &mut Rng, model: &Model) -> Edit {
    let mut streams = model.main.clone();
    let name = name(random);
    match random.u8(..3) {
        0 => drop(streams.remove(&name)),
        _ => {
            streams.insert(name, right_keys(random));
        }
    }
    Edit::Main {
        streams,
        is_broken: random.u8(..6) == 0,
    }
}
