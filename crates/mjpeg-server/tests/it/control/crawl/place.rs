//! Where a stranger connects, and what they see.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use http::Request;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use super::asked::Asked;
use crate::tls::connect_to;

/// A listener.
#[derive(Debug)]
pub(super) enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
    /// With the certificate to trust.
    Tls(SocketAddr, PathBuf),
}

/// An answer. Status 0 is none.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) status: u16,
    kind: String,
    /// The body, and all of the answer where it has no head.
    pub(super) text: String,
}

impl Place {
    /// Asks, and reads the answer, or the beginning of one that does not end.
    pub(super) async fn ask(&self, asked: &Asked, headers: &str) -> Seen {
        let bytes = asked.bytes(headers);
        let asking = async {
            match self {
                Self::Tcp(addr) => exchange(TcpStream::connect(addr).await?, &bytes).await,
                Self::Unix(path) => exchange(UnixStream::connect(path).await?, &bytes).await,
                Self::Tls(addr, certificate) => {
                    let connected = connect_to(*addr, certificate, b"http/1.1").await;
                    exchange(connected?, &bytes).await
                }
            }
        };
        let answered = timeout(Duration::from_secs(20), asking).await;
        let answered: io::Result<Vec<u8>> = answered.unwrap_or_else(|_| panic!("{asked:?} hangs"));
        Seen::of(&answered.unwrap())
    }
}

impl Seen {
    fn of(answer: &[u8]) -> Self {
        let whole = String::from_utf8_lossy(answer).into_owned();
        let (head, body) = whole.split_once("\r\n\r\n").unwrap_or(("", &whole));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let named = |line: &str| {
            let (name, value) = line.split_once(':')?;
            let is_type = name.eq_ignore_ascii_case("content-type");
            is_type.then(|| value.trim().to_owned())
        };
        Self {
            status: status.unwrap_or_default(),
            kind: head.lines().find_map(named).unwrap_or_default(),
            text: body.into(),
        }
    }

    pub(super) fn is_picture(&self) -> bool {
        self.kind.starts_with("multipart/x-mixed-replace") || self.kind == "image/jpeg"
    }

    /// Whether this is something that everybody may see: by what it says, not by its address.
    pub(super) fn is_public(&self) -> bool {
        match self.kind.split(';').next().unwrap_or_default() {
            "text/html" => self.text.starts_with("<!DOCTYPE html>"),
            "text/plain" => self.text == "ok\n",
            "text/css" | "text/javascript" => true,
            "text/event-stream" => self.text.contains("retry:"),
            "application/json" => serde_json::from_str(&self.text).is_ok_and(|json| known(&json)),
            _ => self.is_picture(),
        }
    }
}

/// Whether this JSON is the list of streams, that of clips or time-lapses of which there are none,
/// the health of a stream, or its state as ustreamer tells it.
fn known(json: &Value) -> bool {
    let has_only = |value: &Value, keys: &[&str]| {
        let object = value.as_object();
        object.is_some_and(|object| object.keys().all(|key| keys.contains(&key.as_str())))
    };
    let listed = [
        "bytes", "fps", "frames", "name", "replay_s", "state", "viewers",
    ];
    let kept = ["damaged", "may_add"];
    for list in ["clips", "timelapses"] {
        if let Some(recordings) = json[list].as_array() {
            let is_empty = recordings.is_empty() && json["damaged"] == Value::Array(Vec::new());
            let is_list = has_only(json, &[&kept[..], &[list]].concat());
            return is_list && is_empty && json["may_add"] == false;
        }
    }
    let of_ustreamer = ["encoder", "instance_id", "source", "stream"];
    match json["streams"].as_array() {
        Some(streams) => {
            let is_list = has_only(json, &["streams", "may_add"]) && json["may_add"] != true;
            is_list && streams.iter().all(|stream| has_only(stream, &listed))
        }
        None if json["ok"] == true => {
            let clients = &json["result"]["stream"]["clients_stat"];
            has_only(json, &["ok", "result"])
                && has_only(&json["result"], &of_ustreamer)
                && has_only(clients, &[])
        }
        None => has_only(json, &["state"]),
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &str,
) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    // It may be refused before it is read.
    let _ = stream.write_all(request.as_bytes()).await;
    let _ = stream.flush().await;
    loop {
        match stream.read_buf(&mut answer).await {
            Ok(0) | Err(_) => return Ok(answer),
            Ok(_) => {}
        }
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n");
        let Some(end) = head else { continue };
        let head = answer[..end].to_ascii_lowercase();
        let is = |kind: &[u8]| head.windows(kind.len()).any(|window| window == kind);
        // These do not end.
        let is_endless = is(b"multipart/x-mixed-replace") || is(b"text/event-stream");
        if is_endless && answer.len() > end + 20 {
            return Ok(answer);
        }
    }
}

/// Asks over a connection of HTTP/2 for what can be asked there.
pub(super) async fn over_http2(
    addr: SocketAddr,
    certificate: &Path,
    asked: &[Asked],
) -> Vec<(Seen, Asked)> {
    let stream = connect_to(addr, certificate, b"h2").await.unwrap();
    let (requests, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut answers = Vec::new();
    for asked in asked {
        let target = match asked.target.starts_with('/') {
            true => format!("https://localhost{}", asked.target),
            false => asked.target.clone(),
        };
        let request = Request::builder()
            .method(&*asked.method)
            .uri(target)
            .header("content-type", "application/json")
            .body(());
        let Ok(request) = request else { continue };
        let mut requests = requests.clone().ready().await.expect("it stays open");
        let Ok((response, mut body)) = requests.send_request(request, false) else {
            continue;
        };
        let sent = body.send_data(asked.body.clone().into(), true);
        let Ok(response) = response.await else {
            continue;
        };
        sent.unwrap();
        let kind = response.headers().get("content-type");
        let kind = kind.map(|kind| kind.to_str().unwrap().to_owned());
        let mut seen = Seen {
            status: response.status().as_u16(),
            kind: kind.unwrap_or_default(),
            text: String::new(),
        };
        let mut body = response.into_body();
        while let Some(Ok(data)) = body.data().await {
            let _ = body.flow_control().release_capacity(data.len());
            seen.text += &String::from_utf8_lossy(&data);
            if seen.is_picture() || seen.kind.starts_with("text/event-stream") {
                break;
            }
        }
        answers.push((seen, asked.clone()));
    }
    assert!(answers.len() > 300, "{}", answers.len());
    drop(requests);
    connection.abort();
    answers
}
