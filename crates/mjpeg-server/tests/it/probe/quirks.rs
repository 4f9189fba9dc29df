//! Each quirk is named in one sentence, and a healthy camera gets a clean bill.

use std::time::Duration;

use bytes::Bytes;
use mjpeg_testkit::{Camera, FakeHttpCamera, Script, Step, jpeg, refused_addr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

use super::{
    Probed,
    cameras::{
        MULTIPART, head, of_head, of_header, of_parts, of_pictures, of_snapshots, part, snapshot,
        stream, stream_head,
    },
};
use crate::{folder::Folder, process::run};

/// Probes all of them at the same time, and expects exactly these codes.
async fn each(cameras: Vec<(&'static str, FakeHttpCamera)>, code: i32) -> Vec<Probed> {
    let mut probes = JoinSet::new();
    for (at, (expected, camera)) in cameras.into_iter().enumerate() {
        probes.spawn(async move {
            let probed = Probed::of(&["--json", &camera.url("/video")]).await;
            (at, expected, probed)
        });
    }
    let mut all = probes.join_all().await;
    all.sort_by_key(|(at, ..)| *at);
    for (_, expected, probed) in &all {
        let mut codes = probed.codes();
        // This machine may be too busy to be in time.
        codes.retain(|code| expected.contains(&**code) || !IN_TIME.contains(&&**code));
        assert_eq!(codes.join(" "), *expected, "{}", probed.stdout);
        assert_eq!(probed.code, Some(code), "{expected}: {}", probed.stdout);
        assert!(
            probed.took < Duration::from_secs(16),
            "{expected}: {:?}",
            probed.took
        );
    }
    all.into_iter().map(|(_, _, probed)| probed).collect()
}

/// The findings that depend on times.
const IN_TIME: [&str; 4] = ["pauses", "jitter", "bursts", "second_slows"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healthy_cameras_get_a_clean_bill() {
    let cameras = vec![
        ("", of_pictures(|picture| picture)),
        ("", of_snapshots(|_, picture| snapshot(&picture))),
    ];
    let probed = each(cameras, 0).await;
    for (probed, kind) in probed.iter().zip(["multipart", "snapshots"]) {
        let json = probed.json();
        let verdict = match probed.codes().is_empty() {
            true => "clean",
            false => "relayable",
        };
        assert_eq!(json["verdict"], verdict, "{json:#}");
        assert_eq!(json["kind"], kind, "{json:#}");
        assert_eq!(json["second_client"], "accepted", "{json:#}");
        assert_eq!(json["pictures"]["width"], 64, "{json:#}");
    }
    let frames = (0..20).map(jpeg::numbered).collect();
    let camera = Camera::start(Script::live(frames, Duration::from_millis(50))).await;
    let probed = Probed::of(&[&camera.url()]).await;
    let said = &probed.stdout;
    assert_eq!(probed.code, Some(0), "{said}");
    assert!(said.contains("nothing is wrong with it"), "{said}");
    assert!(said.contains("[[streams]]\nname = \"camera\"\n"), "{said}");
    assert_eq!(camera.connections(), 2);
    assert_eq!(camera.most_open(), 2, "at the same time");
}

/// The picture without its last bytes.
fn cut(picture: &Bytes, bytes: usize) -> Bytes {
    picture.slice(..picture.len() - bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quirks_of_pictures_are_named() {
    let preview = |picture: Bytes| Bytes::from([&picture[..], &jpeg::sized(9, 16, 16)].concat());
    let lossless = |picture: Bytes| {
        let at = picture.windows(2).position(|two| two == [0xFF, 0xC0]);
        let mut bytes = picture.to_vec();
        bytes[at.expect("a frame header") + 1] = 0xC3;
        bytes.into()
    };
    let cameras = vec![
        ("no_eoi", of_pictures(|picture| cut(&picture, 2))),
        (
            "no_huffman_tables",
            of_pictures(|picture| jpeg::without_dht(&picture)),
        ),
        (
            "embedded_markers",
            of_pictures(|picture| jpeg::with_thumbnail(&picture, &jpeg::sized(1, 16, 16))),
        ),
        ("extra_image other_part_length", {
            of_parts(move |number| part(&preview(jpeg::numbered(number))))
        }),
        ("truncated", {
            of_parts(|number| match (number % 4, jpeg::numbered(number)) {
                (0, picture) => part(&picture[..picture.len() - 20]),
                (_, picture) => part(&picture),
            })
        }),
        ("unsupported", of_pictures(lossless)),
        (
            "size_changes",
            of_parts(|number| part(&jpeg::sized(number, 32 + 16 * (number as u16 / 10), 32))),
        ),
        ("frozen", of_pictures(|_| jpeg::numbered(7))),
        ("not_jpeg", {
            of_parts(|number| match number % 4 {
                0 => Bytes::from(
                    &b"--frame\r\nContent-Type: audio/basic\r\n\r\n\xFF\xD8\xFF\xE0abc\r\n"[..],
                ),
                _ => part(&jpeg::numbered(number)),
            })
        }),
        ("bursts", {
            FakeHttpCamera::start(|_| {
                let mut steps = vec![stream_head("")];
                for number in 0..10 {
                    let burst = (0..4).map(|n| part(&jpeg::numbered(4 * number + n)));
                    steps.push(Step::Send(burst.collect::<Vec<_>>().concat().into()));
                    steps.push(Step::Wait(Duration::from_millis(250)));
                }
                steps.push(Step::Goto(1));
                steps
            })
        }),
    ];
    each(cameras, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quirks_of_answers_are_named() {
    const BLANK: &str = "\r\n";
    let long: &'static str = "X-A: b\r\n".repeat(105).leak();
    let cameras = vec![
        ("useless_length", of_header("Content-Length: -1\r\n")),
        ("length_of_stream", of_header("Content-Length: 0\r\n")),
        ("no_coding", of_header("Content-Encoding: none\r\n")),
        ("long_head", of_header(long)),
        ("cookies", of_header("Set-Cookie: a=b\r\n")),
        (
            "other_status",
            of_head(
                "HTTP/1.1 206 Partial",
                "Content-Type: multipart/x-mixed-replace; boundary=frame\r\n",
            ),
        ),
        ("no_type", of_head("HTTP/1.1 200 OK", "")),
        (
            "other_type",
            of_head(
                "HTTP/1.1 200 OK",
                "Content-Type: application/octet-stream\r\n",
            ),
        ),
        (
            "no_boundary",
            of_head(
                "HTTP/1.1 200 OK",
                "Content-Type: multipart/x-mixed-replace\r\n",
            ),
        ),
        (
            "dashed_boundary",
            of_head(
                "HTTP/1.1 200 OK",
                "Content-Type: multipart/x-mixed-replace; boundary=--frame\r\n",
            ),
        ),
        (
            "other_boundary",
            of_head(
                "HTTP/1.1 200 OK",
                "Content-Type: multipart/x-mixed-replace; boundary=other\r\n",
            ),
        ),
        (
            "icy_status",
            of_head(
                "ICY 200 OK",
                "Content-Type: multipart/x-mixed-replace; boundary=frame\r\n",
            ),
        ),
        (
            "no_head",
            FakeHttpCamera::start(|_| {
                stream(Step::Send(Bytes::new()), |number| {
                    part(&jpeg::numbered(number))
                })
            }),
        ),
        (
            "informational",
            FakeHttpCamera::start(|_| {
                let head = format!(
                    "HTTP/1.1 100 Continue\r\n{BLANK}HTTP/1.1 200 OK\r\nContent-Type: {MULTIPART}\r\n{BLANK}"
                );
                stream(Step::Send(head.into()), |number| {
                    part(&jpeg::numbered(number))
                })
            }),
        ),
        (
            "other_part_length",
            of_parts(|number| {
                let picture = jpeg::numbered(number);
                let head = "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 7\r\n\r\n";
                [head.as_bytes(), &picture, b"\r\n"].concat().into()
            }),
        ),
        (
            "other_part_type",
            of_parts(|number| {
                let picture = jpeg::numbered(number);
                [
                    b"--frame\r\nContent-Type: image/x-foo\r\n\r\n",
                    &picture[..],
                    b"\r\n",
                ]
                .concat()
                .into()
            }),
        ),
        (
            "no_type",
            of_snapshots(|_, picture| {
                vec![
                    head("HTTP/1.1 200 OK", ""),
                    Step::Send(picture),
                    Step::Close,
                ]
            }),
        ),
        (
            "closes_early",
            of_snapshots(|_, picture| {
                let headers = format!(
                    "Content-Type: image/jpeg\r\nContent-Length: {}\r\n",
                    picture.len() + 48
                );
                vec![
                    head("HTTP/1.1 200 OK", &headers),
                    Step::Send(picture),
                    Step::Close,
                ]
            }),
        ),
        (
            "missed_polls",
            of_snapshots(|number, picture| match number {
                // Before the second client comes.
                2 => vec![head("HTTP/1.1 503 Busy", "Content-Length: 0\r\n")],
                _ => snapshot(&picture),
            }),
        ),
        (
            "slow_answer",
            of_snapshots(|_, picture| {
                let mut steps = snapshot(&picture);
                steps.insert(0, Step::Wait(Duration::from_millis(1600)));
                steps
            }),
        ),
        (
            "slow",
            FakeHttpCamera::start(|_| {
                vec![
                    stream_head(""),
                    Step::Send(part(&jpeg::numbered(1))),
                    Step::Send("--frame\r\n".into()),
                    Step::Stall,
                ]
            }),
        ),
        (
            "redirect",
            FakeHttpCamera::start(|request| match request.path() {
                "/video" => vec![head(
                    "HTTP/1.1 302 Found",
                    "Location: /other\r\nContent-Length: 0\r\n",
                )],
                _ => stream(stream_head(""), |number| part(&jpeg::numbered(number))),
            }),
        ),
    ];
    let probed = each(cameras, 0).await;
    let [.., slow_answer, slow, redirect] = &probed[..] else {
        panic!("three at least")
    };
    assert_eq!(slow_answer.json()["set"]["poll_interval"], "2s");
    let json = slow.json();
    let limit = json["set"]["stall_limit"].as_str().expect("a time");
    assert!(
        json["configuration"]
            .as_str()
            .unwrap()
            .contains(&format!("stall_limit = \"{limit}\""))
    );
    assert_eq!(redirect.json()["verdict"], "clean");
    for probed in &probed {
        checks(&probed.json());
    }
}

/// The configuration passes the check.
fn checks(json: &serde_json::Value) {
    let folder = Folder::new();
    let file = folder.write("mjpeg.toml", json["configuration"].as_str().expect("TOML"));
    let (code, out, err) = run(&["check", &file]);
    assert_eq!(code, Some(0), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cameras_that_cannot_be_relayed_say_why() {
    let challenge = "WWW-Authenticate: Basic realm=\"a\"\r\nContent-Length: 0\r\n";
    let cameras = vec![
        (
            "login_needed",
            FakeHttpCamera::start(move |_| vec![head("HTTP/1.1 401 No", challenge)]),
        ),
        (
            "unknown_login",
            FakeHttpCamera::saying(
                "HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n",
            ),
        ),
        (
            "status",
            FakeHttpCamera::saying("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        ),
        (
            "no_pictures",
            FakeHttpCamera::saying("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"),
        ),
        (
            "compressed",
            FakeHttpCamera::saying(
                "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Encoding: gzip\r\n\r\nx",
            ),
        ),
        (
            "max_redirects",
            FakeHttpCamera::start(|_| {
                vec![head(
                    "HTTP/1.1 302 Found",
                    "Location: /video\r\nContent-Length: 0\r\n",
                )]
            }),
        ),
    ];
    for (at, probed) in each_by_first(cameras).await.into_iter().enumerate() {
        let json = probed.json();
        assert_eq!(json["verdict"], "not_relayable", "{at}: {json:#}");
        assert_eq!(json["configuration"], serde_json::Value::Null);
        assert_eq!(json["second_client"], "not_tried");
    }
    let addr = refused_addr().await;
    let probed = Probed::of(&["--json", &format!("tcp://{addr}")]).await;
    assert_eq!(probed.codes(), ["unreachable"]);
    assert_eq!(probed.code, Some(1));
}

/// As [`each`], but only the first code is compared, and the exit code is 1.
async fn each_by_first(cameras: Vec<(&'static str, FakeHttpCamera)>) -> Vec<Probed> {
    let mut probes = JoinSet::new();
    for (expected, camera) in cameras {
        probes.spawn(async move {
            let url = match expected {
                "unknown_login" => camera.url("/video").replace("://", "://me:open-sesame@"),
                _ => camera.url("/video"),
            };
            (expected, Probed::of(&["--json", &url]).await)
        });
    }
    let all = probes.join_all().await;
    for (expected, probed) in &all {
        assert_eq!(
            probed.codes().first().map(String::as_str),
            Some(*expected),
            "{}",
            probed.stdout
        );
        assert_eq!(probed.code, Some(1), "{}", probed.stdout);
    }
    all.into_iter().map(|(_, probed)| probed).collect()
}

#[tokio::test]
async fn old_encryption_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ = client.read(&mut [0; 1024]).await;
            // An alert: fatal, protocol_version.
            let _ = client.write_all(&[21, 3, 1, 0, 2, 2, 70]).await;
        }
    });
    let probed = Probed::of(&["--json", &format!("https://{addr}/video#insecure")]).await;
    assert_eq!(probed.codes(), ["old_tls"], "{}", probed.stdout);
    assert_eq!(probed.code, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_second_client_gets_is_told() {
    let refuses = FakeHttpCamera::start(|request| match request.connection {
        0 => stream(stream_head(""), |number| part(&jpeg::numbered(number))),
        _ => vec![
            head("HTTP/1.1 503 Busy", "Content-Length: 0\r\n"),
            Step::Close,
        ],
    });
    let starves = FakeHttpCamera::start(|request| match request.connection {
        0 => stream(stream_head(""), |number| part(&jpeg::numbered(number))),
        _ => vec![stream_head(""), Step::Stall],
    });
    let refused = each(
        vec![("second_refused", refuses), ("second_silent", starves)],
        0,
    )
    .await;
    assert_eq!(refused[0].json()["second_client"], "refused");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut last: Option<tokio::task::JoinHandle<()>> = None;
        while let Ok((mut client, _)) = listener.accept().await {
            if let Some(last) = last.take() {
                last.abort();
            }
            last = Some(tokio::spawn(async move {
                for number in 0.. {
                    if client.write_all(&jpeg::numbered(number)).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }));
        }
    });
    let probed = Probed::of(&["--json", &format!("tcp://{addr}")]).await;
    assert_eq!(probed.codes(), ["second_takes_over"], "{}", probed.stdout);
    assert_eq!(probed.json()["second_client"], "takes_over");
}
