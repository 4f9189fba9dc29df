//! A stream response on a socket of ours: no HTTP library between the frames and the kernel.
//!
//! hyper reads the request. From there on a viewer is one task that writes each part with one system call, when the socket takes one.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use socket2::SockRef;
use tokio::{
    io::AsyncWrite,
    net::TcpStream,
    time::{Instant, Sleep},
};

use crate::{
    HttpConfig,
    feed::{Feed, Sending, alarm},
};

/// Why a response was cut off in the middle.
#[derive(Debug)]
enum Cut {
    /// The viewer is gone.
    Gone,
    /// It took no byte for too long.
    Stalled,
    /// One frame took too long.
    TooSlow,
    /// The frame is too old by now.
    Lagging,
    /// It holds the oldest of too many frames; counted where that was seen.
    Holding,
}

/// Sends a viewer its stream until either side ends it.
pub(crate) async fn drive(
    stream: TcpStream,
    head: &Response<()>,
    mut feed: Feed,
    config: &HttpConfig,
) {
    let mut wire = Wire {
        stream,
        write_stall: config.write_stall,
        max_frame_send_time: config.max_frame_send_time,
        timer: None,
    };
    let opening = Sending {
        part: [head_bytes(head), feed.opening()].concat().into(),
        late_at: None,
    };
    let mut ended = wire.send(&feed, opening).await;
    while ended.is_ok() {
        let sending = tokio::select! {
            biased;
            sending = feed.next() => sending,
            () = gone(&wire.stream) => return,
        };
        let Some(sending) = sending else { break };
        ended = wire.send(&feed, sending).await;
    }
    let counters = feed.seat().counters();
    match ended {
        Ok(()) => {
            // What the viewer does with the end of a response that it may have left is its own affair.
            let _ = poll_fn(|cx| Pin::new(&mut wire.stream).poll_shutdown(cx)).await;
            return;
        }
        Err(Cut::Gone) => return,
        Err(Cut::Stalled) => counters.write_stalls.add_one(),
        Err(Cut::TooSlow) => counters.send_timeouts.add_one(),
        Err(Cut::Lagging) => counters.lag_cuts.add_one(),
        Err(Cut::Holding) => {}
    }
    // A plain close would leave the kernel offering the unread bytes to a peer that does not take them. Failure to set
    // this costs no more than that.
    let _ = SockRef::from(&wire.stream).set_linger(Some(Duration::ZERO));
}

struct Wire {
    stream: TcpStream,
    write_stall: Duration,
    max_frame_send_time: Duration,
    /// Made at the first write that must wait; most viewers never need it.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    /// Gives a part to the kernel, whole.
    async fn send(&mut self, feed: &Feed, sending: Sending) -> Result<(), Cut> {
        let Sending { part, late_at } = sending;
        let mut rest = &part[..];
        rest = &rest[self.write_now(rest)?..];
        if rest.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        let mut progress = begun;
        loop {
            let stalled_at = progress + self.write_stall;
            let slow_at = begun + self.max_frame_send_time;
            let first = [late_at, Some(stalled_at), Some(slow_at)]
                .into_iter()
                .flatten()
                .min();
            let (stream, timer) = (&mut self.stream, &mut self.timer);
            tokio::select! {
                biased;
                written = poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, rest)) => match written {
                    Ok(n) if n > 0 => {
                        rest = &rest[n..];
                        progress = Instant::now();
                    }
                    _ => return Err(Cut::Gone),
                },
                () = feed.seat().cut() => return Err(Cut::Holding),
                () = alarm(timer, first) => {
                    return Err(match first {
                        at if at == late_at => Cut::Lagging,
                        Some(at) if at == slow_at => Cut::TooSlow,
                        _ => Cut::Stalled,
                    });
                }
            }
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    /// Writes what the kernel takes at once; most parts go whole.
    fn write_now(&self, part: &[u8]) -> Result<usize, Cut> {
        match self.stream.try_write(part) {
            Ok(n) => Ok(n),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(_) => Err(Cut::Gone),
        }
    }
}

/// Waits until the viewer has closed its side. What it sends after its request is of no interest.
async fn gone(stream: &TcpStream) {
    poll_fn(|cx| {
        loop {
            if ready!(stream.poll_read_ready(cx)).is_err() {
                return Poll::Ready(());
            }
            match stream.try_read(&mut [0; 128]) {
                Ok(0) => return Poll::Ready(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Poll::Ready(()),
            }
        }
    })
    .await;
}

/// The head as it goes over the wire.
fn head_bytes(head: &Response<()>) -> Bytes {
    let mut bytes = format!("{:?} {}\r\n", head.version(), head.status()).into_bytes();
    for (name, value) in head.headers() {
        bytes.extend(name.as_str().as_bytes());
        bytes.extend(b": ");
        bytes.extend(value.as_bytes());
        bytes.extend(b"\r\n");
    }
    let now = httpdate::fmt_http_date(std::time::SystemTime::now());
    bytes.extend(format!("date: {now}\r\n\r\n").as_bytes());
    bytes.into()
}
