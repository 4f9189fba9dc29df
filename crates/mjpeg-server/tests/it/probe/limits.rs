//! A probe ends in time, dials nothing else, and understands its command line.

use std::time::Duration;

use mjpeg_testkit::{Camera, FakeHttpCamera, FullBacklog, Script, Step, jpeg};

use super::{Probed, cameras::stream_head};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cameras_that_send_nothing_take_no_longer_than_15_s() {
    let silent = Camera::start(Script::stall()).await;
    let garbage = Camera::start(Script::garbage(7)).await;
    let no_answer = FakeHttpCamera::start(|_| vec![Step::Stall]);
    let no_part = FakeHttpCamera::start(|_| vec![stream_head(""), Step::Stall]);
    let full = FullBacklog::start().await;
    let urls = [
        (silent.url(), "stall_limit"),
        (garbage.url(), "silent"),
        (no_answer.url("/"), "answer_timeout"),
        (no_part.url("/"), "stall_limit"),
        (format!("tcp://{}", full.addr()), "connect_timeout"),
    ];
    let probes = urls.each_ref().map(|(url, _)| {
        let url = url.clone();
        tokio::spawn(async move { Probed::of(&["--json", &url]).await })
    });
    for (probe, (url, code)) in probes.into_iter().zip(&urls) {
        let probed = probe.await.unwrap();
        assert!(
            probed.took < Duration::from_secs(16),
            "{url}: {:?}",
            probed.took
        );
        assert_eq!(probed.code, Some(1), "{url}: {}", probed.stdout);
        assert_eq!(probed.codes().first(), Some(&(*code).to_owned()), "{url}");
    }
    assert_eq!(
        silent.connections(),
        1,
        "no second client where there are no pictures"
    );
}

#[tokio::test]
async fn picture_that_comes_late_leaves_time_for_the_rest() {
    let steps = vec![
        Step::Wait(Duration::from_secs(9)),
        Step::Send(jpeg::numbered(1)),
        Step::Wait(Duration::from_millis(100)),
        Step::Goto(1),
    ];
    let camera = Camera::start(Script::new(steps)).await;
    let url = format!("{}#stall_limit=20s", camera.url());
    let probed = Probed::of(&["--json", &url]).await;
    assert_eq!(probed.code, Some(0), "{}", probed.stdout);
    assert!(probed.took < Duration::from_secs(16), "{:?}", probed.took);
}

#[tokio::test]
async fn wrong_command_lines_exit_with_2_and_repeat_no_password() {
    for (url, word) in [
        ("rtmp://me:open-sesame@cam/1", "unknown kind of source"),
        ("http://me:open-sesame@cam:x/", "port"),
        ("tcp-listen://127.0.0.1:9", "ctl probe"),
        ("http://me:${env:NO_SUCH_VARIABLE}@cam/", "NO_SUCH_VARIABLE"),
    ] {
        let probed = Probed::of(&[url]).await;
        assert_eq!(probed.code, Some(2), "{url}");
        assert!(probed.stderr.contains(word), "{url}: {}", probed.stderr);
        assert!(!probed.stderr.contains("sesame"), "{}", probed.stderr);
        assert_eq!(probed.stdout, "");
    }
}

#[tokio::test]
async fn help_teaches() {
    let probed = Probed::of(&["--help"]).await;
    // However its lines break.
    let words: Vec<_> = probed.stdout.split_whitespace().collect();
    let text = words.join(" ");
    for word in [
        "at most 15 s",
        "mjpeg-server probe http://192.168.1.20/video",
        "Exit codes",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}
