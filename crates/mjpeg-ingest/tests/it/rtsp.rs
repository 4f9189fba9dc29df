//! Cameras that speak RTSP, over real sockets.

mod coding;
#[cfg(feature = "tls")]
mod tls;

use std::{
    net::TcpListener,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use mjpeg_ingest::{
    Backoff, Captured, DialPolicy, Event, FailureReason, Ingest, IngestConfig, Source,
    mjpeg_codec::DiscardReason,
};
use mjpeg_testkit::{
    FakeRtspCamera, ReceivedRequest, RtpSender, RtspAnswers, Step,
    jpeg::{self, RtspPicture},
};
use tokio::time::timeout;

const PICTURE: RtspPicture = RtspPicture {
    width: 64,
    height: 48,
    quality: 80,
    halves_lines: true,
    restart_interval: 0,
};

fn config() -> IngestConfig {
    let quick = Backoff::try_new(Duration::from_millis(10), Duration::from_millis(50)).unwrap();
    IngestConfig::default().with_backoff(quick)
}

fn open(url: &str) -> Ingest {
    Ingest::new(url.parse().unwrap(), config())
}

async fn event(ingest: &mut Ingest) -> Event {
    let event = timeout(Duration::from_secs(20), ingest.next()).await;
    event.expect("in time").expect("a camera never ends")
}

async fn next_frame(ingest: &mut Ingest) -> Captured {
    loop {
        match event(ingest).await {
            Event::Frame(captured) => return captured,
            Event::Offline { error, .. } => panic!("{}", error.chain()),
            _ => {}
        }
    }
}

/// What keeps the camera offline, what that is counted as, and when the next attempt follows.
async fn until_offline(ingest: &mut Ingest) -> (String, FailureReason, Duration) {
    loop {
        if let Event::Offline { error, retry_in } = event(ingest).await {
            return (error.chain().to_string(), error.reason(), retry_in);
        }
    }
}

/// The data of the scan.
fn scan(jpeg: &[u8]) -> &[u8] {
    let sos = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xDA])
        .unwrap();
    let header = usize::from(u16::from_be_bytes([jpeg[sos + 2], jpeg[sos + 3]]));
    &jpeg[sos + 2 + header..]
}

fn picture(number: u32) -> Bytes {
    jpeg::rtsp_picture(number, PICTURE)
}

/// The packets of pictures with these numbers, small ones.
fn packets(numbers: std::ops::Range<u32>) -> Vec<Vec<Bytes>> {
    let mut sender = RtpSender {
        fragment_bytes: 100,
        ..RtpSender::default()
    };
    numbers
        .map(|number| sender.picture(&picture(number)))
        .collect()
}

/// Sends pictures, then nothing.
fn sending(pictures: Vec<Vec<Bytes>>) -> RtspAnswers {
    RtspAnswers::mjpeg(None, move |_| {
        FakeRtspCamera::pictures(pictures.clone(), Duration::from_millis(1))
    })
}

fn with_login(camera: &FakeRtspCamera, login: &str) -> String {
    camera
        .url("/live")
        .replacen("//", &format!("//{login}@"), 1)
}

