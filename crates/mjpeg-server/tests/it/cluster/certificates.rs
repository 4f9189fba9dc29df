//! Nodes with the certificates and the secret that docs/cluster.md makes.

use std::{fs, time::Duration};

use tokio::time::{sleep, timeout};

use super::{
    PATIENCE, Plant, PlantNode, camera, free_port, number, stream,
    terminal::{Terminal, blocks},
};
use crate::process::run;

/// What the page says for several machines.
struct Runbook {
    terminal: Terminal,
    authority: String,
    certificate: String,
    secret: String,
    file: String,
}

impl Runbook {
    fn open(plant: &Plant) -> Self {
        let section = "On three machines";
        let commands: [String; 3] = blocks(section, "sh").try_into().expect("three blocks");
        let [authority, certificate, secret] = commands;
        Self {
            terminal: Terminal::open(plant.folder.path(), &[]),
            authority,
            certificate,
            secret,
            file: blocks(section, "toml").remove(0),
        }
    }

    /// Makes the certificate of a node by the authority in this folder.
    fn certify(&mut self, folder: &str, node: &str) {
        let certificate = &self.certificate;
        assert!(
            certificate.starts_with("node=relay-1.lan\n"),
            "{certificate}"
        );
        let commands = certificate.replace("relay-1.lan", "localhost");
        let keep = format!("mkdir {node}; mv node.key node.pem {node}; cp ca.pem {node}");
        self.terminal
            .run(&format!("cd {folder}\n{commands}\n{keep}\ncd -"));
    }

    /// The file of a node, whose certificates are in this folder.
    fn file(&self, plant: &Plant, name: &str, certificates: &str, streams: &str) -> String {
        let folder = plant.folder.path().display();
        let (port, engine) = (free_port(), &plant.etcd.endpoints()[0]);
        let mut section = self.file.clone();
        for (printed, tested) in [
            ("node = \"relay-1\"", format!("node = \"{name}\"")),
            ("\"https://etcd-1.lan:2379\", ", String::new()),
            ("\"https://etcd-2.lan:2379\", ", String::new()),
            ("https://etcd-3.lan:2379", engine.clone()),
            // This etcd has no certificates.
            (
                "engine_tls = { ca = \"/etc/mjpeg-server/etcd-ca.pem\" }\n",
                String::new(),
            ),
            ("0.0.0.0:7443", format!("127.0.0.1:{port}")),
            ("relay-1.lan:7443", format!("localhost:{port}")),
            (
                "/etc/mjpeg-server/cluster.key",
                format!("{folder}/cluster.key"),
            ),
            ("/etc/mjpeg-server/", format!("{folder}/{certificates}/")),
        ] {
            assert!(section.contains(printed), "{printed:?} in {section}");
            section = section.replace(printed, &tested);
        }
        let text = format!(
            "state_dir = \"{folder}/state-{name}\"\n[[listen]]\naddress = \"127.0.0.1:0\"\n\
             serve = [\"streams\", \"control\", \"metrics\"]\n{streams}\n{section}"
        );
        plant.folder.write(&format!("{name}.toml"), text)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_of_the_page_admit_its_nodes_and_nobody_else() {
    let Some(plant) = Plant::new() else { return };
    let mut runbook = Runbook::open(&plant);
    for folder in ["own", "strange"] {
        let authority = runbook.authority.clone();
        runbook
            .terminal
            .run(&format!("mkdir {folder}; cd {folder}\n{authority}\ncd -"));
    }
    let secret = runbook.secret.clone();
    runbook.terminal.run(&secret);
    let written = fs::read_to_string(plant.folder.path().join("cluster.key")).unwrap();
    assert_eq!(written.trim().len(), 64);

    let camera = camera().await;
    let streams = stream("door", &camera);
    let mut nodes = Vec::new();
    for name in ["relay-1", "relay-2", "relay-3"] {
        runbook.certify("own", name);
        let file = runbook.file(&plant, name, &format!("own/{name}"), &streams);
        let (code, out, err) = run(&["cluster", "join-check", &file]);
        assert_eq!(code, Some(0), "{out}{err}");
        let node = plant.start_file(name, &file);
        until(&node, "mjpeg_cluster_engine_up 1").await;
        nodes.push(node);
    }
    for node in &nodes {
        let mut viewer = node.viewer("door").await;
        let seen = timeout(PATIENCE, number(&mut viewer)).await;
        seen.expect("pictures come");
    }

    runbook.certify("strange", "relay-4");
    let file = runbook.file(&plant, "relay-4", "strange/relay-4", &streams);
    let (code, out, _) = run(&["cluster", "join-check", &file]);
    assert_eq!(code, Some(1), "{out}");
    for name in ["relay-1", "relay-2", "relay-3"] {
        let refused = format!("FAIL {name} does not answer at localhost:");
        let mut lines = out.lines();
        let line = lines.find(|line| line.starts_with(&refused));
        assert!(line.expect(&out).contains("certificate"), "{out}");
    }
    let stranger = plant.start_file("relay-4", &file);
    until(&stranger, "mjpeg_cluster_engine_up 1").await;
    // It has asked, more than once.
    until_at_least(
        &stranger,
        "mjpeg_cluster_pull_failures_total{reason=\"connect\"} ",
        2,
    )
    .await;
    let figures = figures(&stranger).await;
    assert!(
        figures.contains("mjpeg_stream_frames_total{stream=\"door\"} 0\n"),
        "{figures}"
    );
    assert_eq!((camera.connections(), camera.most_open()), (1, 1));
}

/// Waits until the figures of a node have this line.
async fn until(node: &PlantNode, line: &str) {
    let waiting = async {
        while !figures(node).await.lines().any(|found| found == line) {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect(line);
}

/// Waits until a figure is so large.
async fn until_at_least(node: &PlantNode, name: &str, least: u64) {
    let waiting = async {
        loop {
            let text = figures(node).await;
            let value = text.lines().find_map(|line| line.strip_prefix(name));
            if value.is_some_and(|value| value.parse::<u64>().is_ok_and(|value| value >= least)) {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect(name);
}

async fn figures(node: &PlantNode) -> String {
    String::from_utf8(node.ask("/metrics").await.expect("figures")).expect("UTF-8")
}
