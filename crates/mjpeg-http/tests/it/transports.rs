//! What a stream may be served over: Unix sockets, inherited descriptors, and anything else.

use std::{io, os::fd::OwnedFd, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use mjpeg_fanout::Producer;
use mjpeg_http::{
    Accept, BindError, ListenAddress, Listener, ListenerConfig, Peer, StreamConfig, StreamService,
    Transport, Wrap,
};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, duplex},
    net::{TcpStream, UnixStream},
    sync::{mpsc, oneshot},
    time::sleep,
};

use crate::{publish, publish_number, raw::RawClient};

fn stream() -> (Producer, StreamService) {
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer, StreamConfig::default());
    (producer, service)
}

/// A path that no other test has.
fn socket_path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("mjpeg-http-{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// Takes a snapshot, then watches frames of more than any buffer holds on the same connection.
async fn watch<S: AsyncRead + AsyncWrite + Unpin>(stream: S, producer: &Producer) {
    publish_number(producer, 1);
    let mut client = RawClient::new(stream);
    client.get("/snapshot", "").await;
    assert_eq!(client.answer().await.1, jpeg::numbered(1));
    client.get("/stream", "").await;
    assert!(client.head().await.starts_with("HTTP/1.0 200 OK"));
    for number in 2..6 {
        let image = jpeg::of_length(number, 400_000);
        publish(producer, image.clone());
        client
            .until(&[&image[..], b"\r\n--boundarydonotcross\r\n"].concat())
            .await;
    }
}

#[tokio::test]
async fn unix_socket_is_served_and_its_file_goes_with_it() {
    let (producer, service) = stream();
    let path = socket_path("served");
    let listener = Listener::bind_unix(&path, ListenerConfig::default()).unwrap();
    assert_eq!(listener.address(), ListenAddress::Unix(path.clone()));
    assert_eq!(listener.local_addr(), None);
    let taken = Listener::bind_unix(&path, ListenerConfig::default());
    assert!(matches!(taken, Err(BindError::InUse { .. })));
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(listener.serve(service.clone(), async {
        let _ = stopped.await;
    }));
    watch(UnixStream::connect(&path).await.unwrap(), &producer).await;
    stop.send(()).unwrap();
    serving.await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn socket_file_has_the_mode_that_it_is_given() {
    use std::os::unix::fs::PermissionsExt;

    let path = socket_path("mode");
    for mode in [0o600, 0o666] {
        let config = ListenerConfig::default();
        let listener = Listener::bind_unix_with_mode(&path, mode, config).unwrap();
        let file = std::fs::metadata(&path).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, mode);
        drop(listener);
        assert!(!path.exists());
    }
}

#[tokio::test]
async fn socket_file_of_a_killed_process_is_replaced_and_another_file_is_not() {
    let path = socket_path("stale");
    // A listener that is gone without having removed its file, as after a kill.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let listener = Listener::bind_unix(&path, ListenerConfig::default()).unwrap();
    drop(listener);
    assert!(!path.exists());
    std::fs::write(&path, "precious").unwrap();
    let refused = Listener::bind_unix(&path, ListenerConfig::default());
    assert!(matches!(refused, Err(BindError::InUse { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn inherited_descriptor_is_served_though_it_blocks() {
    let (producer, service) = stream();
    let inherited = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = inherited.local_addr().unwrap();
    let listener = Listener::from_fd(OwnedFd::from(inherited), ListenerConfig::default()).unwrap();
    assert_eq!(listener.local_addr(), Some(addr));
    let serving = tokio::spawn(listener.serve(service, std::future::pending()));
    watch(TcpStream::connect(addr).await.unwrap(), &producer).await;
    serving.abort();

    let (producer, service) = stream();
    let path = socket_path("inherited");
    let inherited = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let listener = Listener::from_fd(OwnedFd::from(inherited), ListenerConfig::default()).unwrap();
    let serving = tokio::spawn(listener.serve(service, std::future::pending()));
    watch(UnixStream::connect(&path).await.unwrap(), &producer).await;
    serving.abort();
    let _ = serving.await;
    assert!(path.exists(), "whoever made the file removes it");
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn descriptor_that_does_not_listen_is_refused() {
    let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    for fd in [OwnedFd::from(datagrams), OwnedFd::from(file)] {
        let refused = Listener::from_fd(fd, ListenerConfig::default());
        assert!(
            matches!(refused, Err(BindError::Failed { .. })),
            "{refused:?}"
        );
    }
}

/// Connections that a test makes in memory.
struct InMemory(mpsc::UnboundedReceiver<DuplexStream>);

#[async_trait]
impl Accept for InMemory {
    async fn accept(&mut self) -> io::Result<(Transport, Peer)> {
        match self.0.recv().await {
            Some(stream) => Ok((Transport::new(stream), Peer::from(([192, 0, 2, 1], 1)))),
            None => std::future::pending().await,
        }
    }

    fn address(&self) -> ListenAddress {
        ListenAddress::Other("memory".into())
    }
}

#[tokio::test]
async fn pipe_in_memory_is_served() {
    let (producer, service) = stream();
    let (connect, connections) = mpsc::unbounded_channel();
    let listener = Listener::new(InMemory(connections), ListenerConfig::default());
    let serving = tokio::spawn(listener.serve(service.clone(), std::future::pending()));
    let (client, server) = duplex(16 << 10);
    connect.send(server).unwrap();
    watch(client, &producer).await;
    let end = async {
        while !service.viewers().is_empty() {
            publish_number(&producer, 9);
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), end)
        .await
        .expect("a viewer that has gone is noticed");
    serving.abort();
}

/// Expects a byte from each client, as a handshake.
struct Handshake;

#[async_trait]
impl Wrap for Handshake {
    async fn wrap(&self, mut transport: Transport) -> io::Result<Transport> {
        use tokio::io::AsyncReadExt as _;

        match transport.read_u8().await? {
            b'!' => Ok(Transport::new(transport)),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

#[tokio::test]
async fn connections_are_wrapped_and_a_bad_or_slow_handshake_ends_them() {
    let (producer, service) = stream();
    let config = ListenerConfig::default().with_header_timeout(Duration::from_millis(300));
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap();
    let listener = listener.with_wrap(Arc::new(Handshake));
    let (addr, monitor) = (listener.local_addr().unwrap(), listener.handle());
    let serving = tokio::spawn(listener.serve(service, std::future::pending()));
    let mut silent = RawClient::new(TcpStream::connect(addr).await.unwrap());
    let mut wrong = RawClient::new(TcpStream::connect(addr).await.unwrap());
    wrong.send("?").await;
    assert!(wrong.rest().await.is_empty());
    assert!(silent.rest().await.is_empty());
    let stats = monitor.stats();
    assert_eq!((stats.handshake_errors, stats.handshake_timeouts), (1, 1));
    let stream = TcpStream::connect(addr).await.unwrap();
    stream.writable().await.unwrap();
    stream.try_write(b"!").unwrap();
    watch(stream, &producer).await;
    serving.abort();
}

#[tokio::test]
async fn handshake_that_never_ends_gives_way_to_others() {
    let (producer, service) = stream();
    let config = ListenerConfig::default().with_max_handshakes(2).unwrap();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap();
    let listener = listener.with_wrap(Arc::new(Handshake));
    let (addr, monitor) = (listener.local_addr().unwrap(), listener.handle());
    let serving = tokio::spawn(listener.serve(service, std::future::pending()));
    let mut silent = Vec::new();
    for _ in 0..2 {
        silent.push(RawClient::new(TcpStream::connect(addr).await.unwrap()));
    }
    let stream = TcpStream::connect(addr).await.unwrap();
    // The oldest is closed, long before its time is over.
    assert!(silent[0].rest().await.is_empty());
    stream.writable().await.unwrap();
    stream.try_write(b"!").unwrap();
    watch(stream, &producer).await;
    silent[1].send("!").await;
    silent[1].get("/snapshot", "").await;
    assert!(silent[1].head().await.starts_with("HTTP/1.1 200"));
    let stats = monitor.stats();
    assert_eq!(
        (stats.handshakes_displaced, stats.handshake_timeouts),
        (1, 0)
    );
    serving.abort();
}

/// Nor is it taken for a dead one.
#[tokio::test]
async fn socket_of_a_process_that_is_stuck_does_not_block_the_bind() {
    let path = socket_path("stuck");
    let stuck = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    stuck
        .bind(&socket2::SockAddr::unix(&path).unwrap())
        .unwrap();
    stuck.listen(1).unwrap();
    let connect = |_| std::os::unix::net::UnixStream::connect(&path).unwrap();
    let _backlog: Vec<_> = (0..2).map(connect).collect();
    let taken = path.clone();
    let binding = tokio::task::spawn_blocking(move || {
        Listener::bind_unix(taken, ListenerConfig::default()).map(|_| ())
    });
    let bound = tokio::time::timeout(Duration::from_secs(5), binding).await;
    let refused = bound.expect("it does not block").unwrap();
    assert!(
        matches!(refused, Err(BindError::InUse { .. })),
        "{refused:?}"
    );
    assert!(path.exists());
    std::fs::remove_file(&path).unwrap();
}
