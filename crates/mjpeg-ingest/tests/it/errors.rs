//! Errors as people see them.

use std::{error::Error as StdError, io, sync::Arc};

use mjpeg_ingest::{ConnectError, Error, ErrorChain};

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

#[test]
fn display_does_not_repeat_the_source_and_the_chain_shows_it_once() {
    let addr = "192.168.1.100:6001".parse().unwrap();
    let text = || "x".to_owned();
    for (error, alone) in [
        (Error::Read(refused()), "the connection to the camera broke"),
        (
            ConnectError::Resolve {
                host: text(),
                source: refused(),
            }
            .into(),
            "cannot resolve x",
        ),
        (
            ConnectError::Failed {
                addr,
                source: refused(),
            }
            .into(),
            "cannot connect to 192.168.1.100:6001",
        ),
        (
            ConnectError::Open {
                path: text(),
                source: refused(),
            }
            .into(),
            "cannot open x",
        ),
        (
            ConnectError::Start {
                program: text(),
                source: refused(),
            }
            .into(),
            "cannot start x",
        ),
        (
            ConnectError::Listen {
                addr,
                source: refused(),
            }
            .into(),
            "cannot listen at 192.168.1.100:6001",
        ),
    ] {
        assert_eq!(error.to_string(), alone);
        let source = error.source().expect("a source").to_string();
        assert_eq!(source, "connection refused");
        assert_eq!(error.chain().to_string(), format!("{alone}: {source}"));
    }
}

#[test]
fn chain_of_an_error_without_a_source_is_the_error() {
    assert_eq!(
        Error::Closed.chain().to_string(),
        "the camera closed the connection"
    );
    let io: ConnectError = refused().into();
    assert_eq!(ErrorChain::new(&io).to_string(), "connection refused");
}

#[test]
fn chain_leaves_out_a_source_that_the_error_repeats() {
    #[derive(Debug, thiserror::Error)]
    #[error("it failed: {0}")]
    struct Repeats(#[source] Arc<io::Error>);
    let error = Repeats(Arc::new(refused()));
    assert_eq!(
        ErrorChain::new(&error).to_string(),
        "it failed: connection refused"
    );
}
