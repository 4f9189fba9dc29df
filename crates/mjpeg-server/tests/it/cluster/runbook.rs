//! What docs/cluster.md says that its reader types, typed.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mjpeg_testkit::{Viewer, request};
use serde_json::Value;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    PATIENCE, free_port, process,
    terminal::{Terminal, blocks},
};
use crate::{folder::Folder, process::run};

/// The ports of the page, and those of the test. The last digit is the node's.
struct Trial {
    terminal: Terminal,
    /// Where the relays are, without the last digit.
    relays: u16,
    links: u16,
    etcd: u16,
}

impl Trial {
    fn start(folder: &Folder) -> Self {
        let relays = three_free_ports(2000);
        let (links, etcd, peers) = (three_free_ports(relays + 1), free_port(), free_port());
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        // etcd's own ports, so that its command can stay as it is.
        let variables = [
            ("ETCD_LISTEN_CLIENT_URLS", url(etcd)),
            ("ETCD_ADVERTISE_CLIENT_URLS", url(etcd)),
            ("ETCD_LISTEN_PEER_URLS", url(peers)),
            ("ETCD_INITIAL_ADVERTISE_PEER_URLS", url(peers)),
            (
                "ETCD_INITIAL_CLUSTER",
                format!("default=http://127.0.0.1:{peers}"),
            ),
        ];
        Self {
            terminal: Terminal::open(folder.path(), &variables),
            relays,
            links,
            etcd,
        }
    }

    /// Runs a block of the page, at the ports of this test.
    fn run(&mut self, block: &str) -> String {
        let block = block
            .replace("127.0.0.1:808", &format!("127.0.0.1:{}", self.relays))
            .replace("127.0.0.1:744", &format!("127.0.0.1:{}", self.links))
            .replace("127.0.0.1:2379", &format!("127.0.0.1:{}", self.etcd));
        self.terminal.run(&block)
    }

    /// Repeats a command until what it prints is right. It may fail before that.
    async fn run_until(&mut self, block: &str, is_right: impl Fn(&str) -> bool) {
        let mut printed = String::new();
        for _ in 0..PATIENCE.as_millis() / 200 {
            printed = self.run(&format!("{block} || true"));
            if is_right(&printed) {
                return;
            }
            sleep(Duration::from_millis(200)).await;
        }
        panic!("{block}\nprints\n{printed}");
    }

    fn url(&self, node: u16) -> String {
        format!("http://127.0.0.1:{}{node}", self.relays)
    }

    /// What a node's API says of a stream.
    fn shown(&self, node: u16, stream: &str) -> Value {
        let (code, out, err) = run(&["ctl", "--url", &self.url(node), "--json", "show", stream]);
        assert_eq!(code, Some(0), "{err}");
        serde_json::from_str(&out).expect("JSON")
    }
}

/// A viewer who looks on.
struct OnLooker {
    seen: Arc<AtomicU64>,
    watching: JoinHandle<String>,
}

impl OnLooker {
    async fn at(url: &str, path: &str) -> Self {
        let addr = url.strip_prefix("http://").expect("a URL").parse();
        let mut viewer = Viewer::open(addr.expect("an address"), path).await.unwrap();
        assert_eq!(viewer.head().status, 200);
        let seen = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&seen);
        let watching = tokio::spawn(async move {
            loop {
                match viewer.next_frame().await {
                    Ok(Some(_)) => count.fetch_add(1, Ordering::Relaxed),
                    other => return format!("{other:?}"),
                };
            }
        });
        Self { seen, watching }
    }

    /// Waits until pictures have come that were not there before, and the camera is read.
    async fn goes_on(&mut self, trial: &Trial, stream: &str) {
        let read = async {
            while trial.shown(2, stream)["state"] != "online" {
                sleep(Duration::from_millis(50)).await;
            }
            let before = self.seen.load(Ordering::Relaxed);
            while self.seen.load(Ordering::Relaxed) < before + 20 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        let cut = async { (&mut self.watching).await.expect("no panic") };
        tokio::select! {
            read = timeout(PATIENCE, read) => read.expect("new pictures"),
            how = cut => panic!("the viewer was cut: {how}"),
        }
    }
}

/// Which node reads the camera of a stream, in what `status` prints.
fn reader<'s>(status: &'s str, stream: &str) -> Option<&'s str> {
    let (_, streams) = status.split_once("\nSTREAM ")?;
    let mut rows = streams
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.find_map(|row| match row[..] {
        // Without a node, the epoch follows.
        [name, node, _epoch] if name == stream => Some(node),
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_in_ten_minutes_work_as_printed() {
    if !process::installed() {
        return;
    }
    let folder = Folder::new();
    let mut trial = Trial::start(&folder);
    let blocks = blocks("Three nodes in ten minutes", "sh");
    let [etcd, files, check, start, status, moves, stop, end] = &blocks[..] else {
        panic!("other blocks: {blocks:#?}");
    };
    trial.run(etcd);
    trial.run(files);
    let checked = trial.run(check);
    assert!(checked.lines().count() > 2, "{checked}");
    assert!(
        checked.lines().all(|line| line.starts_with("ok ")),
        "{checked}"
    );
    trial.run(start);
    trial
        .run_until(status, |said| {
            let rows = said.lines().filter(|line| line.starts_with("relay-"));
            let up = rows.filter(|row| row.split_whitespace().nth(1) == Some("up"));
            up.count() == 3
                && ["door", "yard"]
                    .iter()
                    .all(|name| reader(said, name).is_some())
        })
        .await;
    let page = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let addr = trial.url(2)[7..].parse().expect("an address");
    let page = request(addr, page).await.expect("the page").body;
    let page = String::from_utf8_lossy(&page);
    assert!(page.contains("door") && page.contains("yard"), "{page}");
    let mut viewers = Vec::new();
    for name in ["door", "yard"] {
        let mut viewer = OnLooker::at(&trial.url(2), &format!("/{name}/stream")).await;
        viewer.goes_on(&trial, name).await;
        viewers.push((viewer, name));
    }

    let said = trial.run(moves);
    assert!(said.contains("door is read by relay-3"), "{said}");
    let is_moved = |said: &str| reader(said, "door") == Some("relay-3");
    trial.run_until(status, is_moved).await;
    for (viewer, name) in &mut viewers {
        viewer.goes_on(&trial, name).await;
    }

    let is_elsewhere = |said: &str| {
        let door = reader(said, "door");
        door.is_some() && door != Some("relay-3")
    };
    let (kill, status) = stop.split_once('\n').expect("two commands");
    trial.run(kill);
    trial.run_until(status, is_elsewhere).await;
    for (viewer, name) in &mut viewers {
        viewer.goes_on(&trial, name).await;
    }
    trial.run(end);
}

/// A number that is a free port with each of the digits 1 to 3 behind it; not below `from`.
fn three_free_ports(from: u16) -> u16 {
    // Below those that the system gives out; each test begins elsewhere.
    let first = from + u16::try_from(std::process::id() % 500).expect("small");
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let are_free = |base: &u16| (1..=3).all(|digit| is_free(base * 10 + digit));
    (first..3200).find(are_free).expect("free ports")
}
