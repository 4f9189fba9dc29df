//! Where a gateway listens.

use std::net::SocketAddr;

use mjpeg_manager::mjpeg_http::{BindError, ListenAddress, Listener, ListenerConfig};

use super::config::{GatewayAddress, GatewayConfig};

/// Binds the address of a gateway. `passed_on` finds a port that something else has and is about to
/// close.
pub(super) fn bind(
    config: &GatewayConfig,
    passed_on: &dyn Fn(SocketAddr, ListenerConfig) -> Option<Listener>,
) -> Result<Listener, BindError> {
    let listener = config.listener();
    match config.address() {
        GatewayAddress::Tcp(addr) => match passed_on(*addr, listener.clone()) {
            Some(listener) => Ok(listener),
            None => Listener::bind(*addr, listener),
        },
        #[cfg(unix)]
        GatewayAddress::Unix { path, mode: None } => Listener::bind_unix(path, listener),
        #[cfg(unix)]
        GatewayAddress::Unix {
            path,
            mode: Some(mode),
        } => Listener::bind_unix_with_mode(path, *mode, listener),
        #[cfg(unix)]
        GatewayAddress::Inherited(name) => {
            let socket = crate::systemd::socket(name).map_err(|source| BindError::Failed {
                address: ListenAddress::Other(format!("the inherited socket {name:?}")),
                source,
            })?;
            Listener::from_fd(socket, listener)
        }
        #[cfg(not(unix))]
        other => Err(BindError::Failed {
            address: ListenAddress::Other(format!("{other:?}")),
            source: std::io::ErrorKind::Unsupported.into(),
        }),
    }
}
