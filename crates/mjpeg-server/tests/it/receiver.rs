//! A server that the relay sends requests to, as a webhook or a hook.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};

/// Answers requests as it is told, each on a connection of its own.
pub(crate) struct Receiver {
    pub(crate) addr: SocketAddr,
    received: mpsc::UnboundedReceiver<Received>,
    task: JoinHandle<()>,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: String,
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reaction {
    Status(u16),
    /// Led elsewhere.
    Redirect(String),
    /// Closed without an answer.
    Close,
    /// Never answered.
    Hang,
    /// Answered after a while.
    Late(Duration, u16),
    /// Answered with this, whatever it is, which does not end.
    Endless(&'static str),
}

impl Receiver {
    /// Starts one; `react` is given the number of the request, from 0.
    pub(crate) async fn start(
        react: impl Fn(usize, &Received) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (sender, received) = mpsc::unbounded_channel();
        let react = Arc::new(react);
        let task = tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (react, sender) = (Arc::clone(&react), sender.clone());
                tokio::spawn(async move {
                    answer(stream, |request| {
                        let reaction = react(number, request);
                        let _ = sender.send(request.clone());
                        reaction
                    })
                    .await
                });
            }
        });
        Self {
            addr,
            received,
            task,
        }
    }

    /// Starts one that answers all alike.
    pub(crate) async fn always(reaction: Reaction) -> Self {
        Self::start(move |_, _| reaction.clone()).await
    }

    /// The next request, within half a minute.
    pub(crate) async fn next(&mut self) -> Received {
        let next = timeout(Duration::from_secs(30), self.received.recv()).await;
        next.expect("a request within 30 s").expect("it runs")
    }

    /// A request that has come already.
    pub(crate) fn come(&mut self) -> Option<Received> {
        self.received.try_recv().ok()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1);
        let mut pairs = lines.filter_map(|line| line.split_once(": "));
        let found = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The event's new state, else what has changed.
    pub(crate) fn kind(&self) -> String {
        let json = self.json();
        let word = json.get("state").unwrap_or(&json["change"]);
        word.as_str().unwrap().into()
    }
}

async fn answer(mut stream: TcpStream, react: impl FnOnce(&Received) -> Reaction) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    let head = match react(&request) {
        Reaction::Close => return,
        Reaction::Hang => std::future::pending().await,
        Reaction::Late(time, status) => {
            tokio::time::sleep(time).await;
            format!("HTTP/1.1 {status} Late\r\nContent-Length: 0\r\n\r\n")
        }
        Reaction::Redirect(url) => {
            format!("HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n")
        }
        Reaction::Status(status) => format!("HTTP/1.1 {status} Yes\r\nContent-Length: 2\r\n\r\nok"),
        Reaction::Endless(begin) => {
            let mut sent = stream.write_all(begin.as_bytes()).await;
            let more = "x".repeat(8 << 10);
            while sent.is_ok() {
                sent = stream.write_all(more.as_bytes()).await;
            }
            return;
        }
    };
    let _ = stream.write_all(head.as_bytes()).await;
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        let read = stream.read_buf(&mut bytes).await.ok()?;
        if read == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let request = Received {
            head: head.into(),
            body: body.into(),
        };
        let length = request.header("content-length").unwrap_or("0");
        if request.body.len() >= length.parse().unwrap() {
            return Some(request);
        }
    }
}
