//! Cameras that send single images.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use mjpeg_testkit::{FakeHttpCamera, Step, jpeg};
use tokio::time::Instant;

use super::{answer, next_number, open, picture, send, until_offline};

/// Responds by the number of the request, from 1.
fn counted(answers: impl Fn(u32) -> Vec<Step> + Send + Sync + 'static) -> FakeHttpCamera {
    let count = AtomicU32::new(0);
    FakeHttpCamera::start(move |_| answers(count.fetch_add(1, Ordering::SeqCst) + 1))
}

#[tokio::test]
async fn pictures_are_asked_for_at_their_rate_over_one_kept_connection() {
    let camera = counted(|n| vec![picture(n)]);
    let mut ingest = open(&camera.url("/shot.jpg?n=1#fps=20"));
    let begun = Instant::now();
    for n in 1..=5 {
        assert_eq!(next_number(&mut ingest).await, n);
    }
    // Five images span four intervals of 50 ms.
    assert!(
        begun.elapsed() >= Duration::from_millis(190),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(camera.camera().connections(), 1);
    assert!(
        camera
            .requests()
            .iter()
            .all(|asked| asked.path() == "/shot.jpg?n=1")
    );
}

#[tokio::test]
async fn camera_that_closes_after_each_picture_is_dialled_for_each_and_never_twice() {
    let with_length = |n| vec![picture(n), Step::Close];
    let without_length = |n| {
        let head = "HTTP/1.0 200 OK\r\nContent-type: image/jpg\r\n\r\n";
        vec![
            send([head.as_bytes(), &jpeg::numbered(n)].concat()),
            Step::Close,
        ]
    };
    // It promises to keep the connection, and closes it while the next request is under way.
    let racing = |n| {
        if n % 2 == 0 {
            vec![Step::Close]
        } else {
            vec![picture(n)]
        }
    };
    let cameras = [
        counted(with_length),
        counted(without_length),
        counted(racing),
    ];
    for (camera, step) in cameras.iter().zip([1, 1, 2]) {
        let mut ingest = open(&camera.url("/#fps=60"));
        for n in 0..5 {
            assert_eq!(next_number(&mut ingest).await, 1 + n * step);
        }
        assert_eq!(camera.camera().connections(), 5);
        assert_eq!(camera.camera().most_open(), 1);
    }
}

#[tokio::test]
async fn slow_camera_is_not_asked_before_it_has_answered() {
    let camera = counted(|n| vec![Step::Wait(Duration::from_millis(100)), picture(n)]);
    let mut ingest = open(&camera.url("/#fps=60"));
    for n in 1..=3 {
        assert_eq!(next_number(&mut ingest).await, n);
    }
    assert!(camera.requests().len() <= 4);
    assert_eq!(camera.camera().most_open(), 1);
}

#[tokio::test]
async fn failed_request_ends_the_connection_with_its_reason() {
    for (third, error) in [
        (
            answer("503 Busy", "", b""),
            "the camera answers 503 Service Unavailable: it may have too many viewers",
        ),
        (
            answer("200 OK", "Content-Type: multipart/x-mixed-replace\r\n", b""),
            "the camera sends multipart/x-mixed-replace, which is neither",
        ),
        (
            send("garbage\r\n\r\n"),
            "the camera's answer is not HTTP as it should be",
        ),
        (
            answer(
                "200 OK",
                "Content-Type: image/jpeg\r\nContent-Encoding: gzip\r\n",
                b"",
            ),
            "the camera sends its pictures compressed (gzip)",
        ),
    ] {
        let camera = counted(move |n| vec![if n == 3 { third.clone() } else { picture(n) }]);
        let mut ingest = open(&camera.url("/#fps=60"));
        let (frames, told) = until_offline(&mut ingest).await;
        assert_eq!(frames, [1, 2]);
        assert!(told.starts_with(error), "{told}");
        // Then it recovers.
        assert_eq!(next_number(&mut ingest).await, 4);
    }
}
