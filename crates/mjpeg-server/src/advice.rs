//! What to do about a failed start.

use mjpeg_manager::Error;

/// One sentence of advice, where there is one to give.
pub(crate) fn advice(error: &Error) -> Option<String> {
    Some(match error {
        Error::AlreadyExists { .. } => "Give each --stream a name of its own.".into(),
        Error::PortInUse { addr } => format!(
            "Choose another port, or end the program that has it (ss -ltnp 'sport = :{}' shows which).",
            addr.port()
        ),
        Error::TcpConnectionTimeout { .. } | Error::TcpConnectionFailed { .. } => {
            "Check that the camera is on and that host and port are right. Without --require-cameras it would be tried again.".into()
        }
        Error::InvalidSpec(_) => {
            "Choose an address of this machine, and a port from 1024 on (lower ones need special rights).".into()
        }
        _ => return None,
    })
}
