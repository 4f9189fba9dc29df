//! The other side of a link, as bytes.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use mjpeg_cluster::{
    LinkClient, LinkConfig, LinkFailure,
    mjpeg_codec::multipart::RelayId,
    mjpeg_ingest::{ConnectError, Event, FrameOrder, Ingest, IngestConfig, Source},
};
use mjpeg_testkit::{Response, jpeg, request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::node::{PATIENCE, PulledSource, STREAM};

/// A port at which each connection is answered so, after its request was read.
pub(crate) async fn answering<F>(
    answer: impl Fn(TcpStream, String) -> F + Send + 'static,
) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => request.push(byte),
                    Err(_) => break,
                }
            }
            let request = String::from_utf8(request).unwrap();
            tokio::spawn(answer(stream, request));
        }
    });
    addr
}

/// A port that answers with these bytes, and then does nothing.
pub(crate) async fn saying(bytes: Vec<u8>) -> SocketAddr {
    let bytes = Arc::new(bytes);
    answering(move |mut stream, _| {
        let bytes = Arc::clone(&bytes);
        async move {
            // It may hang up before it has all.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read_u8().await;
        }
    })
    .await
}

/// The head of an answer with a stream.
pub(crate) const HEAD: &str = "HTTP/1.0 200 OK\r\ncontent-type: multipart/x-mixed-replace\r\n\
                               x-mjpeg-via: 00000000000000aa\r\n\r\n";

pub(crate) fn state(json: &str) -> Vec<u8> {
    let len = json.len();
    let head = "\r\n--b\r\ncontent-type: application/json\r\n";
    format!("{head}content-length: {len}\r\n\r\n{json}").into_bytes()
}

pub(crate) fn frame(epoch: u64, seq: u32) -> Vec<u8> {
    let image = jpeg::numbered(seq);
    let len = image.len();
    let head = format!(
        "\r\n--b\r\ncontent-type: image/jpeg\r\ncontent-length: {len}\r\nx-epoch: {epoch}\r\n\
         x-seq: {seq}\r\nx-age-us: 5\r\nx-mjpeg-via: 00000000000000aa\r\n\r\n"
    );
    [head.as_bytes(), &image].concat()
}

pub(crate) fn client() -> LinkClient {
    LinkClient::new(LinkConfig::default()).with_relay(RelayId::new(0xBB))
}

/// A slow link to a server, for one connection: at most 8 KB in a millisecond pass.
pub(crate) async fn slow_link(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        // What waits on the way is old when it arrives.
        socket.set_recv_buffer_size(32 << 10).unwrap();
        let server = socket.connect(server).await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let asking = tokio::io::copy(&mut from_client, &mut to_server);
        let answering = async {
            let mut room = vec![0; 8 << 10];
            while let Ok(n @ 1..) = from_server.read(&mut room).await {
                if to_client.write_all(&room[..n]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = tokio::join!(asking, answering);
    });
    addr
}

/// Reads the stream from this address, with an order of its own.
pub(crate) fn ingest(client: LinkClient, peer: SocketAddr, order: FrameOrder) -> Ingest {
    let source = PulledSource {
        client,
        peer: peer.to_string(),
        order,
    };
    let config = IngestConfig::default().with_seed(7);
    Ingest::new(Source::custom("cluster:", source), config)
}

/// The next frame, as (epoch, seq), or the next outage, as text.
pub(crate) async fn next(ingest: &mut Ingest) -> Result<(u64, u64), String> {
    let waiting = async {
        loop {
            match ingest.next().await.expect("it goes on") {
                Event::Frame(captured) => {
                    let id = captured.stamp.id().expect("it has an identity");
                    return Ok((id.epoch, id.seq));
                }
                Event::Offline { error, .. } => return Err(error.chain().to_string()),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, waiting).await.expect("something happens")
}

/// Why a stream cannot be read from this address.
pub(crate) async fn refusal(client: &LinkClient, peer: SocketAddr) -> LinkFailure {
    let order = FrameOrder::new();
    let pulled = client.pull(&peer.to_string(), STREAM, &order).await;
    match pulled.expect_err("it refuses") {
        ConnectError::Other(error) => *error.downcast().expect("an error of the link"),
        ConnectError::TimedOut { after } => LinkFailure::TimedOut {
            peer: peer.to_string(),
            after,
        },
        other => panic!("{other}"),
    }
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Sends a request, and reads the answer to its end.
pub(crate) async fn ask(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> std::io::Result<Response> {
    let mut raw = format!("{method} {path} HTTP/1.0\r\nhost: a\r\n");
    for (name, value) in headers {
        raw += &format!("{name}: {value}\r\n");
    }
    let asking = timeout(PATIENCE, request(addr, raw + "\r\n"));
    asking.await.expect("an answer that ends")
}
