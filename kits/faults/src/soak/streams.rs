//! The streams of the soak: cameras that fail, read in each way that the relay knows.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use fastrand::Rng;
use mjpeg_testkit::jpeg;
use tokio::{net::TcpStream, task::JoinSet, time::sleep};

use crate::{
    camera::{Camera, Conn, free_addr},
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

    /// Whether the relay connects to the camera only while there are viewers.
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
        let serve = |conn, plan, random| Box::pin(answer(conn, plan, random)) as _;
        let camera = faulty(plan, &sequence, random.fork(), serve, true).await?;
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

/// Starts a camera that sends pictures on its own, and fails.
async fn sending(plan: &Arc<Plan>, random: &mut Rng, is_missed: bool) -> Result<Camera> {
    let sequence = Arc::new(Sequence::default());
    let serve = |conn, plan, random| Box::pin(send(conn, plan, random)) as _;
    faulty(plan, &sequence, random.fork(), serve, is_missed).await
}

/// Starts a camera that connects to the relay, again after each fault.
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
                let _ = send(conn, Arc::clone(&plan), random.fork()).await;
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

/// Starts a good camera of small pictures, in a multipart stream as an ESP32 sends it.
async fn small() -> Result<Camera> {
    let sequence = Sequence::of(jpeg::sized(0, 16, 16));
    Camera::with(sequence, |_, mut conn: Conn| async move {
        conn.request().await?;
        conn.send(SMALL_HEAD).await?;
        conn.parts(small_part).await
    })
    .await
}

fn small_part(_: u32, length: usize) -> String {
    format!(
        "\r\n--123456789000000000000987654321\r\nContent-Type: image/jpeg\r\n\
         Content-Length: {length}\r\nX-Timestamp: 1.000000\r\n\r\n"
    )
}

const SMALL_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Content-Type: multipart/x-mixed-replace;boundary=123456789000000000000987654321\r\n\r\n";
/// The number of streams whose cameras the relay connects to.
const DIALLED: usize = 19;
/// The number of streams of each other kind.
const OTHERS: usize = 2;
