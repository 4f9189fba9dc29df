//! What the service manager passes to the process, and is told by it.

use std::io;
#[cfg(unix)]
use std::{os::fd::OwnedFd, sync::OnceLock};

/// Takes over the sockets that this process inherited for it (`LISTEN_FDS`), so that the programs
/// that it starts do not. Call it once, before there are other threads.
#[cfg(unix)]
pub(crate) fn take_sockets() {
    // In the order of the descriptors.
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut passed = listenfd::ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..passed.len() {
        let name = names.next().unwrap_or_default().to_owned();
        // An error means that it is a socket of another kind, which stays where it is.
        let tcp = passed.take_tcp_listener(index).ok().flatten();
        let unix = passed.take_unix_listener(index).ok().flatten();
        let socket = tcp.map(OwnedFd::from).or(unix.map(OwnedFd::from));
        sockets.extend(socket.map(|socket| (name, socket)));
    }
    // An error means that it was called before.
    let _ = SOCKETS.set(sockets);
}

/// Returns a copy of the first inherited socket of this name.
///
/// # Errors
///
/// If there is none.
#[cfg(unix)]
pub(crate) fn socket(name: &str) -> io::Result<OwnedFd> {
    let mut sockets = SOCKETS.get().into_iter().flatten();
    match sockets.find(|(known, _)| known == name) {
        // The original is kept: a gateway may be closed and opened again.
        Some((_, socket)) => socket.try_clone(),
        None => {
            let text = format!("the process has inherited no listening socket named {name:?}");
            Err(io::Error::new(io::ErrorKind::NotFound, text))
        }
    }
}

/// The names of the inherited sockets.
#[cfg(unix)]
pub(crate) fn socket_names() -> impl Iterator<Item = &'static str> {
    let sockets = SOCKETS.get().into_iter().flatten();
    sockets.map(|(name, _)| name.as_str())
}

/// Tells the service manager that the relay serves. Does nothing without one.
pub(crate) fn serves() {
    #[cfg(unix)]
    tell(sd_notify::NotifyState::Ready);
}

/// Tells the service manager that the relay is ending. Does nothing without one.
pub(crate) fn ends() {
    #[cfg(unix)]
    tell(sd_notify::NotifyState::Stopping);
}

#[cfg(unix)]
fn tell(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}

#[cfg(unix)]
static SOCKETS: OnceLock<Vec<(String, OwnedFd)>> = OnceLock::new();

#[cfg(all(test, unix))]
mod tests {
    use std::{
        io::{BufRead, BufReader, Read, Write},
        net::{TcpListener, TcpStream},
        process::{Command, Stdio},
    };

    use mjpeg_manager::{HttpOutlet, ManagerConfig};

    use super::*;
    use crate::{
        gateway::{
            config::{GatewayAddress, GatewayConfig},
            routes::Routes,
        },
        relay::{Gateways, Relay},
    };

    fn gateway() -> Gateways {
        let address = GatewayAddress::Inherited("http".into());
        Gateways::new([GatewayConfig::new("main", address)], Routes::default())
    }

    /// The process that the test below starts, which has descriptor 3.
    #[test]
    #[ignore = "the test below starts it"]
    fn child() {
        take_sockets();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let (config, http) = (ManagerConfig::default(), HttpOutlet::default());
            let relay = Relay::with_gateways([], config, http, gateway());
            let mut relay = relay.await.unwrap();
            // It may be closed and opened again.
            relay.set_gateways(Gateways::default()).await.unwrap();
            relay.set_gateways(gateway()).await.unwrap();
            println!("\nserves");
            std::future::pending::<()>().await;
        });
    }

    #[test]
    fn inherited_socket_is_served_by_its_name() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = socket.local_addr().unwrap();
        // The shell makes it descriptor 4, behind one that is something else.
        let script = "exec 4<&0 3</dev/null </dev/null
            LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=null:http exec \"$0\" \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command.arg(std::env::current_exe().unwrap());
        command.args([
            "--ignored",
            "--exact",
            "systemd::tests::child",
            "--nocapture",
        ]);
        let mut child = command
            .stdin(OwnedFd::from(socket))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let serves = lines.map_while(Result::ok).any(|line| line == "serves");
        assert!(serves);
        let mut client = TcpStream::connect(addr).unwrap();
        let asked = b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        client.write_all(asked).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
