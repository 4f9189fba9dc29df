//! Uses only mjpeg-control: serves an API that may be read only, and reads the list of streams.

use std::sync::Arc;

use async_trait::async_trait;
use mjpeg_control::{
    Configurator, ConfiguredStream, ControlApi, ControlConfig, EditedStream, Error, ErrorCode,
    GatewayPolicy, Reloaded, StreamEdit, StreamRemoval,
    mjpeg_manager::{
        HttpOutlet, Manager, ManagerConfig,
        mjpeg_http::{Access, Gate, Grant, Inquiry, Listener, ListenerConfig},
    },
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

struct Everybody;

#[async_trait]
impl Gate for Everybody {
    async fn decide(&self, _: &Inquiry) -> Access {
        Access::Allow(Grant::default())
    }
}

struct Nothing;

fn fixed() -> Error {
    Error::new(ErrorCode::InvalidSpec, "nothing can be changed here")
}

#[async_trait]
impl Configurator for Nothing {
    fn stream(&self, _: &str) -> Option<ConfiguredStream> {
        None
    }

    async fn set(&self, _: StreamEdit) -> Result<EditedStream, Error> {
        Err(fixed())
    }

    async fn remove(&self, _: StreamRemoval) -> Result<(), Error> {
        Err(fixed())
    }

    async fn reload(&self, _: bool) -> Result<Reloaded, Error> {
        Ok(Reloaded::default())
    }

    async fn shown(&self) -> Result<Value, Error> {
        Ok(Value::Null)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let http = HttpOutlet::default();
    let manager = Manager::with_outlets(ManagerConfig::default(), [http.factory()]);
    let (nothing, config) = (Arc::new(Nothing), ControlConfig::default());
    let control = ControlApi::new(manager, http.clone(), nothing, None, config);
    let service = control.service(GatewayPolicy::new(Arc::new(Everybody)));
    let addr = "127.0.0.1:0".parse().expect("an address");
    let listener = Listener::bind(addr, ListenerConfig::default()).expect("a free port");
    let addr = listener.local_addr().expect("a TCP port");
    let listener = listener.with_fallback(service);
    let serving = tokio::spawn(listener.serve(http, std::future::pending()));
    let mut client = TcpStream::connect(addr).await.expect("it listens");
    client
        .write_all(b"GET /api/v1/streams HTTP/1.0\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.contains("{\"streams\":[]"), "{answer}");
    serving.abort();
}
