//! The client in the documentation.

use std::process::{Command, Stdio};

use mjpeg_testkit::Camera;
use tokio::task::spawn_blocking;

use super::{LISTEN, Relay, live, stream};

/// Whether Node.js has a WebSocket, which it has from 20.10 on.
fn has_web_socket() -> bool {
    let version = Command::new("node").arg("--version").output();
    let version = String::from_utf8(version.expect("node runs").stdout).unwrap_or_default();
    let mut numbers = version.trim().trim_start_matches('v').split('.');
    let mut number = || numbers.next()?.parse::<u32>().ok();
    (number(), number()) >= (Some(20), Some(10))
}

#[tokio::test]
async fn documented_client_shows_pictures() {
    if !has_web_socket() {
        eprintln!("SKIPPED: the example needs Node.js 20.10 or later");
        return;
    }
    let page = include_str!("../../../../../docs/wall.md");
    let (_, example) = page.split_once("```js\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let camera = Camera::start(live()).await;
    let relay = Relay::start(&[LISTEN, &stream("garage", &camera)].concat());
    let host = relay.server.addr(0).to_string();
    let file = relay.folder.write("wall.mjs", example);
    let mut node = Command::new("node");
    node.args(["--experimental-websocket", &file, &host, "garage", "none"]);
    node.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut node = node.spawn().unwrap();
    let printed = node.stdout.take().unwrap();
    let lines = spawn_blocking(move || {
        use std::io::{BufRead, BufReader};
        let lines = BufReader::new(printed).lines().map_while(Result::ok);
        lines.take(20).collect::<Vec<_>>()
    });
    let lines = lines.await.unwrap();
    let _ = node.kill();
    let output = node.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(lines.len(), 20, "{errors}");
    assert!(lines[0].contains("welcome"), "{lines:?}");
    let shown = lines
        .iter()
        .filter(|line| line.starts_with("garage: frame "));
    // Fewer only by the texts: that of each tile, and some of states.
    assert!(shown.count() >= 14, "{lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("not_found")),
        "{lines:?}"
    );
}
