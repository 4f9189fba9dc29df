//! Sources as URLs.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

use percent_encoding::percent_decode_str;

#[cfg(feature = "http")]
use super::http::HttpCamera;
#[cfg(feature = "http-listen")]
use super::http_listen::HttpListenUrl;
#[cfg(feature = "rtsp")]
use super::rtsp::RtspCamera;
#[cfg(feature = "test-picture")]
use super::test::TestCamera;
#[cfg(all(feature = "v4l2", target_os = "linux"))]
use super::v4l2::V4l2Camera;
#[cfg(all(feature = "exec", unix))]
use super::{exec::Program, text::COMMAND_OPTIONS};
use super::{file::Recording, invalid::InvalidSource, limits::Limits, source::Source};
use crate::duration;

impl FromStr for Source {
    type Err = InvalidSource;

    fn from_str(url: &str) -> Result<Self, InvalidSource> {
        let (scheme, rest) = url.split_once(':').ok_or(InvalidSource::NoScheme)?;
        match scheme {
            "exec" => program(rest),
            "push" => push(rest),
            "test" => test(url, rest),
            "http" | "https" => http(url),
            "rtsp" | "rtsps" => rtsp(url),
            _ => in_slashes(scheme, rest),
        }
    }
}

/// Reads what follows `scheme:` in the form `//…`.
fn in_slashes(scheme: &str, rest: &str) -> Result<Source, InvalidSource> {
    let rest = rest.strip_prefix("//").ok_or(InvalidSource::NoScheme)?;
    match scheme {
        "tcp" => {
            let (rest, limits) = limited(rest)?;
            let (host, port) = host_and_port(rest)?;
            // RFC 6874 writes the zone of an address with `%25`.
            let host = host.replacen("%25", "%", 1);
            Ok(Source::tcp(&host, port).with_limits(limits))
        }
        "tcp-listen" => {
            let (rest, limits) = limited(rest)?;
            Ok(tcp_listen(rest)?.with_limits(limits))
        }
        "http-listen" => http_listen(rest),
        "unix" => {
            let (rest, limits) = limited(rest)?;
            Ok(unix(rest)?.with_limits(limits))
        }
        "file" => {
            let (rest, limits) = limited(rest)?;
            Ok(file(rest)?.with_limits(limits))
        }
        "v4l2" => {
            let (rest, limits) = limited(rest)?;
            Ok(v4l2(rest)?.with_limits(limits))
        }
        _ => Err(InvalidSource::UnknownScheme(scheme.into())),
    }
}

/// Splits off the options behind `#`, which set limits.
fn limited(rest: &str) -> Result<(&str, Limits), InvalidSource> {
    let (rest, options) = rest.split_once('#').unwrap_or((rest, ""));
    Ok((rest, limits_of(options)?))
}

fn limits_of(options: &str) -> Result<Limits, InvalidSource> {
    let mut limits = Limits::new();
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        // Only the name is shown: what follows may be a secret that was meant for something else.
        let bad = || InvalidSource::BadOption(name.into());
        let time = duration::parse_duration(value).ok_or_else(bad)?;
        // A source that is not HTTP has no answers and no logins.
        let is_known = matches!(name, "connect_timeout" | "stall_limit");
        if !is_known || !limits.set(name, time)? {
            return Err(bad());
        }
    }
    Ok(limits)
}

fn host_and_port(authority: &str) -> Result<(&str, u16), InvalidSource> {
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let (host, port) = authority.rsplit_once(':').ok_or(InvalidSource::NoPort)?;
    let bad_host = || InvalidSource::BadHost(host.into());
    let host = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(v6) => v6,
        // Without brackets, the last group of an IPv6 address would be taken for the port.
        None if host.contains(':') => return Err(bad_host()),
        None => host,
    };
    if host.is_empty() || host.contains(|c: char| "/?#@[]".contains(c) || c.is_whitespace()) {
        return Err(bad_host());
    }
    Ok((host, parse_port(port)?))
}

