//! The small picture of a frame.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
};

use mjpeg_codec::{
    Frame,
    small::{NoSmallPicture, SmallPicture},
};
use mjpeg_fanout::Published;
use mjpeg_testkit::jpeg;

fn published(jpeg: impl Into<bytes::Bytes>) -> Arc<Published> {
    let (producer, consumer) = mjpeg_fanout::channel();
    producer.publish_now(Frame::parse(jpeg).expect("a frame"));
    consumer.latest().expect("published")
}

#[tokio::test]
async fn small_picture_is_made_when_asked_for_once_and_shared() {
    let published = published(jpeg::sized(1, 640, 480));
    assert_eq!(published.small_memory_bytes(), 0);
    let (first, second) = tokio::join!(published.small_jpeg(), published.small_jpeg());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.as_ptr(), second.as_ptr());
    let small = SmallPicture::from_frame(&published.frame).unwrap();
    assert_eq!(first, small.encode());
    assert_eq!(published.small_picture().await, Ok(&small));
    let held = small.memory_bytes() + first.len();
    assert_eq!(published.small_memory_bytes(), held);
}

#[tokio::test]
async fn frame_without_a_small_picture_says_why() {
    let mut lossless = jpeg::numbered(1).to_vec();
    let sof = lossless.windows(2).position(|pair| pair == [0xFF, 0xC0]);
    lossless[sof.unwrap() + 1] = 0xC3;
    let published = published(lossless);
    let refused = published.small_jpeg().await;
    assert!(matches!(refused, Err(NoSmallPicture::Coding(_))));
    assert_eq!(published.small_memory_bytes(), 0);
}

#[tokio::test]
async fn long_work_is_done_in_slices_and_can_be_given_up() {
    let published = published(jpeg::of_length(1, 3_000_000));
    let mut context = Context::from_waker(Waker::noop());
    let mut slices = 0;
    {
        let mut given_up = pin!(published.small_jpeg());
        while slices < 5 {
            assert!(given_up.as_mut().poll(&mut context).is_pending());
            slices += 1;
        }
    }
    let mut making = pin!(published.small_jpeg());
    slices = 0;
    while making.as_mut().poll(&mut context).is_pending() {
        slices += 1;
    }
    assert!(slices > 10, "{slices}");
    assert!(published.small_jpeg().await.is_ok());
}
