//! A stream as one word of the command line.

use std::{
    net::{Ipv6Addr, SocketAddr},
    str::FromStr,
};

use anyhow::{Context, Result, anyhow};
use mjpeg_manager::StreamSpec;

/// A stream as one word: `NAME=URL@[ADDR:]PORT`.
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
    /// What the manager starts.
    pub fn into_spec(self) -> StreamSpec {
        self.0
    }
}

impl FromStr for StreamArg {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, rest) = text
            .split_once('=')
            .context("write NAME=URL@PORT; the '=' is missing")?;
        // The last '@', since a URL may have one of its own.
        let (url, listen) = rest
            .rsplit_once('@')
            .context("write NAME=URL@PORT; the '@' and the port for viewers are missing")?;
        // First, so that a URL whose own '@' was taken for ours is not told in pieces.
        let listen = parse_listen(listen)?;
        Ok(Self(StreamSpec::parse(name, url)?.with_listen(listen)))
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok((Ipv6Addr::UNSPECIFIED, port).into());
    }
    text.parse().map_err(|_| {
        anyhow!("{text:?} is not a port (8081) or an address and port (127.0.0.1:8081, [::1]:8081)")
    })
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
    fn errors_name_the_missing_piece() {
        let error = |text: &str| text.parse::<StreamArg>().unwrap_err().to_string();
        assert!(error("tcp://a:1@8081").contains("'='"));
        assert!(error("a=tcp://b:1").contains("'@'"));
        assert!(error("a b=tcp://b:1@8081").contains("letters, digits"));
        assert!(error("a=tcp://b@8081").contains("port is missing"));
        assert!(error("a=rtsp://b:1@8081").contains("unknown kind of source"));
    }
}
