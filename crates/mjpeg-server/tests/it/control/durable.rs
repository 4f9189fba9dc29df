//! What the kernel is asked for when a stream is stored: a power cut at any moment leaves the old
//! file or the new one, whole.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use tokio::time::{Duration, sleep};

use super::{Controlled, GATEWAY, INCLUDE};
use crate::{
    folder::Folder,
    process::{Server, command},
};

const MISSING: &str = "strace runs (cargo xtask ci --install installs it)";

/// A relay whose calls of the kernel are written down.
struct Traced {
    relay: Controlled,
    trace: PathBuf,
}

impl Traced {
    /// Starts one; `None` where nobody may trace.
    fn start() -> Option<Self> {
        let probe = Command::new("strace")
            .args(["-o", "/dev/null", "true"])
            .output();
        let Output { status, stderr, .. } = probe.expect(MISSING);
        if !status.success() {
            let said = String::from_utf8_lossy(&stderr);
            assert!(
                said.contains("not permitted") || said.contains("ptrace"),
                "{said}"
            );
            eprintln!("SKIPPED: nobody may trace here: {said}");
            return None;
        }
        let folder = Folder::new();
        fs::create_dir(folder.path().join("streams.d")).expect("a folder");
        let file = folder.write("mjpeg.toml", [INCLUDE, GATEWAY].concat());
        let trace = folder.path().join("trace");
        let program = command(&["run", "-c", &file]);
        let mut strace = Command::new("strace");
        strace
            // The program is the child of this test, and what traces it is not.
            .args(["-D", "-f", "-y", "-s", "0", "-o"])
            .arg(&trace)
            .args(["-e", CALLS])
            .arg(program.get_program())
            .args(program.get_args())
            .env_remove("MJPEG_LOG")
            .env_remove("MJPEG_LOG_FORMAT")
            .env_remove("XDG_RUNTIME_DIR")
            .env("STATE_DIRECTORY", folder.path().join("state"))
            .env("RUNTIME_DIRECTORY", folder.path());
        let server = Server::of(strace, 1);
        let relay = Controlled {
            server,
            folder,
            file,
        };
        Some(Self { relay, trace })
    }

    /// What was done in the folder of streams, from this call on, in the order in which it ended.
    async fn until(&self, last: &str, from: usize) -> Vec<String> {
        for _ in 0..500 {
            let text = fs::read_to_string(&self.trace).expect("a trace");
            let done = ended(&text).skip(from).collect::<Vec<_>>();
            if done.iter().any(|call| call.contains(last)) {
                return done;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("no {last}: {}", fs::read_to_string(&self.trace).unwrap());
    }

    fn seen(&self) -> usize {
        ended(&fs::read_to_string(&self.trace).expect("a trace")).count()
    }
}

/// The calls that have ended well, without the number of their thread. One that another thread
/// came between stands on two lines.
fn ended(trace: &str) -> impl Iterator<Item = String> {
    let mut begun = HashMap::new();
    let mut calls = Vec::new();
    // The last line may be half written.
    let whole = trace.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for line in whole.lines() {
        let (thread, call) = line.split_once(' ').expect("a thread");
        let call = call.trim_start();
        if let Some(begin) = call.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, begin);
            continue;
        }
        let resumed = call.strip_prefix("<... ");
        let rest = resumed.and_then(|it| it.split_once(" resumed>"));
        let whole = match rest {
            Some((_, rest)) => begun.remove(thread).unwrap_or_default().to_owned() + rest,
            None => call.to_owned(),
        };
        let has_failed = whole.contains("= -1 ");
        if whole.contains("streams.d") && !has_failed {
            calls.push(whole);
        }
    }
    calls.into_iter()
}

/// Checks that calls with these words come in this order, whatever is between.
fn in_order(calls: &[String], expected: &[[&str; 3]]) {
    let mut rest = calls.iter();
    for words in expected {
        let found = rest.any(|call| words.iter().all(|word| call.contains(word)));
        assert!(found, "no {words:?} in its place: {calls:#?}");
    }
}

#[tokio::test]
async fn stored_stream_is_on_the_disk_before_it_has_its_name_and_the_folder_after_it() {
    let Some(traced) = Traced::start() else {
        return;
    };
    let relay = &traced.relay;
    let written = [
        // Nobody else can read it, and no link is followed.
        ["openat(", "/streams.d/.stream-", "O_CREAT|O_EXCL"],
        ["write(", "/streams.d/.stream-", ""],
        ["fsync(", "/streams.d/.stream-", ".new>"],
        ["rename", "/streams.d/.stream-", "/streams.d/yard.toml\""],
        ["fsync(", "/streams.d>", ""],
    ];
    let change = r#"{"max_fps": 5}"#;
    for round in 0..2 {
        let from = traced.seen();
        let answer = match round {
            0 => relay.add("yard", "test:").await,
            _ => relay.ask("PATCH", "/streams/yard", change).await,
        };
        assert!([200, 201].contains(&answer.status), "{answer:?}");
        let calls = traced.until("/streams.d>)", from).await;
        in_order(&calls, &written);
        let made = calls.iter().find(|call| call.contains("O_EXCL")).unwrap();
        assert!(made.contains(", 0600)"), "{made}");
    }
    let from = traced.seen();
    let removed = relay.ask("DELETE", "/streams/yard", "").await;
    assert_eq!(removed.status, 204, "{removed:?}");
    let calls = traced.until("/streams.d>)", from).await;
    let gone = [
        ["unlink", "/streams.d/yard.toml", ""],
        ["fsync(", "/streams.d>", ""],
    ];
    in_order(&calls, &gone);
}

/// What is written down.
const CALLS: &str = "trace=openat,write,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat";
