//! `mjpeg-server probe`: the real program against cameras with each of the known quirks.

mod cameras;
mod limits;
mod quirks;
mod running;
mod secrets;

use std::time::Duration;

use serde_json::Value;
use tokio::{task::spawn_blocking, time::Instant};

use crate::process::command;

/// What a probe has said.
struct Probed {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    took: Duration,
}

impl Probed {
    /// Runs `probe` with these arguments.
    async fn of(args: &[&str]) -> Self {
        let mut command = command(&[&["probe"], args].concat());
        let run = move || {
            let began = Instant::now();
            let output = command.output().expect("the program runs");
            let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
            Self {
                code: output.status.code(),
                stdout: text(output.stdout),
                stderr: text(output.stderr),
                took: began.elapsed(),
            }
        };
        spawn_blocking(run).await.expect("no panic")
    }

    fn json(&self) -> Value {
        let text = &self.stdout;
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text} {}", self.stderr))
    }

    /// The codes of its findings.
    fn codes(&self) -> Vec<String> {
        let json = self.json();
        let findings = json["findings"].as_array().expect("a list");
        let code = |finding: &Value| finding["code"].as_str().expect("a word").to_owned();
        findings.iter().map(code).collect()
    }
}
