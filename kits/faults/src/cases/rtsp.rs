//! Cameras that speak RTSP: lost packets, lost connections, hostile heads and packets.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use fastrand::Rng;
use mjpeg_testkit::{
    FakeRtspCamera, RtpSender,
    jpeg::{self, RtspPicture},
};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::steps::{last, made, secs, timed};
use crate::{
    camera::{Camera, Conn},
    case::{Case, Findings, Run},
    rig::relay::RelayRig,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "rtsp-100-fps",
        "an RTSP camera that sends 100 pictures of 640x480 a second, for 5 s",
        "its own viewers lose nothing either",
        Run::Relay(|rig| Box::pin(lossless(rig))),
    )
    .short(),
    Case::new(
        "rtsp-lost-packets",
        "the same for 8 s, and one packet of a hundred is missing",
        "no picture with a hole is shown, and all the others are",
        Run::Relay(|rig| Box::pin(lossy(rig))),
    )
    .short(),
    Case::new(
        "rtsp-dies",
        "the camera closes the connection in the middle of a picture, three times",
        "the half pictures are not shown",
        Run::Relay(|rig| Box::pin(dies(rig))),
    ),
    Case::new(
        "rtsp-hostile-heads",
        "answers with a head without an end, then with a length of 4 GB and as many bytes as are taken",
        "the relay gives up",
        Run::Relay(|rig| Box::pin(hostile_heads(rig))),
    )
    .short(),
    Case::new(
        "rtsp-hostile-packets",
        "20,000 packets that claim other places, sizes and tables, then a picture without an end, then \
         good ones",
        "the broken pictures are counted and not shown",
        Run::Relay(|rig| Box::pin(hostile_packets(rig))),
    )
    .most_mib(48),
];

/// What an RTSP camera of the suite sends.
#[derive(Clone)]
struct Show {
    template: Bytes,
    sender: RtpSender,
    /// Of this many packets, one is missing; 0 for none.
    lost_of: usize,
    /// The numbers of the pictures with a missing packet.
    cut: Arc<Mutex<Vec<u32>>>,
}

impl Show {
    async fn new() -> Result<Self> {
        let picture = RtspPicture {
            width: 640,
            height: 480,
            quality: 30,
            halves_lines: true,
            restart_interval: 0,
        };
        Ok(Self {
            template: made(move || jpeg::rtsp_picture(0, picture)).await?,
            sender: RtpSender::default(),
            lost_of: 0,
            cut: Arc::default(),
        })
    }

    /// The packets of the next picture, as they are sent.
    fn next(&mut self, conn: &Conn, random: &mut Rng) -> Vec<u8> {
        let number = conn.sequence.next_number();
        let jpeg = jpeg::with_table_number(&self.template, number);
        let packets = self.sender.picture(&jpeg);
        let sent = packets.len();
        let kept = packets
            .iter()
            .filter(|_| self.lost_of == 0 || random.usize(..self.lost_of) > 0);
        let kept: Vec<_> = kept
            .map(|packet| FakeRtspCamera::interleaved(0, packet))
            .collect();
        if kept.len() < sent {
            let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
            cut.push(number);
        }
        kept.concat()
    }

    /// Answers requests until the relay has the pictures played, and sends them for some time.
    async fn play(&mut self, conn: &mut Conn, time: Duration) -> io::Result<()> {
        set_up(conn).await?;
        let mut random = Rng::with_seed(7);
        let since = Instant::now();
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while since.elapsed() < time {
            ticks.tick().await;
            let picture = self.next(conn, &mut random);
            conn.send(&picture).await?;
        }
        Ok(())
    }
}

