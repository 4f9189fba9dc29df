//! A stream as one argument.

use std::{
    net::{Ipv6Addr, SocketAddr},
    str::FromStr,
};

use mjpeg_manager::{InvalidSpec, StreamSpec};

/// A stream as one argument: `NAME=URL@[ADDR:]PORT`.
///
/// Without `ADDR`, the stream listens on all interfaces, IPv6 and IPv4.
///
/// ```
/// use mjpeg_server::StreamArg;
///
/// assert!("garage=tcp://192.168.1.100:6001@8081".parse::<StreamArg>().is_ok());
/// assert!("garage=tcp://192.168.1.100:6001@[::1]:8081".parse::<StreamArg>().is_ok());
/// assert!("garage=tcp://192.168.1.100:6001".parse::<StreamArg>().is_err());
/// ```
#[derive(Clone, Debug)]
pub struct StreamArg(StreamSpec);

impl StreamArg {
    /// Returns the spec, for the manager to start.
    pub fn into_spec(self) -> StreamSpec {
        self.0
    }
}

impl FromStr for StreamArg {
    type Err = InvalidStreamArg;

    fn from_str(text: &str) -> Result<Self, InvalidStreamArg> {
        let (name, rest) = text.split_once('=').ok_or(InvalidStreamArg::NoName)?;
        // The last '@', because a URL may contain one.
        let (url, listen) = rest.rsplit_once('@').ok_or(InvalidStreamArg::NoPort)?;
        // Before the URL: if the '@' belongs to the URL, this error says more than one about the
        // rest of the URL.
        let listen = parse_listen(listen)?;
        Ok(Self(StreamSpec::parse(name, url)?.with_listen(listen)))
    }
}

/// A text that is not a [`StreamArg`]. Whoever wrote it is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidStreamArg {
    /// There is no `=` after the name.
    #[error("write NAME=URL@PORT; the '=' is missing")]
    NoName,
    /// There is no `@` after the URL.
    #[error("write NAME=URL@PORT; the '@' and the port for viewers are missing")]
    NoPort,
    /// The text after the last `@` is neither a port nor an address with a port.
    ///
    /// It is not repeated: it may be the end of a password with an `@` in it.
    #[error(
        "what follows the last '@' is not a port (8081) or an address and port (127.0.0.1:8081, \
         [::1]:8081)"
    )]
    BadListen,
    /// The name or the URL is not valid.
    #[error(transparent)]
    Spec(#[from] InvalidSpec),
}

fn parse_listen(text: &str) -> Result<SocketAddr, InvalidStreamArg> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok((Ipv6Addr::UNSPECIFIED, port).into());
    }
    text.parse().map_err(|_| InvalidStreamArg::BadListen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(text: &str) -> String {
        parse_listen(text).map_or_else(|error| error.to_string(), |addr| addr.to_string())
    }

    #[test]
    fn port_alone_means_all_interfaces() {
        assert_eq!(listen("8081"), "[::]:8081");
        assert_eq!(listen("0"), "[::]:0");
    }

    #[test]
    fn address_may_be_of_either_family() {
        assert_eq!(listen("127.0.0.1:8081"), "127.0.0.1:8081");
        assert_eq!(listen("[::1]:8081"), "[::1]:8081");
    }

    #[test]
    fn anything_else_says_what_it_could_be() {
        for bad in [
            "",
            "65536",
            "-1",
            "localhost:8081",
            "127.0.0.1",
            "::1:8081x",
        ] {
            assert!(listen(bad).contains("is not a port"), "{bad:?}");
        }
    }

    #[test]
    fn errors_can_be_told_apart() {
        let error = |text: &str| text.parse::<StreamArg>().unwrap_err();
        assert!(matches!(error("a"), InvalidStreamArg::NoName));
        assert!(matches!(error("a=tcp://b:1"), InvalidStreamArg::NoPort));
        assert!(matches!(
            error("a=tcp://b:1@x"),
            InvalidStreamArg::BadListen
        ));
        let spec = error("a=tcp://b@8081");
        assert!(matches!(
            spec,
            InvalidStreamArg::Spec(InvalidSpec::Source(_))
        ));
        assert!(matches!(
            error("=tcp://b:1@1"),
            InvalidStreamArg::Spec(InvalidSpec::Name(_))
        ));
    }

    #[test]
    fn errors_name_the_missing_piece() {
        let error = |text: &str| text.parse::<StreamArg>().unwrap_err().to_string();
        assert!(error("tcp://a:1@8081").contains("'='"));
        assert!(error("a=tcp://b:1").contains("'@'"));
        assert!(error("a b=tcp://b:1@8081").contains("letters, digits"));
        assert!(error("a=tcp://b@8081").contains("port is missing"));
        assert!(error("a=rtsp://b:1@8081").contains("unknown kind of source"));
    }
}
