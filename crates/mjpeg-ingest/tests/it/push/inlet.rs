//! Pictures that the program hands in itself.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use mjpeg_ingest::{Event, Ingest, IngestConfig, Inlet, Push, PushOutcome, Source};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf, duplex},
    time::{Instant, sleep, timeout},
};

use super::parts;
use crate::kinds::next;

async fn reading() -> (Ingest, Inlet) {
    let source: Source = "push:".parse().unwrap();
    let inlet = source.inlet().expect("it has one").clone();
    assert!(
        "test:"
            .parse::<Source>()
            .is_ok_and(|source| source.inlet().is_none())
    );
    let ingest = super::begun(source, IngestConfig::default()).await;
    (ingest, inlet)
}

/// Hands in a body while the pictures are awaited.
async fn pushed(
    ingest: &mut Ingest,
    inlet: &Inlet,
    body: Vec<u8>,
    numbers: impl IntoIterator<Item = u32>,
) -> PushOutcome {
    let reading = async {
        for number in numbers {
            assert_eq!(next(ingest).await, Ok(number));
        }
        while ingest.next().await.is_some() {}
    };
    let body = io::Cursor::new(body);
    tokio::select! {
        outcome = inlet.push(Push::new(body)) => outcome,
        () = reading => unreachable!("it has no end"),
    }
}

#[tokio::test]
async fn pictures_are_handed_in_one_by_one_and_as_multipart() {
    let (mut ingest, inlet) = reading().await;
    let one = pushed(&mut ingest, &inlet, jpeg::numbered(1).to_vec(), [1]).await;
    assert_eq!(one, PushOutcome::Taken { pictures: 1 });
    let three = pushed(&mut ingest, &inlet, parts([2, 3, 4]), [2, 3, 4]).await;
    assert_eq!(three, PushOutcome::Taken { pictures: 3 });
    let none = pushed(&mut ingest, &inlet, b"hello".to_vec(), []).await;
    assert_eq!((none, none.status()), (PushOutcome::NotAPicture, 415));
    let half = jpeg::numbered(5);
    let half = pushed(&mut ingest, &inlet, half[..half.len() / 2].to_vec(), []).await;
    assert_eq!((half, half.status()), (PushOutcome::Broken, 400));
}

#[tokio::test]
async fn what_is_not_read_takes_nothing() {
    let source: Source = "push:".parse().unwrap();
    let inlet = source.inlet().unwrap().clone();
    let push = || inlet.push(Push::new(io::Cursor::new(jpeg::numbered(1))));
    let refused = push().await;
    assert_eq!((refused, refused.status()), (PushOutcome::NotReading, 503));
    let ingest = super::begun(source.clone(), IngestConfig::default()).await;
    let waits = timeout(Duration::from_millis(50), push()).await;
    assert!(waits.is_err(), "nobody reads yet: {waits:?}");
    drop(ingest);
    assert_eq!(push().await, PushOutcome::NotReading);
    // An equal source is another one.
    let mut other = super::begun("push:".parse().unwrap(), IngestConfig::default()).await;
    assert_eq!(push().await, PushOutcome::NotReading);
    let waits = timeout(Duration::from_millis(50), other.next()).await;
    assert!(waits.is_err());
}

#[tokio::test]
async fn body_is_read_no_faster_than_its_pictures_are_taken() {
    let (mut ingest, inlet) = reading().await;
    let (mut sender, body) = duplex(64);
    let push = tokio::spawn(async move { inlet.push(Push::new(body)).await });
    let picture = jpeg::of_length(1, 50_000);
    let early = timeout(Duration::from_millis(100), sender.write_all(&picture)).await;
    assert!(early.is_err(), "nobody has asked for an event");
    drop(sender);
    loop {
        match ingest.next().await {
            Some(Event::Frame(_)) => panic!("it is not whole"),
            Some(Event::Discarded { .. }) => break,
            _ => {}
        }
    }
    let _ = timeout(Duration::from_millis(50), ingest.next()).await;
    assert_eq!(push.await.unwrap(), PushOutcome::Broken);
}

#[tokio::test]
async fn end_of_the_ingest_answers_and_frees_the_body() {
    let (mut ingest, inlet) = reading().await;
    let (mut sender, body) = duplex(1 << 20);
    let push = tokio::spawn(async move { inlet.push(Push::new(body)).await });
    sender.write_all(&jpeg::numbered(1)[..50]).await.unwrap();
    assert!(matches!(ingest.next().await, Some(Event::Online { .. })));
    let _ = timeout(Duration::from_millis(20), ingest.next()).await;
    drop(ingest);
    let outcome = push.await.unwrap();
    assert_eq!((outcome, outcome.status()), (PushOutcome::Ended, 503));
    assert_eq!(sender.read(&mut [0; 8]).await.unwrap(), 0, "closed");
}

/// A body that always has more, but no picture.
struct Endless;

impl AsyncRead for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buf.initialize_unfilled().fill(0xFF);
        buf.advance(buf.remaining());
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn sender_that_never_pauses_gives_way_if_it_has_sent_no_picture() {
    let (mut ingest, inlet) = reading().await;
    let headers = [("content-type", "multipart/x-mixed-replace")];
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let endless = Push::new(Endless).with_headers(&headers.into_iter().collect());
    let endless = inlet.push(endless.with_sender([192, 0, 2, 1].into()));
    let other = Push::new(io::Cursor::new(jpeg::numbered(1))).with_sender([192, 0, 2, 2].into());
    let others = async {
        sleep(Duration::from_millis(50)).await;
        let begun = Instant::now();
        (inlet.push(other).await, begun.elapsed())
    };
    let pushes = async { tokio::join!(endless, others) };
    let reading = async { while ingest.next().await.is_some() {} };
    let told = timeout(Duration::from_secs(10), async {
        tokio::select! {
            told = pushes => told,
            () = reading => unreachable!("it has no end"),
        }
    });
    let (endless, (other, took)) = told.await.expect("the other one is heard");
    assert_eq!(endless, PushOutcome::Ended);
    assert_eq!(other, PushOutcome::Taken { pictures: 1 });
    assert!(took < Duration::from_secs(2), "{took:?}");
}
