//! Connections that cannot be accepted, mostly for lack of file descriptors.

use std::{
    fmt, io,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use mjpeg_http::{
    Accept, ListenAddress, Listener, ListenerConfig, Peer, StreamConfig, StreamService, Transport,
};
use tokio::{
    io::{DuplexStream, duplex},
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Fails while the sender says so; otherwise each message is a connection.
struct Scripted(mpsc::UnboundedReceiver<Option<DuplexStream>>);

#[async_trait]
impl Accept for Scripted {
    async fn accept(&mut self) -> io::Result<(Transport, Peer)> {
        match self.0.recv().await {
            Some(Some(stream)) => Ok((Transport::new(stream), Peer::from(([192, 0, 2, 1], 1)))),
            Some(None) => Err(io::Error::other("too many open files")),
            None => std::future::pending().await,
        }
    }

    fn address(&self) -> ListenAddress {
        ListenAddress::Other("memory".into())
    }
}

/// Keeps what is logged for operators.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::INFO
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Line(String);

        impl Visit for Line {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                self.0 += &format!(" {field}={value:?}");
            }
        }

        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn outage_of_accepting_is_logged_once_and_tried_ever_less_often() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (_producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer, StreamConfig::default());
    let (script, scripted) = mpsc::unbounded_channel();
    let listener = Listener::new(Scripted(scripted), ListenerConfig::default());
    let monitor = listener.handle();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(listener.serve(service, async {
        let _ = stopped.await;
    }));
    let connect = || script.send(Some(duplex(1).1)).unwrap();
    let failures = || monitor.stats().accept_errors;

    // For a minute, whenever one is accepted, the next one is not.
    let begun = Instant::now();
    (0..100).for_each(|_| script.send(None).unwrap());
    while begun.elapsed() < Duration::from_secs(30) {
        sleep(Duration::from_millis(100)).await;
    }
    // After 0.1, 0.3, 0.7, 1.5, 2.5 s and so on.
    assert_eq!(failures(), 33);
    while failures() < 100 {
        sleep(Duration::from_millis(100)).await;
    }
    (0..10).for_each(|_| {
        connect();
        script.send(None).unwrap();
    });
    while failures() < 110 {
        sleep(Duration::from_millis(100)).await;
    }
    let lines = log.take();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].starts_with("WARN"), "{lines:#?}");
    assert!(lines[0].contains("error=too many open files"), "{lines:#?}");

    sleep(Duration::from_secs(10)).await;
    connect();
    connect();
    while monitor.stats().accepted < 12 {
        sleep(Duration::from_millis(100)).await;
    }
    let lines = log.take();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].starts_with("INFO"), "{lines:#?}");
    assert!(lines[0].contains("failures=110"), "{lines:#?}");

    // The next outage is told again, and its end is not waited for.
    (0..9).for_each(|_| script.send(None).unwrap());
    while failures() < 119 {
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(log.take().len(), 1);
    let begun = Instant::now();
    stop.send(()).unwrap();
    serving.await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
