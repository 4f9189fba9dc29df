//! `rtsps://`: RTSP through TLS.

use std::time::Duration;

use mjpeg_ingest::{FailureReason, Source};
use mjpeg_testkit::FakeRtspCamera;
use tokio::time::timeout;

use super::{CHALLENGE, next_frame, open, packets, picture, scan, sending, until_offline};
use crate::http::tls::{Encrypted, self_signed};

#[test]
fn encrypted_urls_have_a_port_and_options_of_their_own() {
    for (url, shown) in [
        ("rtsps://cam/live", "rtsps://cam/live"),
        ("rtsps://cam:322/live", "rtsps://cam/live"),
        ("rtsps://cam:554/live", "rtsps://cam:554/live"),
        (
            "rtsps://me:hunter2@cam:7441/1?key=x#ca=/a%20b%26c.pem&stall_limit=2m",
            "rtsps://***@cam:7441/1?key=***#ca=/a b&c.pem&stall_limit=2m",
        ),
        ("rtsps://cam/1#insecure", "rtsps://cam/1#insecure"),
        ("rtsps://cam/1#ca-pem=hunter2", "rtsps://cam/1#ca-pem=***"),
    ] {
        let source: Source = url.parse().unwrap();
        assert_eq!(source.to_string(), shown);
        assert_eq!(source.kind(), "rtsps");
        assert_eq!(source.reveal().parse::<Source>().unwrap(), source);
    }
    for wrong in [
        "rtsps:cam",
        "rtsps://me:hunter2/x@cam/",
        "rtsps://cam/#ca=hunter2",
        "rtsps://cam/#insecure=hunter2",
        "rtsps://cam/#header=a:hunter2",
    ] {
        let error = wrong.parse::<Source>().unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn encrypted_camera_is_read_if_its_certificate_is_trusted() {
    let pictures = packets(0..3);
    let answers = sending(pictures).instead(|asked| {
        let has_login = asked.header("authorization").is_some();
        (!has_login).then(|| vec![FakeRtspCamera::answer(asked, "401 No", CHALLENGE, "")])
    });
    let camera = FakeRtspCamera::start(answers);
    let identity = self_signed();
    let encrypted = Encrypted::start(&identity, camera.addr()).await;
    let addr = encrypted.addr;
    let url = |options: &str| format!("rtsps://me:hunter2@{addr}/live{options}");
    let (error, reason, _) = until_offline(&mut open(&url(""))).await;
    assert!(
        error.contains("#ca=") && error.contains("#insecure"),
        "{error}"
    );
    assert_eq!(reason, FailureReason::Unreachable);
    assert!(camera.requests().is_empty(), "a stranger is told nothing");
    let file = std::env::temp_dir().join(format!("mjpeg-rtsps-{}.pem", std::process::id()));
    std::fs::write(&file, &identity.ca_pem).unwrap();
    for options in ["#insecure".to_owned(), format!("#ca={}", file.display())] {
        let before = camera.requests().len();
        let mut ingest = open(&url(&options));
        for number in 0..3 {
            let captured = next_frame(&mut ingest).await;
            assert_eq!(scan(captured.frame.bytes()), scan(&picture(number)));
        }
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
        for asked in &camera.requests()[before..] {
            let (path, session) = (asked.path(), format!("rtsps://{addr}/live"));
            assert!(path.starts_with(&session), "{path}");
        }
    }
    std::fs::remove_file(&file).unwrap();
}
