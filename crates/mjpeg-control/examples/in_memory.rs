//! A relay that is configured by its API alone, and forgets everything at the end:
//!
//! ```sh
//! cargo run -p mjpeg-control --example in_memory -- 600    # seconds
//! curl -H 'Content-Type: application/json' \
//!     -d '{"name":"door","source":"tcp://192.168.1.100:6001"}' \
//!     http://localhost:8080/api/v1/streams
//! ```

use std::{
    collections::BTreeMap,
    env,
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use mjpeg_control::{
    Configurator, ConfiguredStream, ControlAccess, ControlApi, ControlConfig, EditMode,
    EditedStream, Error, ErrorCode, GatewayPolicy, Reloaded, StreamEdit, StreamOrigin,
    StreamRemoval,
    mjpeg_manager::{
        self, HttpOutlet, Manager, ManagerConfig, StreamSpec,
        mjpeg_http::{Access, Gate, Grant, Inquiry, Listener, ListenerConfig},
    },
};
use serde_json::{Value, json};
use tokio::time::sleep;

/// Lets everybody do everything: the policy admits only those on this machine.
struct Everybody;

#[async_trait]
impl Gate for Everybody {
    async fn decide(&self, _: &Inquiry) -> Access {
        Access::Allow(Grant::default())
    }
}

/// Knows one key of a stream, `source`, and cannot change it.
struct Memory {
    manager: Manager,
    streams: Mutex<BTreeMap<String, ConfiguredStream>>,
}

#[async_trait]
impl Configurator for Memory {
    fn stream(&self, name: &str) -> Option<ConfiguredStream> {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.get(name).cloned()
    }

    async fn set(&self, change: StreamEdit) -> Result<EditedStream, Error> {
        if change.mode != EditMode::Create {
            let detail = "here streams are added and removed, not changed";
            return Err(Error::new(ErrorCode::InvalidSpec, detail));
        }
        let source = change.keys.get("source").and_then(Value::as_str);
        let spec = StreamSpec::parse(change.name.as_str(), source.unwrap_or_default());
        let spec = spec.map_err(mjpeg_manager::Error::from)?;
        self.manager.start(spec).await?;
        let stream = ConfiguredStream::new(change.keys, StreamOrigin::Run, "1");
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.insert(change.name.to_string(), stream.clone());
        Ok(EditedStream::new(stream, true))
    }

    async fn remove(&self, removal: StreamRemoval) -> Result<(), Error> {
        self.manager.stop(removal.name.as_str()).await?;
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.remove(removal.name.as_str());
        Ok(())
    }

    async fn reload(&self, _dry_run: bool) -> Result<Reloaded, Error> {
        Ok(Reloaded::default())
    }

    async fn shown(&self) -> Result<Value, Error> {
        Ok(json!({}))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn StdError>> {
    let http = HttpOutlet::default();
    let manager = Manager::with_outlets(ManagerConfig::default(), [http.factory()]);
    let memory = Memory {
        manager: manager.clone(),
        streams: Mutex::default(),
    };
    let config = ControlConfig::default();
    let control = ControlApi::new(manager, http.clone(), Arc::new(memory), None, config);
    let policy = GatewayPolicy::new(Arc::new(Everybody)).with_access(ControlAccess::LocalOnly);
    let listener = Listener::bind("127.0.0.1:8080".parse()?, ListenerConfig::default())?;
    println!("the API is at http://localhost:8080/api/v1/streams");
    let listener = listener.with_fallback(control.service(policy));
    let seconds = env::args().nth(1).and_then(|text| text.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(1));
    listener.serve(http, sleep(time)).await;
    Ok(())
}
