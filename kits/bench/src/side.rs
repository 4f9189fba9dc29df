//! One side of a case: the server, its viewers, and a run of both.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::cases::{Case, Sides};
use crate::programs::{Load, Programs, Server};
use crate::run::Run;

/// One side of a case.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) name: &'static str,
    pub(crate) server: Server<'a>,
    /// A command prefix that runs the server under a tracer.
    pub(crate) tracer: &'a [&'a str],
    /// The path that each viewer requests first, on the connection of its stream.
    pub(crate) first: Option<&'a str>,
    /// The path of the stream.
    pub(crate) path: &'a str,
}

impl<'a> Side<'a> {
    /// The reference.
    pub(crate) const REFERENCE: Self = Self::new("ceiling", Server::Reference);

    pub(crate) const fn new(name: &'static str, server: Server<'a>) -> Self {
        Self {
            name,
            server,
            tracer: &[],
            first: None,
            path: "/",
        }
    }

    /// Runs camera, server and viewers under the load of `case`.
    pub(crate) fn run(&self, programs: &Programs, case: &Case, seconds: u64) -> Result<Run> {
        let (server_core, other_core): (&[&str], &[&str]) = match case.sides {
            Sides::Threads => (&[], &[]),
            _ => (&["taskset", "-c", "0"], &["taskset", "-c", "1"]),
        };
        // A gateway that is opened by itself listens on all addresses. Both sides must: sockets of
        // both families do not cost the same.
        let ip = match case.sides {
            Sides::Gateway | Sides::GatewayRequests | Sides::Cameras => "[::]",
            _ => "127.0.0.1",
        };
        let camera = programs.camera(other_core, case.bytes, case.fps, &[])?;
        let starter = [server_core, self.tracer].concat();
        let streams = match case.sides {
            Sides::Cameras => case.viewers,
            _ => 1,
        };
        let server = programs.server(&starter, self.server, &camera, case.bytes, ip, streams)?;
        thread::sleep(SETTLE);

        let load = Load {
            viewers: case.viewers,
            bytes: case.bytes,
            seconds,
        };
        let first = self.first.map_or(vec![], |path| vec!["--first", path]);
        let mut paths = [&["--path", self.path], &*first].concat();
        if case.sides == Sides::Cameras && !matches!(self.server, Server::Gateway(_)) {
            paths.push("--each-port");
        }
        let viewers = programs.viewers(other_core, &server, server.addr, &load, &paths)?;
        let report = viewers.rest()?;
        match self.server {
            Server::Relay(_) | Server::Gateway(_) => drop(server),
            Server::Reference => {
                drop(camera);
                server.process.rest()?;
            }
        }
        Run::read(&report).with_context(|| self.name)
    }
}

/// After this time, the first frames have arrived and the cost of the start is over.
pub(crate) const SETTLE: Duration = Duration::from_secs(1);
