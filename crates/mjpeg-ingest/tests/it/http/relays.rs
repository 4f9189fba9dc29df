//! Cameras that are relays themselves, and say so.

use std::time::{Duration, SystemTime};

use mjpeg_ingest::{
    Error, Event, Ingest,
    mjpeg_codec::{
        FrameId,
        multipart::{RelayId, Via},
    },
};
use mjpeg_testkit::{FakeHttpCamera, Step, jpeg};
use tokio::time::Instant;

use super::{answer, event, open, send, until_offline};

const OTHER: &str = "0123456789abcdef";

/// The head of a relay's stream, which names these relays.
fn head(via: &str) -> Step {
    send(format!(
        "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=b\r\n\
         X-Mjpeg-Via: {via}\r\n\r\n--b\r\n"
    ))
}

/// A part of a relay's stream: its picture's number is that of the frame.
fn part(seq: u32, headers: &str) -> Step {
    let image = jpeg::numbered(seq);
    let via = match headers.contains("X-Mjpeg-Via") {
        true => String::new(),
        false => format!("X-Mjpeg-Via: {OTHER}\r\n"),
    };
    let head = format!(
        "Content-Type: image/jpeg\r\nContent-Length: {}\r\nX-Epoch: 1\r\nX-Seq: {seq}\r\n{via}{headers}\r\n",
        image.len()
    );
    send([head.as_bytes(), &image, b"\r\n--b\r\n"].concat())
}

/// The next event that is neither a delimiter nor the beginning.
async fn next(ingest: &mut Ingest) -> Event {
    loop {
        match event(ingest).await {
            Event::Discarded { .. } | Event::Connecting | Event::Online { .. } => {}
            event => return event,
        }
    }
}

async fn next_seq(ingest: &mut Ingest) -> Option<u64> {
    match next(ingest).await {
        Event::Frame(captured) => captured.stamp.id().map(|id| id.seq),
        event => panic!("{event:?}"),
    }
}

#[tokio::test]
async fn repeats_of_a_relay_are_not_frames() {
    let camera = FakeHttpCamera::start(|_| {
        let mut steps = vec![head(OTHER), part(1, "")];
        steps.extend([part(1, "X-Repeat: 1\r\n"), part(1, ""), part(2, "")]);
        // A placeholder: a picture of the relay's own.
        steps.extend([part(3, "X-Repeat: 1\r\n"), part(4, ""), Step::Stall]);
        steps
    });
    let mut ingest = open(&camera.url("/"));
    assert!(matches!(next(&mut ingest).await, Event::Via(via) if via.to_string() == OTHER));
    for seq in [1, 2, 4] {
        assert_eq!(next_seq(&mut ingest).await, Some(seq));
    }
    // It named itself, as only relays do.
    let own = RelayId::of_this_process().to_string();
    assert_eq!(camera.requests()[0].header("x-mjpeg-via"), Some(&*own));
}

#[tokio::test]
async fn relay_that_has_lost_its_camera_is_offline_on_the_same_connection() {
    let camera = FakeHttpCamera::start(|_| {
        let away = "X-Online: false\r\nX-Repeat: 1\r\n";
        let mut steps = vec![head(OTHER), part(1, ""), part(1, away), part(1, away)];
        steps.extend([part(2, "X-Online: true\r\n"), part(2, away), Step::Stall]);
        steps
    });
    let mut ingest = open(&camera.url("/"));
    assert!(matches!(next(&mut ingest).await, Event::Via(_)));
    for seq in [1, 2] {
        assert_eq!(next_seq(&mut ingest).await, Some(seq));
        let Event::Offline { error, .. } = next(&mut ingest).await else {
            panic!("not offline")
        };
        assert!(matches!(*error, Error::RelayOffline), "{error}");
    }
    assert_eq!(camera.requests().len(), 1);
}

