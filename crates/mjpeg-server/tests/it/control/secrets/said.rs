//! What the program has said, and what must not be in it.

use std::{net::SocketAddr, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Texts, with where each was found, and secrets in every way they are written.
#[derive(Default)]
pub(super) struct Said {
    texts: Vec<(String, String)>,
    secrets: Vec<String>,
}

impl Said {
    pub(super) fn keep(&mut self, what: String, text: String) {
        self.texts.push((what, text));
    }

    /// Adds a secret.
    pub(super) fn secret(&mut self, secret: &str) {
        let within = |quoted: String| quoted[1..quoted.len() - 1].to_owned();
        let base64 = |text: &str| {
            BASE64_STANDARD
                .encode(text)
                .trim_end_matches('=')
                .to_owned()
        };
        self.secrets.extend([
            secret.to_owned(),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            within(Value::from(secret).to_string()),
            within(format!("{secret:?}")),
            // Without the last letters, which depend on what follows.
            base64(secret)[..secret.len()].to_owned(),
            base64(&format!("me:{secret}"))[..secret.len() + 4].to_owned(),
            base64(&format!("alice:{secret}"))[..secret.len() + 8].to_owned(),
        ]);
    }

    /// Asks, and keeps the whole answer, or its beginning if it does not end.
    pub(super) async fn ask(
        &mut self,
        addr: SocketAddr,
        method: &str,
        path: &str,
        login: &str,
        body: &str,
    ) -> (u16, Value) {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let raw = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{login}Content-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(raw.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let mut reading = (&mut stream).take(1 << 20);
        let is_endless = path.ends_with("/api/v1/events") || path.ends_with('/');
        let limit = Duration::from_millis(if is_endless { 300 } else { 20_000 });
        let read = timeout(limit, reading.read_to_end(&mut answer)).await;
        assert!(read.is_ok() || is_endless, "{method} {path} has no end");
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
        let json = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let json = serde_json::from_str(json).unwrap_or_default();
        self.keep(format!("{method} {path}"), text);
        (status.expect("a status"), json)
    }

    /// The first cookie that an answer has set, as browsers send it.
    pub(super) fn cookie(&self) -> Option<String> {
        let mut lines = self.texts.iter().flat_map(|(_, text)| text.lines());
        let cookie = lines.find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("set-cookie").then_some(value)
        });
        cookie?.split(';').next().map(Into::into)
    }

    /// Looks for every secret in every text.
    pub(super) fn check(&self) {
        let mut found = String::new();
        for (what, text) in &self.texts {
            for secret in &self.secrets {
                let lines = text.lines().filter(|line| line.contains(secret));
                for line in lines.take(3) {
                    found += &format!("{secret} in {what}: {}\n", line.trim());
                }
            }
        }
        assert!(found.is_empty(), "{found}");
    }
}
