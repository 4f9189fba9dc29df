//! The reference server. It does the least that a server can do for its viewers: one thread, epoll,
//! and one `writev` of a shared buffer per viewer and frame. It parses, checks, limits and counts
//! nothing. On the wire it looks like the relay.

use std::{
    io::{ErrorKind, IoSlice, Read, Write},
    mem,
    net::{SocketAddr, TcpListener, TcpStream},
    process::ExitCode,
    rc::Rc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use kit::program;
use rustix::event::epoll::EventFlags;
use socket2::{SockRef, TcpKeepalive};

use crate::fanout::{
    clock::wall_ns,
    system::{Epoll, LOOPBACK, listen, raise_descriptor_limit},
    wire::{DELIMITER, HEAD, OPENING, part_header},
};

xflags::xflags! {
    /// Serves the pictures of one camera to viewers, as cheaply as possible. Prints its URL. Ends
    /// when the camera ends.
    cmd ceiling {
        /// The camera's address.
        required --camera camera: SocketAddr
        /// The length of each picture.
        required --bytes bytes: usize
        /// The address for viewers (default: any free port of 127.0.0.1).
        optional --listen at: SocketAddr
    }
}

/// Runs the server until its camera ends.
pub fn main() -> ExitCode {
    program::exit(run(&Ceiling::from_env_or_exit()).map(|()| true))
}

fn run(flags: &Ceiling) -> Result<()> {
    raise_descriptor_limit(0)?;
    let mut server = Server::start(flags)?;
    let mut epoll = Epoll::new()?;
    epoll.add(&server.camera, CAMERA, EventFlags::IN)?;
    epoll.add(&server.listener, LISTENER, EventFlags::IN)?;
    let mut ready = Vec::new();
    while !server.camera_ended {
        epoll.wait(None, &mut ready)?;
        for (token, flags) in ready.drain(..) {
            match token {
                CAMERA => server.read_camera()?,
                LISTENER => server.accept(&epoll)?,
                viewer => server.serve((viewer - FIRST_VIEWER) as usize, flags),
            }
        }
    }
    Ok(())
}

struct Server {
    camera: TcpStream,
    camera_ended: bool,
    listener: TcpListener,
    /// The picture being read, and how much of it has arrived.
    picture: Vec<u8>,
    filled: usize,
    frames: u64,
    latest: Option<Rc<Part>>,
    viewers: Vec<Option<Viewer>>,
}

/// A frame, shared by all viewers that are receiving it.
struct Part {
    number: u64,
    header: String,
    picture: Vec<u8>,
}

struct Viewer {
    socket: TcpStream,
    request: Vec<u8>,
    /// Whether the request is complete.
    requested: bool,
    /// The number of the last frame begun.
    last: u64,
    /// The frame that the socket has not taken whole, and how much of it is written.
    rest: Option<(Rc<Part>, usize)>,
}

impl Server {
    fn start(flags: &Ceiling) -> Result<Self> {
        let camera = TcpStream::connect(flags.camera)
            .with_context(|| format!("connecting to the camera at {}", flags.camera))?;
        camera.set_nonblocking(true)?;
        let (listener, addr) = listen(flags.listen.unwrap_or(LOOPBACK))?;
        listener.set_nonblocking(true)?;
        println!("http://{addr}/");
        Ok(Self {
            camera,
            camera_ended: false,
            listener,
            picture: vec![0; flags.bytes],
            filled: 0,
            frames: 0,
            latest: None,
            viewers: Vec::new(),
        })
    }

    /// Reads all that has arrived, and publishes the newest picture. Earlier ones arrived while the
    /// server was busy; the relay would skip them too.
    fn read_camera(&mut self) -> Result<()> {
        let mut newest = None;
        while !self.camera_ended {
            match self.camera.read(&mut self.picture[self.filled..]) {
                Ok(0) => self.camera_ended = true,
                Ok(n) => self.filled += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    self.camera_ended = true;
                }
                Err(error) => return Err(error).context("reading the camera"),
            }
            if self.filled == self.picture.len() {
                self.filled = 0;
                let room = newest.unwrap_or_else(|| vec![0; self.picture.len()]);
                newest = Some(mem::replace(&mut self.picture, room));
            }
        }
        if let Some(picture) = newest {
            self.publish(picture);
        }
        Ok(())
    }

    fn publish(&mut self, picture: Vec<u8>) {
        self.frames += 1;
        let part = Rc::new(Part {
            number: self.frames,
            header: part_header(picture.len(), wall_ns()),
            picture,
        });
        for place in &mut self.viewers {
            if let Some(viewer) = place
                && viewer.requested
                && viewer.rest.is_none()
                && viewer.begin(&part).is_err()
            {
                *place = None;
            }
        }
        self.latest = Some(part);
    }

    fn accept(&mut self, epoll: &Epoll) -> Result<()> {
        loop {
            let socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("accepting a viewer"),
            };
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            let options = SockRef::from(&socket);
            options.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_IDLE))?;
            options.set_tcp_notsent_lowat(NOTSENT_LOWAT_BYTES)?;
            // Edge-triggered: a socket that is never full causes no events.
            let token = FIRST_VIEWER + self.viewers.len() as u64;
            epoll.add(
                &socket,
                token,
                EventFlags::IN | EventFlags::OUT | EventFlags::ET,
            )?;
            self.viewers.push(Some(Viewer {
                socket,
                request: Vec::new(),
                requested: false,
                last: 0,
                rest: None,
            }));
        }
    }

    fn serve(&mut self, index: usize, flags: EventFlags) {
        let place = &mut self.viewers[index];
        if let Some(viewer) = place
            && viewer.serve(flags, self.latest.as_ref()).is_err()
        {
            *place = None;
        }
    }
}