#[tokio::test]
async fn age_that_a_relay_states_is_part_of_the_frames_age() {
    let camera = FakeHttpCamera::start(|_| {
        vec![
            head(OTHER),
            part(1, "X-Age-Us: 5000000\r\nX-Timestamp: 1700000000.123456\r\n"),
            part(2, "X-Age-Us: 60000001\r\n"),
            part(3, "X-Age-Us: -1\r\n"),
            Step::Stall,
        ]
    });
    let mut ingest = open(&camera.url("/"));
    assert!(matches!(next(&mut ingest).await, Event::Via(_)));
    for (seq, is_aged) in [(1, true), (2, false), (3, false)] {
        let Event::Frame(captured) = next(&mut ingest).await else {
            panic!("no frame")
        };
        let stamp = captured.stamp;
        assert_eq!(stamp.id(), Some(FrameId { epoch: 1, seq }));
        let age = Instant::now().into_std().duration_since(stamp.monotonic());
        let by_wall_clock = SystemTime::now().duration_since(stamp.received()).unwrap();
        for age in [age, by_wall_clock] {
            assert_eq!(age >= Duration::from_secs(5), is_aged, "{seq}: {age:?}");
        }
    }
}

#[tokio::test]
async fn old_picture_of_a_lost_camera_is_not_shown_as_a_new_one() {
    let camera = FakeHttpCamera::start(|_| {
        let old = "X-Online: false\r\nX-Age-Us: 3600000000\r\n";
        vec![head(OTHER), part(1, old), Step::Stall]
    });
    let (frames, error) = until_offline(&mut open(&camera.url("/"))).await;
    assert_eq!((frames, &*error), (vec![], "the relay has lost its camera"));
}

#[tokio::test]
async fn relay_that_is_read_through_this_one_is_refused() {
    let own = RelayId::of_this_process();
    let looped = Via::through(RelayId::new(1), &Via::through(own, &Via::default())).to_string();
    // By the head of its answer, or later by a part.
    for (in_head, in_part) in [(looped.clone(), String::new()), (OTHER.into(), looped)] {
        let camera = FakeHttpCamera::start(move |_| {
            let via = format!("X-Mjpeg-Via: {in_part}\r\n");
            vec![head(&in_head), part(1, &via), Step::Stall]
        });
        let (_, error) = until_offline(&mut open(&camera.url("/"))).await;
        assert!(error.starts_with("a loop: "), "{error}");
    }
    let refusing =
        FakeHttpCamera::saying("HTTP/1.1 508 Loop Detected\r\nContent-Length: 0\r\n\r\n");
    let (_, error) = until_offline(&mut open(&refusing.url("/"))).await;
    assert!(error.starts_with("a loop: "), "{error}");
}

#[tokio::test]
async fn fifth_relay_in_a_row_is_refused() {
    for (relays, is_read) in [(4, true), (5, false)] {
        let via = (0..relays).fold(Via::default(), |via, n| Via::through(RelayId::new(n), &via));
        let via = via.to_string();
        let camera = FakeHttpCamera::start(move |_| vec![head(&via), part(1, ""), Step::Stall]);
        let mut ingest = open(&camera.url("/"));
        if is_read {
            assert!(matches!(next(&mut ingest).await, Event::Via(_)), "{relays}");
            assert_eq!(next_seq(&mut ingest).await, Some(1));
        } else {
            let (_, error) = until_offline(&mut ingest).await;
            assert!(error.starts_with("more than 4 relays"), "{error}");
        }
    }
}

#[tokio::test]
async fn polled_pictures_of_a_relay_keep_their_time_and_identity() {
    let camera = FakeHttpCamera::start(|request| {
        // The second answer has the picture of the first.
        let seq = 1 + request.connection.saturating_sub(1) as u32;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let headers = format!(
            "Content-Type: image/jpeg\r\nConnection: close\r\nX-Mjpeg-Via: {OTHER}\r\n\
             X-Epoch: 9\r\nX-Seq: {seq}\r\nX-Age-Us: 2000000\r\nX-Timestamp: {}.5\r\n",
            now.unwrap().as_secs() - 100
        );
        vec![
            answer("200 OK", &headers, &jpeg::numbered(seq)),
            Step::Close,
        ]
    });
    let mut ingest = open(&camera.url("/#fps=20"));
    assert!(matches!(next(&mut ingest).await, Event::Via(via) if via.to_string() == OTHER));
    for seq in [1, 2] {
        let Event::Frame(captured) = next(&mut ingest).await else {
            panic!("no frame")
        };
        let stamp = captured.stamp;
        assert_eq!(stamp.id(), Some(FrameId { epoch: 9, seq }));
        let age = Instant::now().into_std().duration_since(stamp.monotonic());
        assert!(age >= Duration::from_secs(2), "{age:?}");
        let stated = stamp.camera().expect("a time of its own");
        assert!(stamp.received().duration_since(stated).unwrap() > Duration::from_secs(90));
    }
}
