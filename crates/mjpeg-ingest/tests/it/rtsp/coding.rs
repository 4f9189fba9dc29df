//! Cameras that code their pictures with Huffman tables of their own.

use bytes::Bytes;
use mjpeg_ingest::{Event, FailureReason, mjpeg_codec::DiscardReason};
use mjpeg_testkit::{
    FakeRtspCamera, RtpSender,
    jpeg::{self, RtspPicture},
};

use super::{PICTURE, event, next_frame, open, picture, scan, sending};

/// Pictures that are coded with tables of their own, which no packet carries.
fn miscoded(sender: &mut RtpSender, numbers: std::ops::Range<u32>) -> Vec<Vec<Bytes>> {
    let large = RtspPicture {
        width: 320,
        height: 240,
        ..PICTURE
    };
    let pictures = numbers.map(|number| jpeg::rtsp_picture_with_own_tables(number, large));
    pictures.map(|jpeg| sender.picture(&jpeg)).collect()
}

#[tokio::test]
async fn camera_with_tables_of_its_own_is_told_and_none_of_its_pictures_is_shown() {
    let camera = FakeRtspCamera::start(sending(miscoded(&mut RtpSender::default(), 0..6)));
    let mut ingest = open(&camera.url("/"));
    let mut discarded = 0;
    // It says the same after each attempt.
    for _ in 0..2 {
        let (error, reason) = loop {
            match event(&mut ingest).await {
                Event::Offline { error, .. } => break (error.chain().to_string(), error.reason()),
                Event::Discarded { reason, .. } => {
                    assert_eq!(reason, DiscardReason::Malformed);
                    discarded += 1;
                }
                Event::Frame(_) => panic!("a damaged picture is shown"),
                _ => {}
            }
        };
        assert!(error.contains("Huffman tables of its own"), "{error}");
        assert_eq!(reason, FailureReason::Unusable);
    }
    assert_eq!(discarded, 6, "three of each connection");
}

#[tokio::test]
async fn two_odd_pictures_at_the_beginning_cost_themselves_alone() {
    let mut sender = RtpSender::default();
    let mut pictures = miscoded(&mut sender, 0..2);
    pictures.extend((5..8).map(|number| sender.picture(&picture(number))));
    let camera = FakeRtspCamera::start(sending(pictures));
    let mut ingest = open(&camera.url("/"));
    for number in 5..8 {
        let captured = next_frame(&mut ingest).await;
        assert_eq!(scan(captured.frame.bytes()), scan(&picture(number)));
    }
}