/// Answers requests, up to the one to play.
async fn set_up(conn: &mut Conn) -> io::Result<()> {
    loop {
        let request = conn.request().await?;
        let number = request.lines().find_map(|line| line.strip_prefix("CSeq: "));
        let number = number.unwrap_or("0");
        let (headers, body) = match request.split(' ').next() {
            Some("DESCRIBE") => ("", SDP),
            _ => (
                "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
                "",
            ),
        };
        let length = body.len();
        let answer = format!(
            "RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        conn.send(answer.as_bytes()).await?;
        if request.starts_with("PLAY") {
            return Ok(());
        }
    }
}

async fn camera(show: Show) -> Result<Camera> {
    Camera::start(move |_, mut conn: Conn| {
        let mut show = show.clone();
        async move { show.play(&mut conn, Duration::MAX).await }
    })
    .await
}

fn url(camera: &Camera) -> String {
    format!("rtsp://{}/live", camera.addr)
}

async fn lossless(rig: &mut RelayRig) -> Result<Findings> {
    let camera = camera(Show::new().await?).await?;
    let mut watcher = rig.watched(&url(&camera), &camera).await?;
    watcher.fresh(secs(10)).await?;
    last(5).await;
    let seen = watcher.seen();
    ensure!(seen.lost == 0, "{} of its own pictures lost", seen.lost);
    ensure!(seen.pictures > 200, "{} pictures arrived", seen.pictures);
    Ok(Findings::seen(format!(
        "{} pictures, none lost",
        seen.pictures
    )))
}

async fn lossy(rig: &mut RelayRig) -> Result<Findings> {
    let show = Show {
        lost_of: 100,
        ..Show::new().await?
    };
    let cut = Arc::clone(&show.cut);
    let camera = camera(show).await?;
    let mut watcher = rig.watched(&url(&camera), &camera).await?;
    watcher.fresh(secs(10)).await?;
    let before = watcher.seen();
    last(8).await;
    let after = watcher.seen();
    let cut = cut.lock().unwrap_or_else(PoisonError::into_inner);
    let cut = cut
        .iter()
        .filter(|number| (before.last..after.last).contains(number))
        .count() as u64;
    let (lost, held_up) = (after.lost - before.lost, after.held_up - before.held_up);
    let pictures = after.pictures - before.pictures;
    ensure!(cut > 5, "{cut} pictures with a hole are too few to tell");
    ensure!(
        lost + held_up >= cut,
        "of {cut} pictures with a hole, {} were shown",
        cut - lost
    );
    ensure!(
        lost <= cut,
        "{lost} pictures lost, of which {cut} had a hole"
    );
    Ok(Findings::seen(format!(
        "{pictures} pictures shown, {cut} with a hole not"
    )))
}

async fn dies(rig: &mut RelayRig) -> Result<Findings> {
    let show = Show::new().await?;
    let died = Arc::new(AtomicUsize::new(0));
    let deaths = Arc::clone(&died);
    let camera = Camera::start(move |n, mut conn: Conn| {
        let (mut show, deaths) = (show.clone(), Arc::clone(&deaths));
        async move {
            if n > 2 {
                return show.play(&mut conn, Duration::MAX).await;
            }
            show.play(&mut conn, secs(1)).await?;
            let picture = show.next(&conn, &mut Rng::with_seed(1));
            conn.send(&picture[..picture.len() / 2]).await?;
            deaths.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    })
    .await?;
    let mut watcher = rig.watched(&url(&camera), &camera).await?;
    camera.wait_accepted(4, secs(20)).await?;
    let took = timed(watcher.fresh(secs(10))).await?;
    let died = died.load(Ordering::Relaxed) as u64;
    let seen = watcher.seen();
    let lost = seen.lost;
    ensure!(
        lost <= died,
        "{lost} pictures lost, of which {died} were cut off"
    );
    ensure!(
        lost + seen.held_up >= died,
        "of {died} pictures that were cut off, {} were shown",
        died - lost
    );
    let error = rig.error_says(&["closed the connection"], secs(1)).await?;
    Ok(Findings::seen(error).recovered(took, secs(3)))
}

async fn hostile_heads(rig: &mut RelayRig) -> Result<Findings> {
    let show = Show::new().await?;
    let camera = Camera::start(move |n, mut conn: Conn| {
        let mut show = show.clone();
        async move {
            if n > 1 {
                return show.play(&mut conn, Duration::MAX).await;
            }
            conn.request().await?;
            let begin: &[u8] = match n {
                0 => b"RTSP/1.0 200 OK\r\n",
                _ => b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 4000000000\r\n\r\n",
            };
            conn.send(begin).await?;
            loop {
                conn.send(&b"X-More: and more and more and more\r\n".repeat(100))
                    .await?;
            }
        }
    })
    .await?;
    let mut watcher = rig.watched(&url(&camera), &camera).await?;
    let first = rig.error_says(&["max_head_bytes"], secs(10)).await?;
    let second = rig.error_says(&["max_sdp_bytes"], secs(10)).await?;
    let took = timed(watcher.fresh(secs(20))).await?;
    Ok(Findings::seen(format!("{first}; {second}")).recovered(took, secs(5)))
}

async fn hostile_packets(rig: &mut RelayRig) -> Result<Findings> {
    let show = Show::new().await?;
    let camera = Camera::start(move |_, mut conn: Conn| {
        let mut show = show.clone();
        async move {
            set_up(&mut conn).await?;
            let mut random = Rng::with_seed(3);
            for nth in 0..20_000u32 {
                show.sender.timestamp = nth / 8;
                let mut payload = vec![0; 8 + random.usize(..1400)];
                random.fill(&mut payload);
                // So that some of it is understood.
                payload[4] = random.u8(..2) + 64 * random.u8(..2);
                payload[1] &= random.u8(..);
                let packet = show.sender.packet(random.u8(..) < 32, &payload);
                conn.send(&FakeRtspCamera::interleaved(0, &packet)).await?;
            }
            // A picture without an end, in order.
            show.sender.timestamp += 1;
            for offset in (0u32..17 << 20).step_by(60_000) {
                let [_, o1, o2, o3] = offset.to_be_bytes();
                let mut payload = vec![0, o1, o2, o3, 1, 50, 80, 60];
                payload.resize(8 + 60_000, 0x55);
                let packet = show.sender.packet(false, &payload);
                conn.send(&FakeRtspCamera::interleaved(0, &packet)).await?;
            }
            show.sender.timestamp += 1;
            let mut random = Rng::with_seed(7);
            let mut ticks = interval(INTERVAL);
            loop {
                ticks.tick().await;
                let picture = show.next(&conn, &mut random);
                conn.send(&picture).await?;
            }
        }
    })
    .await?;
    let mut watcher = rig.watched(&url(&camera), &camera).await?;
    let took = timed(watcher.fresh(secs(20))).await?;
    let attempts = camera.accepted();
    ensure!(attempts == 1, "{attempts} connections");
    let seen = watcher.seen();
    ensure!(
        seen.disordered == 0,
        "{} pictures out of order",
        seen.disordered
    );
    Ok(Findings::seen("the same connection").recovered(took, secs(5)))
}

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n\
    m=video 0 RTP/AVP 26\r\na=control:track1\r\n";

/// 100 pictures a second.
const INTERVAL: Duration = Duration::from_millis(10);
