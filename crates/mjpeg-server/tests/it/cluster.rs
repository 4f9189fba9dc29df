//! Relays as nodes of a cluster: the real program, several times, and a real etcd.

mod config;
mod joining;
mod moving;
#[path = "../../../mjpeg-cluster/tests/it/etcd/process.rs"]
mod process;
mod registry;

use std::{net::TcpListener, time::Duration};

use mjpeg_testkit::{Camera, Script, Viewer, jpeg};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use self::process::Group;
use crate::{
    folder::Folder,
    process::{Server, command, run},
};

/// Relays that share an etcd.
struct Plant {
    etcd: Group,
    folder: Folder,
}

/// One of them, while it runs.
struct PlantNode {
    server: Server,
    name: String,
}

impl Plant {
    /// `None` if there is no etcd on this machine.
    fn new() -> Option<Self> {
        let etcd = Group::start(1)?;
        let folder = Folder::new();
        Some(Self { etcd, folder })
    }

    /// The file of a node with these streams.
    fn file(&self, name: &str, streams: &str) -> String {
        self.file_with(name, "", streams)
    }

    /// The same with further keys of `[cluster]`.
    fn file_with(&self, name: &str, keys: &str, streams: &str) -> String {
        let (folder, engine) = (self.folder.path().display(), &self.etcd.endpoints()[0]);
        let port = free_port();
        let text = format!(
            "state_dir = \"{folder}/{name}\"\n[[listen]]\naddress = \"127.0.0.1:0\"\n\
             serve = [\"streams\", \"control\", \"metrics\"]\n[control]\n\
             allow = [\"127.0.0.0/8\"]\n{streams}\n[cluster]\nname = \"plant\"\nnode = \"{name}\"\n\
             engine = [\"{engine}\"]\nlisten = \"127.0.0.1:{port}\"\nlease = \"2s\"\n{keys}\n"
        );
        self.folder.write(&format!("{name}.toml"), text)
    }

    fn start(&self, name: &str, streams: &str) -> PlantNode {
        self.start_file(name, &self.file(name, streams))
    }

    fn start_file(&self, name: &str, file: &str) -> PlantNode {
        let mut command = command(&["run", "-c", file]);
        command.env("CLUSTER_CAMERA_PASSWORD", "hunter2");
        let mut server = Server::of(command, 0);
        let line = server.stderr_until("gateway opened").pop().unwrap();
        let (_, address) = line.split_once("address=").expect("an address");
        server.urls = vec![format!("http://{}/", address.trim())];
        PlantNode {
            server,
            name: name.into(),
        }
    }
}

impl PlantNode {
    /// Runs `mjpeg-server cluster` against it.
    fn cluster(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let url = self.server.urls[0].trim_end_matches('/').to_owned();
        run(&[&["cluster", "--url", &url], args].concat())
    }

    fn ctl(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let url = self.server.urls[0].trim_end_matches('/').to_owned();
        run(&[&["ctl", "--url", &url], args].concat())
    }

    /// Who reads the camera of a stream, as this node knows it.
    fn owner(&self, stream: &str) -> Value {
        let (code, out, _) = self.ctl(&["--json", "show", stream]);
        match code {
            Some(0) => serde_json::from_str::<Value>(&out).expect("JSON")["owner"].clone(),
            _ => Value::Null,
        }
    }

    /// Waits until a node reads the camera of a stream, and returns its name.
    async fn owner_of(&self, stream: &str) -> String {
        let owned = async {
            loop {
                if let Some(node) = self.owner(stream)["node"].as_str() {
                    return node.to_owned();
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, owned).await.expect("somebody reads it")
    }

    async fn viewer(&self, stream: &str) -> Viewer {
        let path = format!("/{stream}/stream");
        Viewer::open(self.server.addr(0), &path).await.unwrap()
    }
}

/// A stream that is read from this camera.
fn stream(name: &str, camera: &Camera) -> String {
    format!(
        "[[streams]]\nname = \"{name}\"\nsource = \"{}\"\n",
        camera.url()
    )
}

/// A camera of 50 frames per second, each with another number, for 80 s.
async fn camera() -> Camera {
    let frames = (0..4000).map(jpeg::numbered).collect();
    Camera::start(Script::live(frames, Duration::from_millis(20))).await
}

/// The number of the next picture of a camera that a viewer gets: no placeholder.
async fn number(viewer: &mut Viewer) -> u32 {
    loop {
        let frame = viewer.next_frame().await.unwrap();
        let frame = frame.expect("the response goes on");
        if let Some(number) = jpeg::number_of(&frame) {
            return number;
        }
    }
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

/// How long a loaded machine may need.
const PATIENCE: Duration = Duration::from_secs(30);
