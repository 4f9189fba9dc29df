//! The reference: the least that a server can do for its viewers. One thread, epoll, one `writev`
//! of a shared buffer per viewer and frame; nothing is parsed, checked, limited or counted. On the
//! wire it is the relay.

use std::{
    io::{ErrorKind, IoSlice, Read, Write},
    mem,
    net::{SocketAddr, TcpListener, TcpStream},
    process::ExitCode,
    rc::Rc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::event::epoll::EventFlags;
use socket2::{SockRef, TcpKeepalive};

use crate::fanout::{
    clock::wall_ns,
    exit,
    system::{Epoll, LOOPBACK, listen, raise_descriptor_limit},
    wire::{DELIMITER, HEAD, OPENING, part_header},
};

xflags::xflags! {
    /// Serves the pictures of one camera to viewers, as cheaply as can be. Prints its URL. Ends
    /// when the camera does.
    cmd ceiling {
        /// The camera's address.
        required --camera camera: SocketAddr
        /// The length of each of its pictures.
        required --bytes bytes: usize
        /// TCP_NOTSENT_LOWAT of the viewers' sockets, 0 for none (default: 16384, as the relay has
        /// it).
        optional --notsent-lowat lowat: u32
        /// Where viewers come to (default: any free port of 127.0.0.1).
        optional --listen at: SocketAddr
    }
}

/// Runs the server until its camera ends.
pub fn main() -> ExitCode {
    exit(run(&Ceiling::from_env_or_exit()))
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
    lowat: u32,
    /// The picture that is being read, and how much of it has come.
    picture: Vec<u8>,
    come: usize,
    frames: u64,
    latest: Option<Rc<Part>>,
    viewers: Vec<Option<Viewer>>,
}

/// A frame, shared by all viewers that are at it.
struct Part {
    number: u64,
    header: String,
    picture: Vec<u8>,
}

struct Viewer {
    socket: TcpStream,
    request: Vec<u8>,
    asked: bool,
    /// The number of the frame last begun.
    last: u64,
    /// What the socket did not take, and how far it is.
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
            lowat: flags.notsent_lowat.unwrap_or(NOTSENT_LOWAT_BYTES),
            picture: vec![0; flags.bytes],
            come: 0,
            frames: 0,
            latest: None,
            viewers: Vec::new(),
        })
    }

    /// Reads all that has come, and publishes the newest picture of it: those before it came while
    /// the server was busy, and the relay would skip them as well.
    fn read_camera(&mut self) -> Result<()> {
        let mut newest = None;
        while !self.camera_ended {
            match self.camera.read(&mut self.picture[self.come..]) {
                Ok(0) => self.camera_ended = true,
                Ok(n) => self.come += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    self.camera_ended = true;
                }
                Err(error) => return Err(error).context("reading the camera"),
            }
            if self.come == self.picture.len() {
                self.come = 0;
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
                && viewer.asked
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
            if self.lowat > 0 {
                options.set_tcp_notsent_lowat(self.lowat)?;
            }
            // By edges: a socket that is never full costs no event.
            let token = FIRST_VIEWER + self.viewers.len() as u64;
            epoll.add(
                &socket,
                token,
                EventFlags::IN | EventFlags::OUT | EventFlags::ET,
            )?;
            self.viewers.push(Some(Viewer {
                socket,
                request: Vec::new(),
                asked: false,
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
    /// Fails when the viewer has gone.
    fn serve(&mut self, flags: EventFlags, latest: Option<&Rc<Part>>) -> Result<()> {
        if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            self.read_request()?;
        }
        if let Some((part, at)) = self.rest.take() {
            self.write(&part, at)?;
        }
        // What came while the socket was full was skipped, but for the newest.
        if self.asked
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
                Ok(n) if !self.asked => {
                    self.request.extend_from_slice(&buffer[..n]);
                    if self.request.ends_with(b"\r\n\r\n") {
                        self.asked = true;
                        self.request = Vec::new();
                        // Into an empty socket, so it is taken whole.
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
        // The socket's next edge says when to go on.
        self.rest = (at < whole).then(|| (Rc::clone(part), at));
        Ok(())
    }
}

const CAMERA: u64 = 0;
const LISTENER: u64 = 1;
const FIRST_VIEWER: u64 = 2;
const NOTSENT_LOWAT_BYTES: u32 = 16 << 10;
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
