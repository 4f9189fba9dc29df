//! Reads a stream from a node of a cluster, and prints what comes:
//! `cargo run -p mjpeg-cluster --example pull -- 127.0.0.1:7443 door`.

use std::{env, sync::Arc};

use async_trait::async_trait;
use mjpeg_cluster::{
    LinkClient, LinkConfig,
    mjpeg_ingest::{
        Connect, ConnectError, Connection, Event, FrameOrder, Ingest, IngestConfig, Source,
    },
};

/// A stream of another node.
struct Pulled {
    client: LinkClient,
    peer: String,
    stream: String,
    order: FrameOrder,
}

#[async_trait]
impl Connect for Pulled {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        self.client
            .pull(&self.peer, &self.stream, &self.order)
            .await
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = env::args().skip(1);
    let (Some(peer), Some(stream)) = (args.next(), args.next()) else {
        eprintln!("usage: pull HOST:PORT STREAM");
        return;
    };
    let pulled = Arc::new(Pulled {
        client: LinkClient::new(LinkConfig::default()),
        peer,
        stream,
        order: FrameOrder::new(),
    });
    let source = Source::custom("cluster:", Shared(Arc::clone(&pulled)));
    let mut ingest = Ingest::new(source, IngestConfig::default());
    while let Some(event) = ingest.next().await {
        match event {
            Event::Frame(captured) => println!("{:?}", captured.stamp.id()),
            Event::Offline { error, .. } => {
                println!("offline: {}", error.chain());
                println!("{:?}", pulled.client.pulled(&pulled.stream));
            }
            Event::Online { peer } => println!("reading from {peer}"),
            _ => {}
        }
    }
}

/// The source, of which the program keeps a part.
struct Shared(Arc<Pulled>);

#[async_trait]
impl Connect for Shared {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        self.0.connect().await
    }
}
