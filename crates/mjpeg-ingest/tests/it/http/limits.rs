//! Limits of time: which one is told, and that each source may have its own.

use std::time::Duration;

use mjpeg_ingest::{Control, Event, Ingest, IngestConfig, Source};
use mjpeg_testkit::{FakeHttpCamera, Step};
use tokio::time::Instant;

use super::{
    answer, counted, event, next_number, open, part, picture, send, stream_head, until_offline,
};

#[tokio::test]
async fn limits_of_connecting_and_of_answering_are_two() {
    // It needs longer for each answer than a connection may take.
    let slow = counted(|n| vec![Step::Wait(Duration::from_millis(400)), picture(n)]);
    let mut ingest = open(&slow.url("/#connect_timeout=200ms&fps=50"));
    for n in 1..=3 {
        assert_eq!(next_number(&mut ingest).await, n);
    }
    for (start, told) in [
        ("", "did not answer within 300ms (answer_timeout)"),
        (
            "HTTP/1.1 200 OK\r\n",
            "did not answer within 300ms (answer_timeout)",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n",
            "sent no whole picture within 400ms (set by stall_limit)",
        ),
    ] {
        let camera = FakeHttpCamera::start(move |_| vec![send(start), Step::Stall]);
        let options = "#answer_timeout=300ms&stall_limit=400ms&poll_interval=100ms";
        let (_, error) = until_offline(&mut open(&camera.url(options))).await;
        assert!(error.contains(told), "{error}");
    }
}

#[tokio::test]
async fn answers_that_take_longer_than_the_silence_limit_are_waited_for() {
    // The first comes at once, so that nothing is known about the others.
    let wait = |n| Duration::from_millis(if n == 1 { 0 } else { 400 });
    let camera = counted(move |n| vec![Step::Wait(wait(n)), picture(n)]);
    let mut ingest = open(&camera.url("/#stall_limit=100ms&poll_interval=20ms"));
    for n in 1..=4 {
        assert_eq!(next_number(&mut ingest).await, n);
    }
}

#[tokio::test]
async fn silence_limit_is_that_of_the_source() {
    for (option, is_lost) in [("#stall_limit=100ms", true), ("#stall_limit=10s", false)] {
        let camera = FakeHttpCamera::start(|_| {
            let gap = Step::Wait(Duration::from_millis(500));
            vec![
                stream_head(),
                send(part(1)),
                gap,
                send(part(2)),
                Step::Stall,
            ]
        });
        let config = IngestConfig::default().with_stall_limit(Duration::from_millis(200));
        let source: Source = camera.url(&format!("/{option}")).parse().unwrap();
        let mut ingest = Ingest::new(source, config);
        assert_eq!(next_number(&mut ingest).await, 1);
        if is_lost {
            let (_, error) = until_offline(&mut ingest).await;
            assert_eq!(error, "the camera sent nothing for 100ms (stall_limit)");
        } else {
            assert_eq!(next_number(&mut ingest).await, 2);
        }
    }
}

fn refusing() -> FakeHttpCamera {
    FakeHttpCamera::start(|_| {
        let challenge = "WWW-Authenticate: Basic realm=\"x\"\r\n";
        vec![answer("401 Unauthorized", challenge, b"")]
    })
}

fn source(camera: &FakeHttpCamera, options: &str) -> Source {
    let url = camera.url(options).replacen("//", "//me:secret@", 1);
    url.parse().unwrap()
}

async fn offline(ingest: &mut Ingest) -> (String, Duration) {
    loop {
        if let Event::Offline { error, retry_in } = event(ingest).await {
            return (error.chain().to_string(), retry_in);
        }
    }
}

#[tokio::test]
async fn refused_password_is_tried_once_and_then_after_minutes() {
    let camera = refusing();
    let source = source(&camera, "/");
    let control = Control::new();
    let ingest = || Ingest::with_control(source.clone(), IngestConfig::default(), control.clone());
    let (error, retry_in) = offline(&mut ingest()).await;
    assert!(
        error.contains("next try in 5m (login_retry)") && error.contains("retry_now"),
        "{error}"
    );
    assert_eq!(retry_in, Duration::from_secs(300));
    assert_eq!(camera.requests().len(), 2);
    // The next visitor of a stream that is read on demand does not try either.
    let mut second = ingest();
    let (again, retry_in) = offline(&mut second).await;
    assert_eq!(again, error);
    assert!(retry_in <= Duration::from_secs(300) && retry_in > Duration::from_secs(280));
    assert_eq!(camera.requests().len(), 2);
    // A retry does, and so does another source.
    control.retry_now();
    offline(&mut second).await;
    assert_eq!(camera.requests().len(), 4);
    let fresh: Source = source.reveal().parse().unwrap();
    offline(&mut Ingest::new(fresh, IngestConfig::default())).await;
    assert_eq!(camera.requests().len(), 6);
}

#[tokio::test]
async fn login_is_tried_again_after_its_time() {
    let camera = refusing();
    let mut ingest = Ingest::new(
        source(&camera, "/#login_retry=200ms"),
        IngestConfig::default(),
    );
    let begun = Instant::now();
    for _ in 0..3 {
        let (_, retry_in) = offline(&mut ingest).await;
        assert_eq!(retry_in, Duration::from_millis(200));
    }
    assert!(begun.elapsed() >= Duration::from_millis(400));
    assert_eq!(camera.requests().len(), 6);
}

#[tokio::test]
async fn login_that_is_refused_while_polling_waits_too() {
    let camera = FakeHttpCamera::start(|asked| match asked.header("authorization") {
        _ if asked.connection > 0 => vec![answer("403 Forbidden", "", b"locked")],
        Some(_) => vec![picture(1), Step::Close],
        None => {
            let challenge = "WWW-Authenticate: Basic realm=\"x\"\r\n";
            vec![answer("401 Unauthorized", challenge, b"")]
        }
    });
    let mut ingest = Ingest::new(source(&camera, "/#fps=20"), IngestConfig::default());
    let (error, retry_in) = offline(&mut ingest).await;
    assert!(
        error.starts_with("the camera answers 403 Forbidden to this login"),
        "{error}"
    );
    assert_eq!(retry_in, Duration::from_secs(300));
}
