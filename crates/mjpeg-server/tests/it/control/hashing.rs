//! Passwords are hashed one after another, where they cost viewers nothing.

use std::{collections::BTreeSet, fs};

use base64::{Engine, prelude::BASE64_STANDARD};
use mjpeg_auth::hash_password;
use mjpeg_testkit::request;
use tokio::{task::JoinSet, time::Duration};

use super::Controlled;

/// A thread of the relay, as the kernel shows it (proc_pid_stat(5)).
#[derive(Clone, Debug)]
struct Thread {
    id: u32,
    name: String,
    /// How long it has worked, in the kernel's ticks.
    ticks: u64,
    nice: i32,
}

impl Thread {
    /// All threads of a process. One may end while they are looked at.
    fn all(process: u32) -> Vec<Self> {
        let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
        let tasks = tasks.filter_map(|task| {
            let text = fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
            Self::read(&text)
        });
        tasks.collect()
    }

    fn read(stat: &str) -> Option<Self> {
        let (id, rest) = stat.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let ticks = |at: usize| -> Option<u64> { fields.get(at)?.parse().ok() };
        Some(Self {
            id: id.parse().ok()?,
            name: name.to_owned(),
            ticks: ticks(11)? + ticks(12)?,
            nice: fields.get(16)?.parse().ok()?,
        })
    }

    fn hashes(&self) -> bool {
        self.name == "passwords"
    }
}

/// As many logins at once as may be verified in a second, each of another user.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_of_several_users_are_hashed_one_at_a_time_on_a_thread_of_low_priority() {
    const USERS: usize = 9;
    let mut text = "[auth]\nanonymous = []\n[[streams]]\nname = \"door\"\n\
                    source = \"test:?size=64x48&fps=1\"\n"
        .to_owned();
    for n in 0..USERS {
        let hash = hash_password(&format!("secret{n}"));
        text += &format!("[[users]]\nname = \"user{n}\"\npassword_hash = \"{hash}\"\n");
    }
    let relay = Controlled::start(&text);
    let (addr, process) = (relay.addr(), relay.server.pid());
    let before = Thread::all(process);
    assert!(!before.iter().any(Thread::hashes), "{before:?}");
    let main = before.iter().find(|thread| thread.id == process);
    let usual = main.expect("the first thread").nice;
    let mut logins = JoinSet::new();
    for n in 0..USERS {
        let login = BASE64_STANDARD.encode(format!("user{n}:secret{n}"));
        let asked = format!(
            "GET /door/state HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {login}\r\n\
             Connection: close\r\n\r\n"
        );
        logins.spawn(async move { request(addr, asked).await.expect("an answer").head.status });
    }
    let mut looks: Vec<Vec<Thread>> = Vec::new();
    let mut statuses = Vec::new();
    while !logins.is_empty() {
        looks.push(Thread::all(process));
        let pause = tokio::time::timeout(Duration::from_millis(1), logins.join_next());
        if let Ok(Some(status)) = pause.await {
            statuses.push(status.unwrap());
        }
    }
    assert_eq!(statuses, [200; USERS]);
    looks.push(Thread::all(process));

    let hashing = |look: &Vec<Thread>| -> Vec<Thread> {
        let threads = look.iter().filter(|thread| thread.hashes());
        threads.cloned().collect()
    };
    let most = looks.iter().map(|look| hashing(look).len()).max();
    assert_eq!(most, Some(1), "one after another");
    let hashers: Vec<Thread> = looks.iter().flat_map(hashing).collect();
    let ids: BTreeSet<u32> = hashers.iter().map(|thread| thread.id).collect();
    assert_eq!(ids.len(), 1, "by one thread");
    // From its first tick on. 19 is the most.
    let expected = (usual + 10).min(19);
    for thread in hashers.iter().filter(|thread| thread.ticks > 0) {
        assert_eq!(thread.nice, expected, "{thread:?}");
    }
    // The work is done there, and not by those that serve.
    let last = looks.last().expect("a look");
    let ticks = |threads: &[Thread], hashes: bool| -> u64 {
        let those = threads.iter().filter(|thread| thread.hashes() == hashes);
        those.map(|thread| thread.ticks).sum()
    };
    let (hashed, served) = (
        ticks(last, true),
        ticks(last, false).saturating_sub(ticks(&before, false)),
    );
    assert!(
        hashed > served,
        "{hashed} ticks of hashing, {served} of serving"
    );
}
