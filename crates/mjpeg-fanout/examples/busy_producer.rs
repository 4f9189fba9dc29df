//! A producer that encodes its frames, three ways. In an async task that never awaits, it keeps its
//! consumers from running, and they miss frames.
//!
//! ```text
//! cargo run -p mjpeg-fanout --example busy_producer
//! ```

use std::{error::Error, hint, thread, time::Duration};

use mjpeg_codec::Frame;
use mjpeg_fanout::{Consumer, Producer};
use tokio::{task::yield_now, time::Instant};

/// A grey picture of 8x8.
const JPEG: &[u8] = &[
    0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63,
    0, 0x2A, 0xFF, 0xD9,
];

const FRAMES: u32 = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (producer, consumer) = mjpeg_fanout::channel();
    tokio::spawn(async move {
        for _ in 0..FRAMES {
            producer.publish_now(encode());
        }
    });
    let taken = count(consumer).await;
    println!("task that never yields:  consumer took {taken} of {FRAMES}");

    let (producer, consumer) = mjpeg_fanout::channel();
    tokio::spawn(async move {
        for _ in 0..FRAMES {
            producer.publish_now(encode());
            yield_now().await;
        }
    });
    let taken = count(consumer).await;
    println!("task that yields:        consumer took {taken} of {FRAMES}");

    let (producer, consumer) = mjpeg_fanout::channel();
    let encoding = thread::spawn(move || publish_all(&producer));
    let taken = count(consumer).await;
    println!("thread:                  consumer took {taken} of {FRAMES}");
    encoding.join().expect("encoding does not panic");
    Ok(())
}

fn publish_all(producer: &Producer) {
    for _ in 0..FRAMES {
        producer.publish_now(encode());
    }
}

/// Keeps the processor busy as an encoder does.
fn encode() -> Frame {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(5) {
        hint::spin_loop();
    }
    Frame::parse(JPEG).expect("one whole frame")
}

async fn count(mut consumer: Consumer) -> u32 {
    let mut taken = 0;
    while consumer.next().await.is_some() {
        taken += 1;
    }
    taken
}
