//! A camera that speaks RTSP: from its packets to a viewer.

use std::time::Duration;

use mjpeg_testkit::{
    FakeRtspCamera, ReceivedRequest, RtpSender, RtspAnswers, Step, Viewer,
    jpeg::{self, RtspPicture},
};
use tokio::time::timeout;

use crate::sources::relayed;

const PICTURE: RtspPicture = RtspPicture {
    width: 320,
    height: 240,
    quality: 60,
    halves_lines: true,
    restart_interval: 0,
};

/// Sends pictures with consecutive numbers. Of each fourth, a packet is missing.
fn camera() -> FakeRtspCamera {
    let play = |_: &ReceivedRequest| {
        let mut sender = RtpSender {
            fragment_bytes: 500,
            ..RtpSender::default()
        };
        let template = jpeg::rtsp_picture(0, PICTURE);
        let pictures = (0..200).map(|number| {
            let mut packets = sender.picture(&jpeg::with_table_number(&template, number));
            if number % 4 == 3 {
                packets.remove(packets.len() / 2);
            }
            packets
        });
        let mut steps = FakeRtspCamera::pictures(pictures, Duration::from_millis(20));
        steps.push(Step::Stall);
        steps
    };
    FakeRtspCamera::start(RtspAnswers::mjpeg(None, play))
}

#[tokio::test]
async fn viewers_get_each_picture_without_a_hole_and_no_other() {
    let camera = camera();
    let server = relayed(&camera.url("/live"));
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    let mut last = None;
    while last < Some(60) {
        let frame = timeout(Duration::from_secs(20), viewer.next_frame());
        let frame = frame.await.expect("in time").unwrap().expect("not ended");
        let number = jpeg::number_of(&frame).expect("a picture of the camera");
        assert_ne!(number % 4, 3, "a picture with a hole");
        if let Some(last) = last.filter(|&last| last != number) {
            let skipped = if last % 4 == 2 { 1 } else { 0 };
            assert_eq!(number, last + 1 + skipped);
        }
        last = Some(number);
    }
}

// The log is read by a thread that waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn camera_without_mjpeg_is_told_with_what_to_do() {
    let mut answers = RtspAnswers::mjpeg(None, |_| Vec::new());
    answers.sdp = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\n".into();
    let camera = FakeRtspCamera::start(answers);
    let mut server = relayed(&camera.url("/live"));
    let log = server.stderr_until("camera offline");
    let told = log.last().unwrap();
    assert!(told.contains("offers H265"), "{log:#?}");
    assert!(told.contains("exec:ffmpeg"), "{log:#?}");
}
