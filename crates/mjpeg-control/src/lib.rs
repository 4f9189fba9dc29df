//! HTTP API of a Motion-JPEG relay.

mod audit;
mod body;
mod caller;
mod code;
mod config;
mod configurator;
mod control;
mod error;
mod events;
mod host;
mod links;
mod origin;
mod policy;
mod query;
mod respond;
mod routes;
mod shared;
mod time;
mod view;
mod words;

pub use code::ErrorCode;
pub use config::ControlConfig;
pub use configurator::{
    ChangeMode, ChangedStream, Condition, Configurator, ConfiguredStream, Reloaded, StreamChange,
    StreamOrigin, StreamRemoval,
};
pub use control::{Control, ControlBody, ControlService};
pub use error::{Error, Violation};
pub use host::Hosts;
pub use links::{Link, LinkAction, LinkSpec, Links};
/// The crate whose types appear in this one's API, so that their versions agree.
#[doc(no_inline)]
pub use mjpeg_manager;
pub use policy::{ControlAccess, GatewayPolicy};
