//! A viewer's socket, written to by ourselves: no HTTP library between the frames and the kernel.

use std::{
    io::{self, ErrorKind},
    net::Shutdown,
    time::{Duration, SystemTime},
};

use bytes::{Buf, Bytes};
use http::Response;
use socket2::SockRef;
#[cfg(target_os = "linux")]
use tokio::io::Interest;
use tokio::{net::TcpStream, time::Instant};

#[cfg(target_os = "linux")]
use crate::part_pages::Pages;
use crate::{HttpConfig, alarm::Alarm, seats::Seat, socket::Transport, stats::Counters};

/// Why a response was cut off in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The viewer is gone.
    Gone,
    /// It took no byte for too long.
    Stalled,
    /// One frame took too long.
    TooSlow,
    /// The frame is too old by now.
    Lagging,
    /// It has to go, for the frame it holds or for its place; counted where that was decided.
    Chosen,
}

impl Cut {
    pub(crate) fn count(self, counters: &Counters) {
        match self {
            Self::Gone | Self::Chosen => {}
            Self::Stalled => counters.write_stalls.add_one(),
            Self::TooSlow => counters.send_timeouts.add_one(),
            Self::Lagging => counters.lag_cuts.add_one(),
        }
    }
}

pub(crate) struct Wire {
    stream: TcpStream,
    /// The last part that it was given went whole, at once.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "asked for pages"))]
    takes_all: bool,
    write_stall: Duration,
    max_frame_send_time: Duration,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, config: &HttpConfig) -> Self {
        Self {
            stream,
            takes_all: false,
            write_stall: config.write_stall,
            max_frame_send_time: config.max_frame_send_time,
        }
    }

    /// Writes what the kernel takes at once, mostly all.
    pub(crate) fn write_now(&mut self, part: &mut Bytes) -> Result<(), Cut> {
        let written = self.stream.try_write(part);
        self.went(written, part)
    }

    /// As [`Self::write_now`], without copying.
    #[cfg(target_os = "linux")]
    pub(crate) fn splice_now(&mut self, pages: Pages<'_>, part: &mut Bytes) -> Result<(), Cut> {
        let stream = &self.stream;
        match stream.try_io(Interest::WRITABLE, || pages.send(stream)) {
            Ok(0) => self.write_now(part),
            sent => self.went(sent, part),
        }
    }

    /// Whether the last part went whole, at once.
    #[cfg(target_os = "linux")]
    pub(crate) fn takes_all(&self) -> bool {
        self.takes_all
    }

    fn went(&mut self, written: io::Result<usize>, part: &mut Bytes) -> Result<(), Cut> {
        match written {
            Ok(n) => part.advance(n),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return Err(Cut::Gone),
        }
        self.takes_all = part.is_empty();
        Ok(())
    }

    /// Writes the rest of a part, as the viewer takes it; it is of no use after `late_at`.
    pub(crate) async fn write_rest(
        &self,
        part: &mut Bytes,
        late_at: Option<Instant>,
        seat: &Seat,
    ) -> Result<(), Cut> {
        let mut alarm = Alarm::default();
        let begun = Instant::now();
        let slow_at = begun + self.max_frame_send_time;
        let mut progress = begun;
        seat.blocks(progress);
        while !part.is_empty() {
            let stalled_at = progress + self.write_stall;
            let first = late_at.unwrap_or(slow_at).min(slow_at).min(stalled_at);
            tokio::select! {
                biased;
                writable = self.stream.writable() => {
                    writable.map_err(|_| Cut::Gone)?;
                    match self.stream.try_write(part) {
                        Ok(n) => {
                            part.advance(n);
                            progress = Instant::now();
                            seat.blocks(progress);
                        }
                        // It was not, after all; now it is waited for.
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                        Err(_) => return Err(Cut::Gone),
                    }
                }
                () = seat.cut() => return Err(Cut::Chosen),
                () = alarm.until(Some(first)) => {
                    return Err(if late_at == Some(first) {
                        Cut::Lagging
                    } else if first == slow_at {
                        Cut::TooSlow
                    } else {
                        Cut::Stalled
                    });
                }
            }
        }
        Ok(())
    }

    /// Whether the viewer has closed its side. Costs no system call when nothing has come; what it sends after its request is of no interest.
    pub(crate) fn is_gone(&self) -> bool {
        loop {
            match self.stream.try_read(&mut [0; 128]) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    }

    /// Ends the response after a whole part.
    pub(crate) fn end(self) {
        // What becomes of the end of a response that the viewer may have left is its own affair.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
    }

    /// Ends it in the middle of one.
    pub(crate) fn cut(self, cut: Cut, counters: &Counters) {
        cut.count(counters);
        if cut != Cut::Gone {
            self.stream.reset_on_drop();
        }
    }
}

/// The head of a response as it goes over the wire.
pub(crate) fn head_bytes(head: &Response<()>) -> Vec<u8> {
    let mut bytes = format!("{:?} {}\r\n", head.version(), head.status()).into_bytes();
    for (name, value) in head.headers() {
        bytes.extend(name.as_str().as_bytes());
        bytes.extend(b": ");
        bytes.extend(value.as_bytes());
        bytes.extend(b"\r\n");
    }
    let now = httpdate::fmt_http_date(SystemTime::now());
    bytes.extend(format!("date: {now}\r\n\r\n").as_bytes());
    bytes
}
