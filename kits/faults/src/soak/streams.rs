//! The streams of the soak: each way in which the relay reads a camera, with cameras that fail.

use std::{io, sync::Arc, time::Duration};

use anyhow::Result;
use fastrand::Rng;
use mjpeg_testkit::jpeg;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    camera::{Camera, Conn, INTERVAL, free_addr},
    inside::Start,
    sequence::Sequence,
    soak::camera::{Plan, answer, faulty, send},
    undisturbed,
};

/// A stream and its cameras.
pub(super) struct Stream {
    pub(super) start: Start,
    pub(super) sequence: Arc<Sequence>,
    pub(super) is_undamaged: bool,
    cameras: Vec<Camera>,
    _sender: JoinSet<()>,
}

impl Stream {
    fn of(name: &str, cameras: Vec<Camera>) -> Self {
        let urls = cameras.iter().map(Camera::url).collect();
        Self {
            start: Start {
                urls,
                ..Start::of(name, "")
            },
            sequence: Arc::clone(&cameras[0].sequence),
            is_undamaged: false,
            cameras,
            _sender: JoinSet::new(),
        }
    }

    fn undamaged(mut self) -> Self {
        self.is_undamaged = true;
        self
    }

    fn speaking_http(mut self, path: &str) -> Self {
        let urls = self.cameras.iter().map(|camera| camera.http_url(path));
        self.start.urls = urls.collect();
        self
    }

    /// Whether the relay connects to its camera only for viewers.
    pub(super) fn is_on_demand(&self) -> bool {
        self.start.linger.is_some()
    }
}

/// Starts the cameras of all streams.
pub(super) async fn all(plan: &Arc<Plan>, random: &mut Rng) -> Result<Vec<Stream>> {
    let mut streams = vec![
        Stream::of("undamaged", vec![Camera::good().await?]).undamaged(),
        Stream::of("small", vec![undisturbed::run(small()).await??])
            .speaking_http("/")
            .undamaged(),
    ];
    for n in 1..=DIALLED {
        let camera = sending(plan, random, true).await?;
        streams.push(Stream::of(&format!("dialled{n}"), vec![camera]));
    }
    for n in 1..=OTHERS {
        let sequence = Arc::new(Sequence::default());
        let camera = faulty(
            plan,
            &sequence,
            random.fork(),
            |conn, plan, random| Box::pin(async move { answer(conn, &plan, random).await }),
            true,
        )
        .await?;
        let polled = Stream::of(&format!("polled{n}"), vec![camera]);
        streams.push(polled.speaking_http("/#fps=10"));

        streams.push(pushed(&format!("pushed{n}"), plan, random.fork())?);

        let camera = sending(plan, random, false).await?;
        let mut stream = Stream::of(&format!("on_demand{n}"), vec![camera]);
        stream.start.linger = Some(Duration::from_secs(1));
        streams.push(stream);

        let first = sending(plan, random, true).await?;
        let second = Camera::with(Arc::clone(&first.sequence), |_, conn: Conn| conn.live()).await?;
        streams.push(Stream::of(&format!("failover{n}"), vec![first, second]));
    }
    Ok(streams)
}

/// A camera that sends its pictures one after the other, and fails.
async fn sending(plan: &Arc<Plan>, random: &mut Rng, is_missed: bool) -> Result<Camera> {
    let sequence = Arc::new(Sequence::default());
    faulty(
        plan,
        &sequence,
        random.fork(),
        |conn, plan, random| Box::pin(async move { send(conn, &plan, random).await }),
        is_missed,
    )
    .await
}

/// A stream whose camera connects to the relay, again after each fault.
fn pushed(name: &str, plan: &Arc<Plan>, mut random: Rng) -> Result<Stream> {
    let relay = free_addr()?;
    let sequence = Arc::new(Sequence::default());
    let (own_sequence, plan) = (Arc::clone(&sequence), Arc::clone(plan));
    let mut sender = JoinSet::new();
    sender.spawn(async move {
        loop {
            if let Ok(stream) = TcpStream::connect(relay).await {
                let conn = Conn::over(stream, &own_sequence);
                // An error means that the relay has hung up.
                let _ = send(conn, &plan, random.fork()).await;
            }
            sleep(Duration::from_millis(random.u64(100..3000))).await;
        }
    });
    Ok(Stream {
        start: Start::of(name, format!("tcp-listen://{relay}")),
        sequence,
        is_undamaged: false,
        cameras: Vec::new(),
        _sender: sender,
    })
}

/// A good camera of small pictures, in a multipart stream as an ESP32 sends it.
async fn small() -> Result<Camera> {
    let sequence = Sequence::of(jpeg::sized(0, 16, 16));
    Camera::with(sequence, |_, mut conn: Conn| async move {
        conn.request().await?;
        conn.send(SMALL_HEAD).await?;
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            small_part(&mut conn).await?;
        }
    })
    .await
}

async fn small_part(conn: &mut Conn) -> io::Result<()> {
    let (_, picture) = conn.sequence.next();
    let length = picture.len();
    let head = format!(
        "\r\n--123456789000000000000987654321\r\nContent-Type: image/jpeg\r\n\
         Content-Length: {length}\r\nX-Timestamp: 1.000000\r\n\r\n"
    );
    conn.send(&[head.as_bytes(), &picture].concat()).await
}

const SMALL_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Content-Type: multipart/x-mixed-replace;boundary=123456789000000000000987654321\r\n\r\n";
/// Streams of cameras to which the relay connects.
const DIALLED: usize = 19;
/// Streams of each other kind.
const OTHERS: usize = 2;