#[tokio::test]
async fn pictures_come_as_they_were_sent_and_the_session_is_ended() {
    let camera = FakeRtspCamera::start(sending(packets(0..5)));
    let mut ingest = open(&camera.url("/live?profile=1"));
    for number in 0..5 {
        let captured = next_frame(&mut ingest).await;
        assert_eq!(scan(captured.frame.bytes()), scan(&picture(number)));
        assert_eq!((captured.frame.width(), captured.frame.height()), (64, 48));
        assert_eq!(captured.stamp.camera(), None);
    }
    let asked = camera.requests();
    let host = camera.addr();
    let lines: Vec<_> = asked
        .iter()
        .map(|asked| (asked.method(), asked.path()))
        .collect();
    let (url, track) = (
        format!("rtsp://{host}/live?profile=1"),
        format!("rtsp://{host}/live?profile=1/track1"),
    );
    assert_eq!(
        lines,
        [("DESCRIBE", &*url), ("SETUP", &*track), ("PLAY", &*url)]
    );
    assert_eq!(
        asked[1].header("transport"),
        Some("RTP/AVP/TCP;unicast;interleaved=0-1")
    );
    assert_eq!(asked[2].header("session"), Some("12345678"));
    assert!(
        asked
            .iter()
            .all(|asked| asked.header("authorization").is_none())
    );
    // The camera has played its steps when nothing more comes, and takes requests again.
    let _ = timeout(Duration::from_millis(200), ingest.next()).await;
    drop(ingest);
    timeout(Duration::from_secs(10), async {
        while camera.requests().last().unwrap().method() != "TEARDOWN" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the camera is told");
    assert_eq!(camera.camera().connections(), 1);
}

#[tokio::test]
async fn picture_with_a_lost_packet_is_counted_and_the_others_come() {
    let mut pictures = packets(0..5);
    pictures[1].remove(2);
    pictures[3].pop();
    let lost = [&pictures[1], &pictures[3]].map(|packets| {
        let payload = |packet: &Bytes| packet.len() as u64 - 12;
        packets.iter().map(payload).sum::<u64>()
    });
    let camera = FakeRtspCamera::start(sending(pictures));
    let mut ingest = open(&camera.url("/"));
    let (mut frames, mut discarded) = (Vec::new(), Vec::new());
    while frames.len() < 3 {
        match event(&mut ingest).await {
            Event::Frame(captured) => frames.push(captured.frame),
            Event::Discarded { reason, bytes } => discarded.push((reason, bytes)),
            Event::Offline { error, .. } => panic!("{}", error.chain()),
            _ => {}
        }
    }
    for (frame, number) in frames.iter().zip([0, 2, 4]) {
        assert_eq!(scan(frame.bytes()), scan(&picture(number)), "{number}");
    }
    assert_eq!(
        discarded,
        lost.map(|bytes| (DiscardReason::LostPackets, bytes))
    );
}

#[tokio::test]
async fn packets_before_the_answer_to_play_are_not_lost() {
    let pictures = packets(0..2);
    let early = FakeRtspCamera::pictures(pictures[..1].to_vec(), Duration::ZERO);
    let late = FakeRtspCamera::pictures(pictures[1..].to_vec(), Duration::ZERO);
    let answers = sending(Vec::new()).instead(move |asked| {
        let answer = FakeRtspCamera::answer(asked, "200 OK", "", "");
        let all = [&early[..], &[answer], &late].concat();
        (asked.method() == "PLAY").then_some(all)
    });
    let camera = FakeRtspCamera::start(answers);
    let mut ingest = open(&camera.url("/"));
    for number in 0..2 {
        let captured = next_frame(&mut ingest).await;
        assert_eq!(scan(captured.frame.bytes()), scan(&picture(number)));
    }
}

#[tokio::test]
async fn camera_that_refuses_to_play_after_packets_is_offline() {
    let early = FakeRtspCamera::pictures(packets(0..1), Duration::ZERO);
    let answers = sending(Vec::new()).instead(move |asked| {
        let answer = FakeRtspCamera::answer(asked, "453 Not Enough Bandwidth", "", "");
        (asked.method() == "PLAY").then(|| [&early[..], &[answer]].concat())
    });
    let camera = FakeRtspCamera::start(answers);
    let (error, reason, _) = until_offline(&mut open(&camera.url("/"))).await;
    assert!(error.contains("453"), "{error}");
    assert_eq!(reason, FailureReason::Unusable);
}

#[tokio::test]
async fn camera_time_is_that_of_the_sender_reports() {
    let since_1970 = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let captured_at = since_1970.as_secs() - 7;
    let pictures = packets(0..1);
    let play = move |_: &ReceivedRequest| {
        // The picture's timestamp is a second after the report's.
        let timestamp = RtpSender::default().timestamp.wrapping_sub(90_000);
        let mut report = vec![0x80, 200, 0, 6, 0, 0, 0, 0];
        report.extend(
            (captured_at as u32 - 1)
                .wrapping_add(2_208_988_800)
                .to_be_bytes(),
        );
        report.extend(0u32.to_be_bytes());
        report.extend(timestamp.to_be_bytes());
        report.extend([0; 8]);
        let report = Step::Send(FakeRtspCamera::interleaved(1, &report));
        let pictures = FakeRtspCamera::pictures(pictures.clone(), Duration::ZERO);
        [vec![report], pictures].concat()
    };
    let camera = FakeRtspCamera::start(RtspAnswers::mjpeg(None, play));
    let captured = next_frame(&mut open(&camera.url("/"))).await;
    let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(captured_at);
    assert_eq!(captured.stamp.camera(), Some(expected));
}

#[tokio::test]
async fn size_of_large_pictures_is_that_of_the_description() {
    let large = RtspPicture {
        width: 2560,
        height: 16,
        ..PICTURE
    };
    for size in [Some((2560, 16)), None] {
        let mut sender = RtpSender::default();
        let jpeg = jpeg::rtsp_picture(1, large);
        let pictures: Vec<_> = (0..3).map(|_| sender.picture(&jpeg)).collect();
        let play =
            move |_: &ReceivedRequest| FakeRtspCamera::pictures(pictures.clone(), Duration::ZERO);
        let camera = FakeRtspCamera::start(RtspAnswers::mjpeg(size, play));
        let mut ingest = open(&camera.url("/"));
        if size.is_some() {
            let frame = next_frame(&mut ingest).await.frame;
            assert_eq!((frame.width(), frame.height()), (2560, 16));
        } else {
            let (error, reason, _) = until_offline(&mut ingest).await;
            assert!(error.contains("states their size nowhere"), "{error}");
            assert_eq!(reason, FailureReason::Unusable);
        }
    }
}

#[tokio::test]
async fn session_is_kept_alive_by_what_the_camera_knows() {
    let answers = sending(packets(0..1)).instead(|asked| {
        (asked.method() == "SETUP").then(|| {
            let headers = "Session: abc;timeout=2\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n";
            vec![FakeRtspCamera::answer(asked, "200 OK", headers, "")]
        })
    });
    let camera = FakeRtspCamera::start(answers);
    let mut ingest = open(&camera.url("/"));
    next_frame(&mut ingest).await;
    let kept = |camera: &FakeRtspCamera| {
        let asked = camera.requests();
        let kept = asked[3..].iter().map(|asked| {
            assert_eq!(asked.header("session"), Some("abc"));
            asked.method().to_owned()
        });
        kept.collect::<Vec<_>>()
    };
    // It is read, and so kept alive, only while the next event is waited for.
    while kept(&camera).len() < 3 {
        let _ = timeout(Duration::from_millis(100), ingest.next()).await;
    }
    assert_eq!(
        kept(&camera)[..3],
        ["OPTIONS", "GET_PARAMETER", "GET_PARAMETER"]
    );
    assert_eq!(camera.camera().connections(), 1);
}

const CHALLENGE: &str = "WWW-Authenticate: Basic realm=\"cam\"\r\nWWW-Authenticate: Digest realm=\"cam\", nonce=\"n\"\r\n";

#[tokio::test]
async fn login_is_made_as_the_camera_asks_for_it() {
    // MD5 by RFC 2069, of DESCRIBE and each request after it.
    let answers = sending(packets(0..1)).instead(|asked| {
        let login = asked.header("authorization").unwrap_or_default();
        let is_ours = login.starts_with("Digest username=\"me@home\", realm=\"cam\", nonce=\"n\"")
            && login.contains(&format!("uri=\"{}\"", asked.path()));
        (!is_ours).then(|| vec![FakeRtspCamera::answer(asked, "401 No", CHALLENGE, "")])
    });
    let camera = FakeRtspCamera::start(answers);
    let mut ingest = open(&with_login(&camera, "me%40home:p%2Fw"));
    next_frame(&mut ingest).await;
    let methods: Vec<_> = camera
        .requests()
        .iter()
        .map(|a| a.method().to_owned())
        .collect();
    assert_eq!(methods, ["DESCRIBE", "DESCRIBE", "SETUP", "PLAY"]);
    let shown = with_login(&camera, "me:pw")
        .parse::<Source>()
        .unwrap()
        .to_string();
    assert_eq!(shown, with_login(&camera, "***"));
}

/// The answer to a Digest challenge of a method, computed here: MD5 by RFC 2069.
#[tokio::test]
async fn digest_answers_for_the_method_of_each_request() {
    let answers = sending(packets(0..1)).instead(|asked| {
        let login = asked.header("authorization");
        login.is_none().then(|| {
            let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n";
            vec![FakeRtspCamera::answer(asked, "401 No", challenge, "")]
        })
    });
    let camera = FakeRtspCamera::start(answers);
    let mut ingest = open(&with_login(&camera, "a:b"));
    next_frame(&mut ingest).await;
    let asked = camera.requests();
    let response = |asked: &ReceivedRequest| {
        let login = asked.header("authorization").unwrap();
        login.split("response=\"").nth(1).unwrap()[..32].to_owned()
    };
    // The session's URL is the same for both: only the method differs.
    assert_eq!(asked[1].path(), asked[3].path());
    assert_eq!((asked[1].method(), asked[3].method()), ("DESCRIBE", "PLAY"));
    assert_ne!(response(&asked[1]), response(&asked[3]));
}

#[tokio::test]
async fn refused_password_is_tried_once_and_then_minutes_later() {
    let refuse = |asked: &ReceivedRequest| {
        Some(vec![FakeRtspCamera::answer(
            asked,
            "401 Unauthorized",
            CHALLENGE,
            "",
        )])
    };
    let camera = FakeRtspCamera::start(sending(Vec::new()).instead(refuse));
    let (error, reason, retry_in) = until_offline(&mut open(&with_login(&camera, "a:b"))).await;
    assert!(
        error.contains("refuses the user name or the password"),
        "{error}"
    );
    assert_eq!(
        (reason, retry_in),
        (FailureReason::Login, Duration::from_secs(300))
    );
    assert_eq!(camera.requests().len(), 2);
    let url = with_login(&camera, "a:b") + "#login_retry=7m";
    let (_, _, retry_in) = until_offline(&mut open(&url)).await;
    assert_eq!(retry_in, Duration::from_secs(420));
    let (error, reason, _) = until_offline(&mut open(&camera.url("/"))).await;
    assert!(error.contains("rtsp://USER:PASSWORD@HOST/PATH"), "{error}");
    assert_eq!(reason, FailureReason::Login);
    let forbid = |asked: &ReceivedRequest| {
        let status = match asked.header("authorization") {
            Some(_) => "403 Forbidden",
            None => "401 Unauthorized",
        };
        Some(vec![FakeRtspCamera::answer(asked, status, CHALLENGE, "")])
    };
    let camera = FakeRtspCamera::start(sending(Vec::new()).instead(forbid));
    let (error, _, retry_in) = until_offline(&mut open(&with_login(&camera, "a:b"))).await;
    assert!(error.contains("403"), "{error}");
    assert_eq!(retry_in, Duration::from_secs(300));
}

#[tokio::test]
async fn password_is_not_given_away_after_a_digest_login() {
    // The first connection asks for Digest, then closes; all others ask for Basic.
    let answers = sending(packets(0..1)).instead(|asked| {
        let challenge = match asked.connection {
            0 => "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n",
            _ => "WWW-Authenticate: Basic realm=\"r\"\r\n",
        };
        match (asked.method(), asked.header("authorization")) {
            (_, None) => Some(vec![FakeRtspCamera::answer(asked, "401 No", challenge, "")]),
            ("SETUP", _) => Some(vec![Step::Close]),
            _ => None,
        }
    });
    let camera = FakeRtspCamera::start(answers);
    let mut ingest = open(&with_login(&camera, "me:hunter2"));
    until_offline(&mut ingest).await;
    let (error, ..) = until_offline(&mut ingest).await;
    assert!(error.contains("now for the password itself"), "{error}");
    for asked in camera.requests() {
        let login = asked.header("authorization").unwrap_or_default();
        assert!(!login.starts_with("Basic"), "{login}");
    }
}

#[tokio::test]
async fn camera_without_mjpeg_says_what_it_offers_and_what_to_do() {
    let mut answers = sending(Vec::new());
    answers.sdp = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
        m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
        .into();
    let camera = FakeRtspCamera::start(answers);
    let (error, reason, _) = until_offline(&mut open(&camera.url("/"))).await;
    assert!(
        error.starts_with("the camera offers H264 (video), PCMA (audio)"),
        "{error}"
    );
    assert!(error.contains("exec:ffmpeg -i rtsp://"), "{error}");
    assert_eq!(reason, FailureReason::Unusable);
}

#[tokio::test]
async fn sound_beside_the_pictures_is_passed_over() {
    let mut answers = sending(Vec::new());
    let video = answers.sdp.split_once("m=video").unwrap();
    answers.sdp = format!(
        "{}m=audio 0 RTP/AVP 0\r\na=control:sound\r\nm=video{}",
        video.0, video.1
    );
    answers.play = Arc::new(|_: &ReceivedRequest| {
        // Even if what is on another channel looks like pictures.
        let sound = packets(9..10).concat();
        let sound = sound
            .iter()
            .map(|packet| FakeRtspCamera::interleaved(2, packet));
        let sound = sound.map(Step::Send).collect();
        let other = RtpSender {
            payload_type: 50,
            sequence: RtpSender::default().sequence.wrapping_add(200),
            ..RtpSender::default()
        };
        let other = other.clone().packet(true, b"of another type");
        let mut pictures = packets(0..2);
        pictures[0].insert(1, other);
        [sound, FakeRtspCamera::pictures(pictures, Duration::ZERO)].concat()
    });
    let camera = FakeRtspCamera::start(answers);
    let mut ingest = open(&camera.url("/"));
    for number in 0..2 {
        let captured = next_frame(&mut ingest).await;
        assert_eq!(scan(captured.frame.bytes()), scan(&picture(number)));
    }
    assert!(camera.requests()[1].path().ends_with("/track1"));
}

#[tokio::test]
async fn answers_without_a_stream_say_what_to_do() {
    for (method, status, headers, told, counted) in [
        (
            "DESCRIBE",
            "404 Not Found",
            "",
            "leads nowhere",
            FailureReason::Unusable,
        ),
        (
            "DESCRIBE",
            "503 Busy",
            "",
            "too many viewers",
            FailureReason::Unusable,
        ),
        (
            "DESCRIBE",
            "302 Found",
            "Location: rtsp://me:hunter2@10.0.0.9/a?key=hunter2\r\n",
            "redirects to rtsp://***@10.0.0.9/a?***",
            FailureReason::Unusable,
        ),
        (
            "SETUP",
            "461 Unsupported Transport",
            "",
            "rtsp_transport udp",
            FailureReason::Unusable,
        ),
        (
            "SETUP",
            "200 OK",
            "",
            "session without a name",
            FailureReason::Unusable,
        ),
        (
            "SETUP",
            "200 OK",
            "Session: 1\r\nTransport: RTP/AVP;unicast;server_port=1-2\r\n",
            "over the connection",
            FailureReason::Unusable,
        ),
        (
            "PLAY",
            "454 Session Not Found",
            "",
            "454",
            FailureReason::Unusable,
        ),
    ] {
        let answers = sending(packets(0..1)).instead(move |asked| {
            let answer = || vec![FakeRtspCamera::answer(asked, status, headers, "")];
            (asked.method() == method).then(answer)
        });
        let camera = FakeRtspCamera::start(answers);
        let (error, reason, _) = until_offline(&mut open(&camera.url("/"))).await;
        assert!(error.contains(told), "{method} {status}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
        assert_eq!(reason, counted, "{status}");
    }
}

#[tokio::test]
async fn hostile_answers_are_bounded() {
    const MANY: usize = 16 << 20;
    for (name, answer, counted) in [
        (
            "an endless head",
            vec![b'R'; MANY],
            FailureReason::MaxHeadBytes,
        ),
        (
            "endless headers",
            [&b"RTSP/1.0 200 OK\r\n"[..], &b"A: b\r\n".repeat(MANY / 6)].concat(),
            FailureReason::MaxHeadBytes,
        ),
        (
            "a body of 4 GB",
            b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 4000000000\r\n\r\n".to_vec(),
            FailureReason::Unusable,
        ),
        ("a page", b"<html>".to_vec(), FailureReason::Unusable),
        (
            "HTTP",
            b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
            FailureReason::Unusable,
        ),
        ("nothing", Vec::new(), FailureReason::Closed),
    ] {
        let answer = Bytes::from(answer);
        let answers = sending(Vec::new())
            .instead(move |_| Some(vec![Step::Send(answer.clone()), Step::Close]));
        let camera = FakeRtspCamera::start(answers);
        let (error, reason, _) = until_offline(&mut open(&camera.url("/"))).await;
        assert_eq!(reason, counted, "{name}: {error}");
        let sent = camera.camera().bytes_sent();
        assert!(sent < 12 << 20, "{name}: {sent} bytes were taken");
    }
}

#[tokio::test]
async fn camera_that_answers_others_than_asked_is_given_up_in_time() {
    // Responses and packets without an end, and never the one that is waited for.
    let answers = sending(Vec::new()).instead(|_| {
        let noise = [
            &b"RTSP/1.0 200 OK\r\nCSeq: 999\r\n\r\n"[..],
            b"$\0\0\x03abc",
        ]
        .concat();
        Some(vec![Step::Send(noise.repeat(100).into()), Step::Goto(0)])
    });
    let camera = FakeRtspCamera::start(answers);
    let url = camera.url("/") + "#answer_timeout=1s";
    let (error, reason, _) = until_offline(&mut open(&url)).await;
    assert_eq!(reason, FailureReason::AnswerTimeout, "{error}");
}

#[tokio::test]
async fn dead_camera_that_comes_back_is_read_again_over_one_connection_at_a_time() {
    let answers = RtspAnswers::mjpeg(None, |asked| {
        let number = asked.connection as u32;
        let mut pictures = packets(number..number + 2);
        // In the middle of a picture.
        pictures[1].truncate(3);
        let mut steps = FakeRtspCamera::pictures(pictures, Duration::ZERO);
        // The camera cuts the connection, or falls silent: then the relay has to close it.
        steps.push(match number % 2 {
            0 => Step::Close,
            _ => Step::Stall,
        });
        steps
    });
    let camera = FakeRtspCamera::start(answers);
    let mut ingest = open(&(camera.url("/") + "#stall_limit=500ms"));
    let mut number = 0;
    let mut cut_off = 0;
    while number < 5 {
        match event(&mut ingest).await {
            Event::Frame(captured) => {
                assert_eq!(scan(captured.frame.bytes()), scan(&picture(number)));
                number += 1;
            }
            Event::Offline { error, .. } => {
                let expected = match number % 2 {
                    1 => FailureReason::Closed,
                    _ => FailureReason::StallLimit,
                };
                assert_eq!(error.reason(), expected, "{}", error.chain());
            }
            Event::Discarded { reason, .. } => {
                assert_eq!(reason, DiscardReason::Truncated);
                cut_off += 1;
            }
            _ => {}
        }
    }
    assert_eq!(cut_off, 4, "one of each connection before the last");
    assert_eq!(camera.camera().most_open(), 1);
}

#[tokio::test]
async fn nothing_is_dialled_that_the_policy_has_not_judged() {
    // What a camera may try to lead to, and a policy that refuses it.
    let trap = TcpListener::bind(("127.0.0.2", 0)).unwrap();
    trap.set_nonblocking(true).unwrap();
    let trapped = trap.local_addr().unwrap();
    let policy = DialPolicy::restricted().with_allowed(["127.0.0.1/32".parse().unwrap()]);
    let limited = |url: String| {
        let source: Source = url.parse().unwrap();
        Ingest::new(source.with_dial_policy(policy.clone()), config())
    };
    let refused = until_offline(&mut limited(format!("rtsp://{trapped}/"))).await;
    assert_eq!(refused.1, FailureReason::AddressNotAllowed);
    let source: Source = format!("rtsp://{trapped}/").parse().unwrap();
    assert!(
        source
            .with_dial_policy(policy.clone())
            .check_literal()
            .is_err()
    );
    // A redirect, a base and a control address.
    let answers = sending(Vec::new()).instead(move |asked| {
        let headers = format!("Location: rtsp://{trapped}/\r\n");
        Some(vec![FakeRtspCamera::answer(
            asked,
            "302 Found",
            &headers,
            "",
        )])
    });
    let camera = FakeRtspCamera::start(answers);
    until_offline(&mut limited(camera.url("/"))).await;
    let mut answers = sending(packets(0..1));
    answers.sdp = answers
        .sdp
        .replace("track1", &format!("rtsp://{trapped}/track1"));
    let answers = answers.clone().instead(move |asked| {
        let headers = format!("Content-Base: rtsp://{trapped}/\r\n");
        let sdp = &answers.sdp;
        (asked.method() == "DESCRIBE")
            .then(|| vec![FakeRtspCamera::answer(asked, "200 OK", &headers, sdp)])
    });
    let camera = FakeRtspCamera::start(answers);
    let mut ingest = limited(camera.url("/"));
    next_frame(&mut ingest).await;
    drop(ingest);
    assert_eq!(camera.camera().connections(), 1);
    assert!(trap.accept().is_err(), "somebody was led into the trap");
}

#[test]
fn urls_are_kept_as_written_without_their_secrets() {
    for (url, shown) in [
        ("rtsp://cam/live", "rtsp://cam/live"),
        ("rtsp://cam:554/live", "rtsp://cam/live"),
        ("rtsp://CAM:8554", "rtsp://cam:8554/"),
        ("rtsp://[fe80::1%25eth0]/1", "rtsp://[fe80::1%25eth0]/1"),
        (
            "rtsp://me:hunter2@cam/1?channel=1&key=x",
            "rtsp://***@cam/1?channel=1&key=***",
        ),
        (
            "rtsp://cam/1#stall_limit=2m&login_retry=10m",
            "rtsp://cam/1#stall_limit=2m&login_retry=10m",
        ),
    ] {
        let source: Source = url.parse().unwrap();
        assert_eq!(source.to_string(), shown);
        assert_eq!(source.kind(), "rtsp");
        assert_eq!(source.reveal().parse::<Source>().unwrap(), source);
    }
    for wrong in [
        "rtsp:cam",
        "rtsp://",
        "rtsp://cam:0/",
        "rtsp://cam:x/",
        "rtsp://me:hunter2/x@cam/",
        "rtsp://me:hunter2#@cam/",
        "rtsp://cam/hunter2 x",
        "rtsp://cam/\u{e4}",
        "rtsp://cam/#fps=5",
        "rtsp://cam/#insecure",
        "rtsp://cam/#stall_limit=hunter2",
    ] {
        let error = wrong.parse::<Source>().unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
