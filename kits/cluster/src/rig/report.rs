//! What is written down when a round has failed.

use std::fs;

use anyhow::Result;
use mjpeg_testkit::request;

use super::{Rig, http};
use crate::wait::secs;

impl Rig {
    /// Writes what the engine holds, what the camera has seen and what nodes say of themselves into
    /// the folder of the logs. What cannot be had is left out.
    pub(crate) async fn report(&self, seed: u64) {
        let folder = &self.nodes[0].plan.folder;
        let file = |name: &str| folder.join(format!("seed-{seed}-{name}"));
        let mut notes = String::new();
        for note in self.camera().journal.since(self.round) {
            let at = note.at - self.round;
            notes += &format!("{:.3} {} {:?}\n", at.as_secs_f64(), note.from, note.what);
        }
        // If these fail, the error of the round is still printed.
        let _ = fs::write(file("camera.txt"), notes);
        if let Ok(keys) = self.engine_keys().await {
            let _ = fs::write(file("engine.json"), keys);
        }
        for node in &self.nodes {
            let metrics = http::get(node.plan.http, "/metrics");
            if let Ok(Ok(metrics)) = tokio::time::timeout(secs(2), metrics).await {
                let name = format!("{}-metrics.txt", node.plan.name);
                let _ = fs::write(file(&name), metrics.body);
            }
        }
    }

    /// All keys of the engine and their values, as etcd's JSON: in Base64.
    async fn engine_keys(&self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        for client in self.etcd.clients() {
            let raw = format!(
                "POST /v3/kv/range HTTP/1.0\r\nHost: {client}\r\nContent-Length: {}\r\n\r\n{ALL}",
                ALL.len()
            );
            if let Ok(Ok(answer)) = tokio::time::timeout(secs(2), request(client, raw)).await {
                all.extend_from_slice(&answer.body);
                all.push(b'\n');
            }
        }
        Ok(all)
    }
}

/// From the key `\0` on.
const ALL: &str = r#"{"key":"AA==","range_end":"AA=="}"#;
