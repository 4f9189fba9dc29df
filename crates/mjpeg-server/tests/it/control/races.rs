//! Changes by several clients, reloads, edits of files and restarts in random order. Afterwards the
//! disk, the relay and its answers must agree with a model, in some order of what ran at once.

mod bystander;
mod model;
mod seen;
mod steps;

use std::{collections::HashMap, env, fs, time::Duration};

use fastrand::Rng;
use futures_util::future::join_all;
use mjpeg_testkit::{Camera, Script, jpeg};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use self::{
    bystander::Bystander,
    model::{Edit, Mode, Model, Op, Outcome, Version},
    seen::Seen,
    steps::{Batch, batch},
};
use super::{Answer, Controlled, GATEWAY, INCLUDE};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disk_memory_and_answers_agree_after_any_order_of_changes() {
    race(60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; run it after a change to the editor, the reloader or the API"]
async fn disk_memory_and_answers_agree_after_a_thousand_orders_of_changes() {
    race(1000).await;
}

/// Makes this many batches of changes. `MJPEG_RACES_SEED` repeats a run.
async fn race(batches: usize) {
    let seed = env::var("MJPEG_RACES_SEED").ok();
    let seed = seed.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a number"));
    println!("MJPEG_RACES_SEED={seed}");
    let frames = (0..bystander::FRAMES).map(jpeg::numbered).collect();
    let camera = Camera::start(Script::live(frames, Duration::from_millis(20))).await;
    let mut race = Race::new(seed, camera.url()).await;
    for number in 0..batches {
        let batch = batch(&mut race.random, &race.candidates[0], &race.tags, number);
        race.run(batch).await;
    }
    race.end_bystander().await;
}

/// A relay, and what it may be.
struct Race {
    random: Rng,
    relay: Controlled,
    /// The part of the file that stays.
    fixed: String,
    /// The states that all answers so far allow. Mostly it is one.
    candidates: Vec<Model>,
    /// What each version was of that was ever told.
    tags: HashMap<String, Version>,
    /// `None` while the relay restarts.
    bystander: Option<Bystander>,
}

impl Race {
    async fn new(seed: u64, camera: String) -> Self {
        let watched = format!("[[streams]]\nname = \"watched\"\nsource = \"{camera}\"\n");
        let fixed = [INCLUDE, GATEWAY, &watched].concat();
        let relay = Controlled::of(&fixed);
        Self {
            random: Rng::with_seed(seed),
            bystander: Some(Bystander::open(relay.addr()).await),
            relay,
            fixed,
            candidates: vec![Model::default()],
            tags: HashMap::new(),
        }
    }

    async fn run(&mut self, batch: Batch) {
        println!("{batch:?}");
        match batch {
            Batch::Restart => {
                self.end_bystander().await;
                self.relay.restart();
                self.bystander = Some(Bystander::open(self.relay.addr()).await);
                self.candidates.iter_mut().for_each(Model::restart);
            }
            Batch::Edit(edit) => {
                self.write(&edit);
                self.candidates
                    .iter_mut()
                    .for_each(|model| model.edit(&edit));
            }
            Batch::AtOnce(lanes) => self.at_once(lanes).await,
        }
        self.agree().await;
    }

    /// Lets each lane do its part, all at once, and keeps the states that some order explains.
    async fn at_once(&mut self, lanes: Vec<Vec<Op>>) {
        let doing = lanes.iter().map(async |lane| {
            let mut outcomes = Vec::new();
            for op in lane {
                outcomes.push(self.perform(op).await);
            }
            outcomes
        });
        let outcomes: Vec<Vec<Outcome>> = join_all(doing).await;
        let ops = || lanes.iter().flatten();
        for _ in ops().filter(|op| op.is_reload()) {
            while !is_end(self.relay.server.stderr_until("configuration ").last()) {}
        }
        let mut after = Vec::new();
        for model in &self.candidates {
            let mut done = vec![0; lanes.len()];
            explain(model, &lanes, &outcomes, &mut done, &self.tags, &mut after);
        }
        assert!(
            !after.is_empty(),
            "no order explains {lanes:#?}\n{outcomes:#?}\nfrom {:#?}",
            self.candidates
        );
        self.candidates = after;
        for outcome in outcomes.into_iter().flatten() {
            self.learn(outcome.tag, outcome.version);
        }
    }

    /// Asks the relay, and returns what it says.
    async fn perform(&self, op: &Op) -> Outcome {
        let (method, path, headers, body) = match op {
            Op::Set {
                name,
                mode,
                persist,
                keys,
                condition,
            } => {
                let mut body = Value::Object(keys.clone());
                let (method, path) = match mode {
                    Mode::Create { start } => {
                        body["name"] = name.clone().into();
                        body["start"] = (*start).into();
                        ("POST", "/streams".to_owned())
                    }
                    Mode::Replace => ("PUT", format!("/streams/{name}")),
                    Mode::Merge => ("PATCH", format!("/streams/{name}")),
                };
                (
                    method,
                    format!("{path}?persist={persist}"),
                    condition.header(),
                    body.to_string(),
                )
            }
            Op::Remove {
                name,
                persist,
                condition,
            } => {
                let path = format!("/streams/{name}?persist={persist}");
                ("DELETE", path, condition.header(), String::new())
            }
            Op::Steer { name, pauses } => {
                let word = if *pauses { "pause" } else { "resume" };
                (
                    "POST",
                    format!("/streams/{name}/{word}"),
                    String::new(),
                    String::new(),
                )
            }
            Op::Reload { dry_run } => {
                let path = format!("/reload?dry_run={dry_run}");
                ("POST", path, String::new(), String::new())
            }
            Op::HangUp => {
                self.relay.server.signal("HUP");
                return Outcome::default();
            }
            Op::Edit(edit) => {
                self.write(edit);
                return Outcome::default();
            }
        };
        let answer: Answer = self.relay.ask_with(method, &path, &headers, &body).await;
        Outcome::of(&answer, self.candidates[0].boot)
    }

    /// Changes a file by hand, in one step.
    fn write(&self, edit: &Edit) {
        let folder = &self.relay.folder;
        let put = |text: String, path: &str| {
            let new = folder.write("new", text);
            fs::rename(new, folder.path().join(path)).expect("renamed");
        };
        match edit {
            Edit::Main { streams, is_broken } => {
                let streams = streams.iter().map(|(name, keys)| model::text(name, keys));
                let rest = if *is_broken {
                    "[[streams]]\nname = \"half"
                } else {
                    ""
                };
                let text = self.fixed.clone() + &streams.collect::<String>() + rest;
                put(text, "mjpeg.toml");
            }
            Edit::Stored {
                name,
                file: Some(file),
            } => {
                let mark = if file.is_of_api { seen::MARK } else { "# mine" };
                let text = format!("{mark}\n{}", model::text(name, &file.keys));
                put(text, &format!("streams.d/{name}.toml"));
            }
            Edit::Stored { name, file: None } => {
                // It may be gone already.
                let _ = fs::remove_file(self.relay.stored(name));
            }
        }
    }

    /// Compares disk and memory with what they may be.
    async fn agree(&mut self) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let seen = Seen::of(&self.relay).await;
            let agreeing = self.candidates.iter().filter(|model| seen.agrees(model));
            let agreeing: Vec<Model> = agreeing.cloned().collect();
            if !agreeing.is_empty() {
                self.candidates = agreeing;
                let boot = self.candidates[0].boot;
                for (name, stream) in seen.streams {
                    let version = Version {
                        boot,
                        name,
                        origin: stream.origin,
                        keys: stream.keys,
                    };
                    self.learn(Some(stream.tag), Some(version));
                }
                break;
            }
            // A camera is paused in the background.
            let is_late = Instant::now() > until;
            assert!(!is_late, "{seen:#?}\nis none of {:#?}", self.candidates);
            sleep(Duration::from_millis(20)).await;
        }
        self.bystander.iter().for_each(Bystander::check);
    }

    async fn end_bystander(&mut self) {
        if let Some(bystander) = self.bystander.take() {
            bystander.end().await;
        }
    }

    /// Keeps what a version stands for, which is one thing for ever.
    fn learn(&mut self, tag: Option<String>, version: Option<Version>) {
        if let Some((tag, version)) = tag.zip(version) {
            let known = self.tags.entry(tag).or_insert_with(|| version.clone());
            assert_eq!(*known, version, "one version for two contents");
        }
    }
}

/// Whether a line says how a reload went.
fn is_end(line: Option<&String>) -> bool {
    let line = line.expect("a line");
    line.contains("configuration reloaded") || line.contains("configuration not")
}

/// Collects the states after each order of the rest that these outcomes allow.
fn explain(
    model: &Model,
    lanes: &[Vec<Op>],
    outcomes: &[Vec<Outcome>],
    done: &mut [usize],
    tags: &HashMap<String, Version>,
    after: &mut Vec<Model>,
) {
    let mut is_end = true;
    for lane in 0..lanes.len() {
        let Some(op) = lanes[lane].get(done[lane]) else {
            continue;
        };
        is_end = false;
        let mut next = model.clone();
        if next.apply(op, tags).allows(&outcomes[lane][done[lane]]) {
            done[lane] += 1;
            explain(&next, lanes, outcomes, done, tags, after);
            done[lane] -= 1;
        }
    }
    if is_end && !after.contains(model) {
        after.push(model.clone());
    }
}
