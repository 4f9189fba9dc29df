//! The oracles that fuzz targets and the replay test share. They panic when a promise is broken.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use mjpeg_codec::{Frame, Stamp, multipart::Boundary};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex, split},
    runtime::Builder,
    task::yield_now,
    time::{Instant, sleep, timeout},
};

use crate::{
    closing::Closer,
    config::{listener::ListenerConfig, stream::StreamConfig},
    peer::Peer,
    server::{connection, context::Context, handle::ListenerShared, handshakes::Handshakes},
    service::StreamService,
    transport::Transport,
};

#[cfg(feature = "replay")]
mod past;

#[cfg(feature = "replay")]
pub use past::http_past;

/// Checks that a client gets valid HTTP in bounded time, whatever it sends and in whatever pieces,
/// and that nothing is left of it when it has gone. The first byte of the input says how to send
/// the rest.
pub fn http_request(data: &[u8]) {
    let Some((&how, sent)) = data.split_first() else {
        return;
    };
    let mut runtime = Builder::new_current_thread();
    // Everything is in memory, so time advances when no task can proceed.
    let runtime = runtime.enable_time().start_paused(true).build();
    let answer = runtime
        .expect("no resources are needed for timers alone")
        .block_on(converse(how, sent));
    check(&answer);
}

async fn converse(how: u8, sent: &[u8]) -> Vec<u8> {
    let bytes_at_once = usize::from(how & 0x1F) + 1;
    let (is_full, has_frame, hangs_up) = (how & 0x20 > 0, how & 0x40 > 0, how & 0x80 > 0);
    let (producer, consumer) = mjpeg_fanout::channel();
    if has_frame {
        let frame = Frame::parse(Bytes::from_static(PICTURE)).expect("a frame");
        let now = Instant::now().into_std();
        producer.publish(frame, Stamp::new(SystemTime::now(), now));
    }
    let mut config = StreamConfig::default();
    if is_full {
        config = config.with_max_viewers(0);
    }
    let service = StreamService::new(consumer.clone(), config);
    let (client, server) = duplex(PIPE_BYTES);
    let listener = Arc::new(ListenerShared::new(ListenerConfig::default()));
    let context = Context {
        listener: Arc::clone(&listener),
        streams: Box::new(service.clone()),
        fallback: None,
        wrap: None,
        handshakes: Handshakes::default(),
        closer: Closer::new(),
        cutter: Closer::new(),
    };
    let peer = Peer::from(([192, 0, 2, 1], 1));
    let serving = async {
        connection::serve(Transport::new(server), peer, Arc::new(context)).await;
    };
    let mut answer = Vec::new();
    let (mut reader, mut writer) = split(client);
    let talking = async {
        for piece in sent.chunks(bytes_at_once) {
            if writer.write_all(piece).await.is_err() {
                return;
            }
            yield_now().await;
        }
        if hangs_up {
            let _ = writer.shutdown().await;
        }
    };
    let hearing = reader.read_to_end(&mut answer);
    let filming = async {
        sleep(FILM).await;
        drop(producer);
    };
    let all = async { tokio::join!(serving, talking, hearing, filming) };
    timeout(LONGEST, all)
        .await
        .expect("it ends")
        .2
        .expect("a pipe");
    drop((reader, writer));
    service.drain(Duration::from_secs(1)).await;
    assert_eq!(listener.counters.read().connections, 0);
    assert_eq!(service.stats().viewers, 0);
    assert!(service.viewers().is_empty());
    assert_eq!(consumer.viewers(), 0, "nobody wants frames any more");
    answer
}

/// Checks that these are answers, each as long as it says; the last one may be a stream.
fn check(mut answers: &[u8]) {
    while !answers.is_empty() {
        let end = find(answers, b"\r\n\r\n").expect("a head that ends");
        let (head, rest) = (&answers[..end], &answers[end + 4..]);
        let head = str::from_utf8(head).expect("our headers are ASCII");
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let status = status(status_line).unwrap_or_else(|| panic!("{status_line:?}"));
        let mut length = 0;
        let mut is_stream = false;
        for line in lines {
            let (name, value) = line.split_once(": ").expect("a name and a value");
            let is_token = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            assert!(!name.is_empty() && name.bytes().all(is_token), "{line:?}");
            assert!(!value.contains(|c: char| c.is_ascii_control()), "{line:?}");
            match name {
                "content-length" => length = value.parse().expect("a length"),
                "content-type" => is_stream = value == Boundary::default().content_type(),
                "transfer-encoding" => panic!("nothing here is of unknown length: {head:?}"),
                _ => {}
            }
        }
        if is_stream {
            assert_eq!(status, 200);
            let opening = b"--boundarydonotcross\r\n";
            assert!(rest.is_empty() || rest.starts_with(opening), "{head:?}");
            return;
        }
        // The answer to HEAD states the length of a body that does not follow. No body of ours
        // begins like an answer.
        let has_body = !(rest.is_empty() || rest.starts_with(b"HTTP/1."));
        let body = if has_body { length } else { 0 };
        assert!(rest.len() >= body, "cut off: {head:?}");
        answers = &rest[body..];
    }
}

fn status(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.0 ");
    let rest = rest.or_else(|| line.strip_prefix("HTTP/1.1 "))?;
    let (code, reason) = rest.split_once(' ')?;
    let code = code.parse().ok()?;
    ((100..600).contains(&code) && !reason.is_empty()).then_some(code)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|at| at == wanted)
}

/// The smallest valid frame.
const PICTURE: &[u8] = b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x08\0\x08\x01\x01\x11\0\xFF\xDA\0\x08\x01\x01\0\0\x3F\0\0\xFF\xD9";

const PIPE_BYTES: usize = 4 << 10;

/// How long the camera exists. After it, streams end and snapshots do not wait.
const FILM: Duration = Duration::from_secs(60);

/// The camera's time, and then the time that a request head may take.
const LONGEST: Duration = Duration::from_secs(120);
