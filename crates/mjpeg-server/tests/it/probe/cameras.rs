//! Cameras with one quirk each.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use mjpeg_testkit::{FakeHttpCamera, Step, jpeg};

pub(super) const MULTIPART: &str = "multipart/x-mixed-replace; boundary=frame";

/// The head of an answer.
pub(super) fn head(status: &str, headers: &str) -> Step {
    Step::Send(format!("{status}\r\n{headers}\r\n").into())
}

/// The head of a sound stream, and a further header.
pub(super) fn stream_head(further: &str) -> Step {
    head(
        "HTTP/1.1 200 OK",
        &format!("Content-Type: {MULTIPART}\r\n{further}"),
    )
}

/// A sound part.
pub(super) fn part(picture: &[u8]) -> Bytes {
    let length = picture.len();
    let head = format!("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), picture, b"\r\n"].concat().into()
}

/// A head, and 20 of these parts per second without end.
pub(super) fn stream(head: Step, part: impl Fn(u32) -> Bytes) -> Vec<Step> {
    let mut steps = vec![head];
    for number in 0..20 {
        steps.push(Step::Send(part(number)));
        steps.push(Step::Wait(Duration::from_millis(50)));
    }
    steps.push(Step::Goto(1));
    steps
}

/// A camera that sends a sound stream of these pictures.
pub(super) fn of_pictures(
    picture: impl Fn(Bytes) -> Bytes + Send + Sync + 'static,
) -> FakeHttpCamera {
    of_parts(move |number| part(&picture(jpeg::numbered(number))))
}

/// A camera that sends these parts.
pub(super) fn of_parts(part: impl Fn(u32) -> Bytes + Send + Sync + 'static) -> FakeHttpCamera {
    FakeHttpCamera::start(move |_| stream(stream_head(""), &part))
}

/// A camera that sends sound parts behind this head.
pub(super) fn of_head(status: &'static str, headers: &'static str) -> FakeHttpCamera {
    FakeHttpCamera::start(move |_| {
        stream(head(status, headers), |number| {
            part(&jpeg::numbered(number))
        })
    })
}

/// A camera that sends a sound stream with this header in its head.
pub(super) fn of_header(header: &'static str) -> FakeHttpCamera {
    FakeHttpCamera::start(move |_| {
        stream(stream_head(header), |number| part(&jpeg::numbered(number)))
    })
}

/// A camera that answers with one picture. The head is made for each length.
pub(super) fn of_snapshots(
    answer: impl Fn(usize, Bytes) -> Vec<Step> + Send + Sync + 'static,
) -> FakeHttpCamera {
    let count = AtomicUsize::new(0);
    FakeHttpCamera::start(move |_| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        answer(number, jpeg::numbered(u32::try_from(number).unwrap_or(0)))
    })
}

/// A sound answer with one picture.
pub(super) fn snapshot(picture: &Bytes) -> Vec<Step> {
    let length = picture.len();
    let headers = format!("Content-Type: image/jpeg\r\nContent-Length: {length}\r\n");
    vec![
        head("HTTP/1.1 200 OK", &headers),
        Step::Send(picture.clone()),
    ]
}