fn parse_port(text: &str) -> Result<u16, InvalidSource> {
    let port = text.parse().ok().filter(|&port| port != 0);
    port.ok_or_else(|| InvalidSource::BadPort(text.into()))
}

fn tcp_listen(authority: &str) -> Result<Source, InvalidSource> {
    let bare = authority.strip_suffix('/').unwrap_or(authority);
    // An IPv6 address with a scope is an address only together with its port.
    if let Ok(addr) = bare.parse::<SocketAddr>()
        && addr.port() != 0
    {
        return Ok(Source::tcp_listen(addr));
    }
    let addr = match bare.strip_prefix(':') {
        Some(port) => (Ipv6Addr::UNSPECIFIED, parse_port(port)?).into(),
        None => {
            let (host, port) = host_and_port(bare)?;
            let ip: Result<IpAddr, _> = host.parse();
            let ip = ip.map_err(|_| InvalidSource::BadListenAddress(host.into()))?;
            SocketAddr::new(ip, port)
        }
    };
    Ok(Source::tcp_listen(addr))
}

#[cfg(unix)]
fn unix(path: &str) -> Result<Source, InvalidSource> {
    Ok(Source::unix(absolute(path)?))
}

#[cfg(not(unix))]
fn unix(_path: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotOnThisSystem("unix"))
}

fn file(rest: &str) -> Result<Source, InvalidSource> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut recording = Recording::new(absolute(path)?);
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let bad = || InvalidSource::BadOption(format!("{key}={value}"));
        recording = match (&*key, &*value) {
            ("fps", value) => {
                let fps = value.parse().map_err(|_| bad())?;
                recording.with_fps(fps).map_err(|_| bad())?
            }
            ("once", "" | "1" | "true") => recording.with_repeat(false),
            ("once", "0" | "false") => recording.with_repeat(true),
            _ => return Err(bad()),
        };
    }
    Ok(Source::file(recording).with_label(format!("file://{rest}")))
}

#[cfg(all(feature = "v4l2", target_os = "linux"))]
fn v4l2(rest: &str) -> Result<Source, InvalidSource> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if path.is_empty() && query == "list" {
        return Ok(Source::v4l2_list());
    }
    let mut camera = V4l2Camera::new(absolute(path)?)?;
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let bad = || InvalidSource::BadOption(format!("{key}={value}"));
        camera = match (&*key, &*value) {
            ("size", value) => {
                let (width, height) = parse_size(value).ok_or_else(bad)?;
                camera.with_size(width, height)?
            }
            ("fps", value) => camera.with_fps(value.parse().map_err(|_| bad())?)?,
            ("input", value) => camera.with_input(value.parse().map_err(|_| bad())?),
            (control, value) => camera.with_control(control, value.parse().map_err(|_| bad())?)?,
        };
    }
    Ok(Source::v4l2(camera))
}

#[cfg(all(not(feature = "v4l2"), target_os = "linux"))]
fn v4l2(_rest: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotBuilt {
        kind: "v4l2",
        feature: "v4l2",
    })
}

#[cfg(not(target_os = "linux"))]
fn v4l2(_rest: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotOnThisSystem("v4l2"))
}

#[cfg(feature = "test-picture")]
fn test(url: &str, rest: &str) -> Result<Source, InvalidSource> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let query = match rest.strip_prefix('?') {
        Some(query) => query,
        None if rest.is_empty() => "",
        None => return Err(InvalidSource::BadOption(rest.into())),
    };
    let mut camera = TestCamera::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let bad = || InvalidSource::BadOption(format!("{key}={value}"));
        camera = match &*key {
            "name" => camera.with_name(value),
            "size" => {
                let (width, height) = parse_size(&value).ok_or_else(bad)?;
                camera.with_size(width, height)?
            }
            "fps" => {
                let fps = value.parse().map_err(|_| bad())?;
                camera.with_fps(fps).map_err(|_| bad())?
            }
            _ => return Err(bad()),
        };
    }
    Ok(Source::test(camera).with_label(url))
}

