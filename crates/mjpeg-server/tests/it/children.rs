//! Programs as cameras, when the relay ends in any way.

use std::{fs, path::PathBuf, time::Duration};

use mjpeg_testkit::{Viewer, jpeg};
use tokio::time::{sleep, timeout};

use crate::process::Server;

/// A folder with a program that shows a picture, says who it is and what its child is, and stays.
struct Program(PathBuf);

impl Program {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mjpeg-child-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("frame"), jpeg::numbered(1)).unwrap();
        Self(path)
    }

    fn stream(&self) -> String {
        let path = self.0.display();
        let script = format!(
            "sleep 600 & echo $! > {path}/child; echo $$ > {path}/self; \
             while cat {path}/frame; do sleep 1; done"
        );
        format!("door=exec:sh -c '{script}'@127.0.0.1:0")
    }

    fn ids(&self) -> Vec<String> {
        let read = |name| fs::read_to_string(self.0.join(name)).unwrap();
        ["child", "self"].map(read).into()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether the process runs. A zombie does not.
fn lives(id: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", id.trim())).is_ok_and(|stat| !stat.contains(") Z"))
}

async fn all_end(ids: &[String]) {
    let ended = async {
        while ids.iter().any(|id| lives(id)) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let ended = timeout(Duration::from_secs(10), ended).await;
    ended.unwrap_or_else(|_| panic!("still there: {ids:?}"));
}

#[tokio::test]
async fn programs_and_their_children_end_however_the_relay_ends() {
    // No signal handler runs for the last two.
    for signal in ["TERM", "HUP", "QUIT", "KILL"] {
        let program = Program::new(signal);
        let stream = program.stream();
        // The threads that start programs may end before the relay does.
        let args = ["run", "--worker-threads", "2", "--stream", &stream];
        let mut server = Server::start(&args, 1);
        let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
        assert!(viewer.next_frame().await.unwrap().is_some());
        let ids = program.ids();
        assert!(ids.iter().all(|id| lives(id)), "{signal}");
        server.end_by(signal);
        all_end(&ids).await;
    }
}

/// The thread that has started a program is gone after ten idle seconds. The program must not go
/// with it.
#[tokio::test]
#[ignore = "takes half a minute"]
async fn programs_outlast_idle_threads() {
    let program = Program::new("idle");
    let stream = program.stream();
    let args = ["run", "--worker-threads", "2", "--stream", &stream];
    let mut server = Server::start(&args, 1);
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    assert!(viewer.next_frame().await.unwrap().is_some());
    let ids = program.ids();
    sleep(Duration::from_secs(30)).await;
    assert!(ids.iter().all(|id| lives(id)));
    server.end_by("KILL");
    all_end(&ids).await;
}

/// What a killed helper watched is watched by the next.
#[tokio::test]
async fn helper_that_somebody_has_killed_is_replaced() {
    let (first, second) = (Program::new("first"), Program::new("second"));
    let streams = [first.stream(), second.stream().replacen("door", "gate", 1)];
    let args = [
        "run",
        "--on-demand",
        "--linger",
        "3600",
        "--stream",
        &streams[0],
        "--stream",
        &streams[1],
    ];
    let mut server = Server::start(&args, 2);
    let mut viewers = Vec::new();
    for (nth, program) in [&first, &second].into_iter().enumerate() {
        let mut viewer = Viewer::open(server.addr(nth), "/").await.unwrap();
        while jpeg::number_of(&viewer.next_frame().await.unwrap().unwrap()).is_none() {}
        viewers.push(viewer);
        if nth == 0 {
            let helper = helper_of(server.id()).expect("a helper");
            std::process::Command::new("kill")
                .args(["-s", "KILL", &helper])
                .status()
                .unwrap();
            all_end(&[helper]).await;
        }
        assert!(program.ids().iter().all(|id| lives(id)));
    }
    let ids = [first.ids(), second.ids()].concat();
    server.end_by("KILL");
    all_end(&ids).await;
}

/// The child of this process that watches over programs.
fn helper_of(parent: u32) -> Option<String> {
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let id = entry.file_name().into_string().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let command = fs::read_to_string(entry.path().join("cmdline")).ok()?;
        let of_parent = stat.rsplit(") ").next()?.split(' ').nth(1)? == parent.to_string();
        (of_parent && command.contains("mjpeg-exec-supervisor")).then_some(id)
    })
}