impl Viewer {
    /// Fails when the viewer has disconnected.
    fn serve(&mut self, flags: EventFlags, latest: Option<&Rc<Part>>) -> Result<()> {
        if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            self.read_request()?;
        }
        if let Some((part, at)) = self.rest.take() {
            self.write(&part, at)?;
        }
        // Of the frames that arrived while the socket was full, only the newest is sent.
        if self.requested
            && self.rest.is_none()
            && let Some(part) = latest
            && part.number > self.last
        {
            self.begin(part)?;
        }
        Ok(())
    }

    fn read_request(&mut self) -> Result<()> {
        let mut buffer = [0; 1024];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => bail!("the viewer has left"),
                Ok(n) if !self.requested => {
                    self.request.extend_from_slice(&buffer[..n]);
                    if self.request.ends_with(b"\r\n\r\n") {
                        self.requested = true;
                        self.request = Vec::new();
                        // The socket is empty, so it takes all of this.
                        self.socket
                            .write_all(format!("{HEAD}{OPENING}").as_bytes())?;
                    }
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn begin(&mut self, part: &Rc<Part>) -> Result<()> {
        self.last = part.number;
        self.write(part, 0)
    }

    fn write(&mut self, part: &Rc<Part>, at: usize) -> Result<()> {
        let mut pieces = [
            IoSlice::new(part.header.as_bytes()),
            IoSlice::new(&part.picture),
            IoSlice::new(DELIMITER),
        ];
        let whole: usize = pieces.iter().map(|piece| piece.len()).sum();
        let mut pieces = &mut pieces[..];
        IoSlice::advance_slices(&mut pieces, at);
        let at = match self.socket.write_vectored(pieces) {
            Ok(n) => at + n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => at,
            Err(error) => return Err(error.into()),
        };
        // The socket's next edge tells when to continue.
        self.rest = (at < whole).then(|| (Rc::clone(part), at));
        Ok(())
    }
}

const CAMERA: u64 = 0;
const LISTENER: u64 = 1;
const FIRST_VIEWER: u64 = 2;
/// The relay's default.
const NOTSENT_LOWAT_BYTES: u32 = 16 << 10;
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