#[cfg(any(feature = "test-picture", all(feature = "v4l2", target_os = "linux")))]
fn parse_size(text: &str) -> Option<(u16, u16)> {
    let (width, height) = text.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

#[cfg(not(feature = "test-picture"))]
fn test(_url: &str, _rest: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotBuilt {
        kind: "test",
        feature: "test-picture",
    })
}

/// Decodes the part of a URL after `//`, which must be an absolute path.
fn absolute(path: &str) -> Result<PathBuf, InvalidSource> {
    let bad = || InvalidSource::BadPath(path.into());
    let decoded = percent_decode_str(path).decode_utf8().map_err(|_| bad())?;
    let decoded = PathBuf::from(&*decoded);
    if decoded.is_absolute() {
        Ok(decoded)
    } else {
        Err(bad())
    }
}

#[cfg(all(feature = "exec", unix))]
fn program(line: &str) -> Result<Source, InvalidSource> {
    let (argv, options) = command(line).ok_or(InvalidSource::BadQuotes)?;
    let limits = limits_of(options)?;
    let program = Program::new(argv).ok_or(InvalidSource::NoProgram)?;
    let (text, label) = (program.text(), program.label());
    let source = Source::known(text, program).with_label(label);
    Ok(source.taking_options(COMMAND_OPTIONS).with_limits(limits))
}

/// Splits a command line, and the options behind it. `None` if its quotes do not match.
#[cfg(all(feature = "exec", unix))]
fn command(line: &str) -> Option<(Vec<String>, &str)> {
    let argv = shlex::split(line)?;
    let options = line.trim_end().rsplit(char::is_whitespace).next();
    let options = options.and_then(|word| word.strip_prefix('#'));
    let options = options.filter(|options| {
        // In quotes, or behind a blank that is escaped, it belongs to an argument. Otherwise it is
        // what a shell takes for a comment.
        let command = &line.trim_end()[..line.trim_end().len() - options.len() - 1];
        shlex::split(command).is_some_and(|without| without == argv)
    });
    Some((argv, options.unwrap_or_default()))
}

#[cfg(all(unix, not(feature = "exec")))]
fn program(_rest: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotBuilt {
        kind: "exec",
        feature: "exec",
    })
}

#[cfg(not(unix))]
fn program(_rest: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotOnThisSystem("exec"))
}

#[cfg(feature = "http")]
fn http(url: &str) -> Result<Source, InvalidSource> {
    Ok(Source::http(HttpCamera::new(url)?))
}

#[cfg(not(feature = "http"))]
fn http(_url: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotBuilt {
        kind: "http",
        feature: "http",
    })
}

#[cfg(feature = "rtsp")]
fn rtsp(url: &str) -> Result<Source, InvalidSource> {
    Ok(Source::rtsp(RtspCamera::new(url)?))
}

#[cfg(not(feature = "rtsp"))]
fn rtsp(_url: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotBuilt {
        kind: "rtsp",
        feature: "rtsp",
    })
}

#[cfg(feature = "http-listen")]
fn http_listen(rest: &str) -> Result<Source, InvalidSource> {
    Ok(Source::http_listen(&HttpListenUrl::parse(rest)?))
}

#[cfg(not(feature = "http-listen"))]
fn http_listen(_rest: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotBuilt {
        kind: "http-listen",
        feature: "http-listen",
    })
}

#[cfg(feature = "http-listen")]
fn push(rest: &str) -> Result<Source, InvalidSource> {
    let (rest, limits) = limited(rest)?;
    match rest {
        "" => Ok(Source::push().with_limits(limits)),
        _ => Err(InvalidSource::PushElsewhere),
    }
}

#[cfg(not(feature = "http-listen"))]
fn push(_rest: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotBuilt {
        kind: "push",
        feature: "http-listen",
    })
}
