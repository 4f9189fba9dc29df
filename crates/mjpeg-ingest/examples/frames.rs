//! Reads frames from a socket that the program has opened.
//!
//! ```text
//! cargo run -p mjpeg-ingest --example frames -- 192.168.1.100:6001 50
//! ```
//!
//! The second argument is the number of frames. Without arguments it reads ten frames from a camera
//! that it simulates.

use std::{env, error::Error, io, net::SocketAddr, time::Duration};

use mjpeg_ingest::{frames, mjpeg_codec::DiscardReason};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::sleep,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let camera = match args.next() {
        Some(address) => address,
        None => made_up_camera().await?.to_string(),
    };
    let count: usize = args.next().as_deref().unwrap_or("10").parse()?;

    println!("reading {count} frames from {camera}");
    let mut frames = frames(TcpStream::connect(camera).await?);
    let mut last = None;
    for _ in 0..count {
        let Some(captured) = frames.next().await else {
            println!("the camera closed the connection");
            break;
        };
        let captured = captured?;
        let frame = captured.frame;
        let (width, height, bytes) = (frame.width(), frame.height(), frame.bytes().len());
        match last.replace(captured.stamp.monotonic()) {
            Some(before) => {
                let interval = captured.stamp.monotonic() - before;
                println!("{width}x{height}, {bytes} bytes, after {interval:.1?}");
            }
            None => println!("{width}x{height}, {bytes} bytes"),
        }
    }
    for &reason in DiscardReason::ALL {
        let discarded = frames.discarded(reason);
        if discarded.count > 0 {
            println!("{} bytes discarded: {reason}", discarded.bytes);
        }
    }
    Ok(())
}

/// Listens on this machine and sends a small picture 25 times a second to the first client.
async fn made_up_camera() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await?;
        while connection.write_all(PICTURE).await.is_ok() {
            sleep(Duration::from_millis(40)).await;
        }
        io::Result::Ok(())
    });
    Ok(address)
}

/// A grey picture of 8x8.
const PICTURE: &[u8] = b"\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x08\x00\x08\x01\x01\x11\x00\
                         \xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00\x2A\xFF\xD9";
