//! Cameras that send single images.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use mjpeg_ingest::{Backoff, Event, Ingest, IngestConfig, mjpeg_codec::DiscardReason};
use mjpeg_testkit::{FakeHttpCamera, Step, jpeg};
use tokio::time::Instant;

use super::{
    answer, counted, event, login_wanted, next_number, open, part, picture, send, until_offline,
};

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
async fn line_break_behind_an_answer_does_not_cost_the_connection() {
    let camera = counted(|n| vec![picture(n), send("\r\n")]);
    let mut ingest = open(&camera.url("/#fps=50"));
    for n in 1..=5 {
        assert_eq!(next_number(&mut ingest).await, n);
    }
    assert_eq!(camera.camera().connections(), 1);
    // Anything else may be half of another answer.
    let camera = counted(|n| vec![picture(n), send("HTTP/1.1 200 OK\r\n")]);
    let mut ingest = open(&camera.url("/#fps=50"));
    for n in 1..=3 {
        assert_eq!(next_number(&mut ingest).await, n);
    }
    assert_eq!(camera.camera().connections(), 3);
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
async fn answer_without_a_picture_is_skipped_and_the_rhythm_kept() {
    let stream = "Content-Type: multipart/x-mixed-replace\r\n";
    let page = "Content-Type: text/html\r\n";
    let gzip = "Content-Type: image/jpeg\r\nContent-Encoding: gzip\r\n";
    let cut = answer(
        "200 OK",
        "Content-Type: image/jpeg\r\n",
        &jpeg::numbered(3)[..200],
    );
    for (name, third) in [
        ("busy", vec![answer("503 Busy", "", b"try later")]),
        ("page", vec![answer("200 OK", page, b"<html>busy</html>")]),
        (
            "page as a picture",
            vec![answer("200 OK", "Content-Type: image/jpeg\r\n", b"<html>")],
        ),
        (
            "empty",
            vec![answer("200 OK", "Content-Type: image/jpeg\r\n", b"")],
        ),
        (
            "empty stream",
            vec![answer("200 OK", stream, b"--b\r\n"), Step::Close],
        ),
        ("no HTTP", vec![send("garbage\r\n\r\n"), Step::Close]),
        ("hung up", vec![Step::Close]),
        ("half a picture", vec![cut]),
        ("compressed", vec![answer("200 OK", gzip, b"x")]),
        (
            "redirect to nowhere",
            vec![answer("302 Found", "Location: rtsp://x/\r\n", b"")],
        ),
    ] {
        let camera = counted(move |n| {
            if n % 3 == 0 {
                third.clone()
            } else {
                vec![picture(n)]
            }
        });
        let mut ingest = open(&camera.url("/#fps=50"));
        // A connection that is closed before an answer is dialled again, which is a request too.
        let mut last = 0;
        while last < 10 {
            let number = next_number(&mut ingest).await;
            assert!(number > last && number % 3 != 0, "{name}: {number}");
            last = number;
        }
        assert_eq!(camera.camera().most_open(), 1, "{name}");
    }
}

/// An ingest that waits for nothing long.
fn quick(url: &str, limit: Duration) -> Ingest {
    let backoff = Backoff::try_new(Duration::from_millis(10), Duration::from_millis(50)).unwrap();
    let config = IngestConfig::default()
        .with_backoff(backoff)
        .with_stall_limit(limit);
    Ingest::new(url.parse().unwrap(), config)
}

#[tokio::test]
async fn camera_is_lost_after_several_answers_without_a_picture_and_a_time() {
    let camera = counted(|n| match n {
        3..=12 => vec![answer("503 Busy", "", b"")],
        n => vec![picture(n)],
    });
    let mut ingest = quick(&camera.url("/#fps=50"), Duration::from_millis(200));
    let (frames, error) = until_offline(&mut ingest).await;
    assert_eq!(frames, [1, 2]);
    assert!(
        error.starts_with("the camera answers 503 Service Unavailable"),
        "{error}"
    );
    let asked = camera.requests().len();
    assert!((5..=12).contains(&asked), "{asked}");
    // Then it recovers.
    loop {
        match event(&mut ingest).await {
            Event::Frame(captured) => {
                assert_eq!(jpeg::number_of(captured.frame.bytes()), Some(13));
                break;
            }
            Event::Stalled { .. } => panic!("it is offline"),
            _ => {}
        }
    }
}

/// Reads five pictures, one per answer, at the rate that was asked for.
async fn five(camera: &FakeHttpCamera, name: &str) {
    let mut ingest = open(&camera.url("/#fps=20"));
    let begun = Instant::now();
    for n in 1..=5 {
        assert_eq!(next_number(&mut ingest).await, n, "{name}");
    }
    assert!(begun.elapsed() >= Duration::from_millis(190), "{name}");
    assert_eq!(camera.camera().most_open(), 1, "{name}");
}

/// A picture in one chunk, and how the chunks end.
fn chunked(n: u32, end: &[u8]) -> Vec<Step> {
    let image = jpeg::numbered(n);
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let size = format!("{:x}\r\n", image.len());
    vec![send(
        [head.as_bytes(), size.as_bytes(), &image, b"\r\n", end].concat(),
    )]
}

#[tokio::test]
async fn whole_picture_is_a_picture_however_its_answer_is_announced_and_ends() {
    fn head(headers: &str, body: &[u8]) -> Step {
        send([format!("HTTP/1.1 200 OK\r\n{headers}\r\n").as_bytes(), body].concat())
    }
    const JPEG: &str = "Content-Type: image/jpeg\r\n";
    const PARTS: &str = "Content-Type: multipart/x-mixed-replace;boundary=b\r\n";
    const OCTETS: &str = "Content-Type: application/octet-stream\r\n";
    type Answer = fn(u32) -> Vec<Step>;
    let answers: [(&str, Answer); 16] = [
        ("chunked", |n| chunked(n, b"0\r\n\r\n")),
        ("chunked, without its end", |n| chunked(n, b"")),
        ("cut short", |n| {
            let image = jpeg::numbered(n);
            let length = format!("{JPEG}Content-Length: {}\r\n", image.len() + 48);
            vec![head(&length, &image), Step::Close]
        }),
        ("too long a length, kept open", |n| {
            let image = jpeg::numbered(n);
            let length = format!("{JPEG}Content-Length: {}\r\n", image.len() + 48);
            vec![head(&length, &image)]
        }),
        ("no length, closed", |n| {
            vec![head(JPEG, &jpeg::numbered(n)), Step::Close]
        }),
        ("no length, kept open", |n| {
            vec![head(JPEG, &jpeg::numbered(n))]
        }),
        ("negative length, kept open", |n| {
            vec![head(
                &format!("{JPEG}Content-Length: -1\r\n"),
                &jpeg::numbered(n),
            )]
        }),
        ("octets with a length", |n| {
            vec![answer("200 OK", OCTETS, &jpeg::numbered(n))]
        }),
        ("octets, closed", |n| {
            vec![head(OCTETS, &jpeg::numbered(n)), Step::Close]
        }),
        ("neither type nor length", |n| {
            vec![head("", &jpeg::numbered(n)), Step::Close]
        }),
        ("neither type nor length, kept open", |n| {
            vec![head("", &jpeg::numbered(n))]
        }),
        ("called a stream", |n| {
            vec![answer("200 OK", PARTS, &jpeg::numbered(n))]
        }),
        ("called a stream, closed", |n| {
            vec![head(PARTS, &jpeg::numbered(n)), Step::Close]
        }),
        ("one part and the end", |n| {
            vec![
                head(PARTS, &[b"--b\r\n", &part(n)[..]].concat()),
                Step::Close,
            ]
        }),
        ("one part with a length", |n| {
            vec![answer(
                "200 OK",
                PARTS,
                &[b"--b\r\n", &part(n)[..]].concat(),
            )]
        }),
        ("reset", |n| {
            let image = jpeg::numbered(n);
            let length = format!("{JPEG}Content-Length: {}\r\n", image.len() + 48);
            vec![
                head(&length, &image),
                Step::Wait(Duration::from_millis(10)),
                Step::Reset,
            ]
        }),
    ];
    for (name, answers) in answers {
        five(&counted(answers), name).await;
    }
}

#[tokio::test]
async fn kind_of_an_answer_is_decided_for_each() {
    let camera = counted(|n| match n % 4 {
        0 => vec![picture(n)],
        1 => vec![answer("200 OK", "", &jpeg::numbered(n))],
        2 => {
            let body = [b"--b\r\n", &part(n)[..]].concat();
            vec![answer("200 OK", "Content-Type: multipart/mixed\r\n", &body)]
        }
        _ => vec![send(jpeg::numbered(n)), Step::Close],
    });
    let mut ingest = open(&camera.url("/#fps=50"));
    for n in 1..=9 {
        assert_eq!(next_number(&mut ingest).await, n);
    }
}

#[tokio::test]
async fn redirect_that_is_good_for_once_is_asked_for_anew() {
    let (served, given) = (AtomicU32::new(0), AtomicU32::new(0));
    let camera = FakeHttpCamera::start(move |asked| {
        let ticket = format!("/shot?ticket={}", given.load(Ordering::SeqCst));
        match asked.path() {
            "/" => {
                let n = given.fetch_add(1, Ordering::SeqCst) + 1;
                let location = format!("Location: /shot?ticket={n}\r\n");
                vec![answer("302 Found", &location, b"")]
            }
            path if path == ticket
                && served.swap(given.load(Ordering::SeqCst), Ordering::SeqCst)
                    < given.load(Ordering::SeqCst) =>
            {
                vec![picture(given.load(Ordering::SeqCst))]
            }
            // Nobody could log in.
            _ => vec![login_wanted()],
        }
    });
    let mut ingest = open(&camera.url("/#fps=50"));
    for n in 1..=5 {
        assert_eq!(next_number(&mut ingest).await, n);
    }
}

#[tokio::test]
async fn several_parts_of_announced_length_are_an_answer_too() {
    let camera = counted(|n| {
        let body = [b"--b\r\n", &part(2 * n - 1)[..], &part(2 * n)].concat();
        vec![answer("200 OK", "Content-Type: multipart/mixed\r\n", &body)]
    });
    let mut ingest = open(&camera.url("/#fps=50"));
    for n in 1..=8 {
        assert_eq!(next_number(&mut ingest).await, n);
    }
    assert_eq!(camera.camera().connections(), 1);
}

#[tokio::test]
async fn first_picture_of_an_answer_is_the_picture() {
    let preview = jpeg::sized(99, 16, 16);
    let cut = preview.slice(..preview.len() - 20);
    for (name, behind) in [
        ("preview", preview),
        ("half a preview", cut),
        ("zeroes", vec![0; 5000].into()),
    ] {
        for has_length in [true, false] {
            let behind = behind.clone();
            let length = behind.len() as u64;
            let camera = counted(move |n| {
                let body = [&jpeg::numbered(n)[..], &behind].concat();
                if has_length {
                    return vec![answer("200 OK", "Content-Type: image/jpeg\r\n", &body)];
                }
                let head = &b"HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n"[..];
                vec![send([head, &body].concat()), Step::Close]
            });
            let mut ingest = open(&camera.url("/#fps=50"));
            let (mut next, mut dropped) = (1, 0);
            while next <= 4 {
                match event(&mut ingest).await {
                    Event::Frame(captured) => {
                        let number = jpeg::number_of(captured.frame.bytes());
                        assert_eq!(number, Some(next), "{name} {has_length}");
                        next += 1;
                    }
                    Event::Discarded { reason, bytes } => {
                        assert_eq!(reason, DiscardReason::ExtraImage, "{name}");
                        dropped += bytes;
                    }
                    Event::Offline { error, .. } => panic!("{name}: {error}"),
                    _ => {}
                }
            }
            assert!(dropped >= 3 * length, "{name}: {dropped}");
        }
    }
}

#[tokio::test]
async fn picture_that_is_followed_without_end_is_left_in_time() {
    let endless = send(vec![0; 1000]);
    let camera = counted(move |n| {
        let head = "HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n";
        let first = send([head.as_bytes(), &jpeg::numbered(n)].concat());
        vec![first, endless.clone(), Step::Goto(1)]
    });
    five(&camera, "endless").await;
}

/// Whatever ends the answer.
#[tokio::test]
async fn pictures_that_take_longer_than_the_interval_come_back_to_back() {
    const INTERVAL: Duration = Duration::from_secs(1);
    const IMAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n";
    let table = [
        ("length", "Content-Length: {}\r\n", "", false, 1),
        ("length, closed", "Content-Length: {}\r\n", "", true, 4),
        (
            "too long a length",
            "Content-Length: {}00\r\n",
            "",
            false,
            4,
        ),
        (
            "chunked",
            "Transfer-Encoding: chunked\r\n",
            "0\r\n\r\n",
            false,
            1,
        ),
        (
            "chunked, without its end",
            "Transfer-Encoding: chunked\r\n",
            "",
            false,
            4,
        ),
        ("closed", "", "", true, 4),
        ("kept open", "", "", false, 4),
    ];
    let play = async |(name, header, end, closes, connections): (
        &str,
        &'static str,
        &'static str,
        bool,
        usize,
    )| {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let times = Arc::clone(&asked);
        let camera = counted(move |n| {
            times.lock().unwrap().push(Instant::now());
            let image = jpeg::numbered(n);
            let header = header.replace("{}", &image.len().to_string());
            let is_chunked = header.contains("chunked");
            let size = if is_chunked {
                format!("{:x}\r\n", image.len())
            } else {
                String::new()
            };
            let end = if is_chunked {
                format!("\r\n{end}")
            } else {
                String::new()
            };
            let begin = format!("{IMAGE}{header}\r\n{size}");
            let (one, other) = image.split_at(100);
            let mut steps = vec![
                send([begin.as_bytes(), one].concat()),
                Step::Wait(INTERVAL + Duration::from_millis(100)),
                send([other, end.as_bytes()].concat()),
            ];
            if closes {
                steps.push(Step::Close);
            }
            steps
        });
        let mut ingest = open(&camera.url("/#poll_interval=1s"));
        let mut came = Vec::new();
        for n in 1..=4 {
            assert_eq!(next_number(&mut ingest).await, n, "{name}");
            came.push(Instant::now());
        }
        let asked = asked.lock().unwrap().clone();
        let gaps: Vec<_> = came
            .iter()
            .zip(&asked[1..])
            .map(|(came, asked)| asked.saturating_duration_since(*came))
            .collect();
        // What may be a stream has an interval for its next picture, once.
        let first = usize::from(matches!(name, "kept open" | "chunked, without its end"));
        assert!(
            gaps[first..].iter().all(|gap| *gap < INTERVAL / 2),
            "{name}: {gaps:?}"
        );
        let camera = camera.camera();
        assert_eq!(
            (camera.connections(), camera.most_open()),
            (connections, 1),
            "{name}"
        );
    };
    join_all(table.map(play)).await;
}
