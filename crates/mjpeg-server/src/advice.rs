//! What to do about a failed start.

use std::net::SocketAddr;

use mjpeg_manager::{
    Error, InvalidSpec,
    mjpeg_http::{BindError, ListenAddress},
};

use crate::{gateway::config::GatewayFailure, relay::StartError};

/// Lists the failures of a start, each with advice for the command line.
pub(crate) fn with_advice(failed: &StartError) -> anyhow::Error {
    let mut text = "the relay did not start".to_owned();
    for error in &failed.gateways {
        text += &format!("\n  {}", error.chain());
        if let GatewayFailure::Bind(BindError::InUse {
            address: ListenAddress::Tcp(addr),
        }) = error.source
        {
            text += &format!("\n    {}", port_in_use(addr));
        }
    }
    for (name, error) in &failed.errors {
        text += &format!("\n  {name}: {} ({})", error.chain(), error.code());
        if let Some(advice) = advice(error) {
            text += &format!("\n    {advice}");
        }
    }
    anyhow::Error::msg(text)
}

/// Returns advice on an error, if there is any.
fn advice(error: &Error) -> Option<String> {
    Some(match error {
        Error::AlreadyExists { .. } => "Give each --stream a name of its own.".into(),
        Error::PortInUse { addr } => port_in_use(*addr),
        Error::ConnectTimeout { .. } | Error::ConnectFailed { .. } => {
            "Check that the camera is on and that host and port are right. \
             Without --require-cameras, or `start = \"require\"`, it would be tried again."
                .into()
        }
        Error::InvalidSpec(InvalidSpec::Listen { .. }) => {
            "Choose an address of this machine, and a port from 1024 on \
             (lower ones need special rights)."
                .into()
        }
        _ => return None,
    })
}

fn port_in_use(addr: SocketAddr) -> String {
    format!(
        "Choose another port, or end the program that has it \
         (ss -ltnp 'sport = :{}' shows which).",
        addr.port()
    )
}
