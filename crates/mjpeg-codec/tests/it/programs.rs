//! Runs the programs in `tests/consumers`. Their protocol is described in `pipe.mjs`.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use bytes::{Buf, Bytes};
use mjpeg_codec::multipart::Boundary;

pub(crate) struct Program {
    /// The interpreter of the script, and the Debian package that contains it.
    command: &'static str,
    package: &'static str,
    script: &'static str,
}

pub(crate) const MAINSAIL: Program = Program {
    command: "node",
    package: "nodejs",
    script: "mainsail.mjs",
};

pub(crate) const FLUIDD: Program = Program {
    command: "node",
    package: "nodejs",
    script: "fluidd.mjs",
};

pub(crate) const HOME_ASSISTANT: Program = Program {
    command: "python3",
    package: "python3",
    script: "home_assistant.py",
};

/// The body of a response, as the reads of a client.
#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) content_type: String,
    /// None of them empty.
    pub(crate) reads: Vec<Bytes>,
}

impl Body {
    /// A body of the usual `Content-Type`.
    pub(crate) fn new(reads: Vec<Bytes>) -> Self {
        let content_type = Boundary::default().content_type();
        Self {
            content_type,
            reads,
        }
    }
}

/// What a program considered a frame.
pub(crate) struct Seen {
    /// The read that completed it; the first is 0.
    pub(crate) read: usize,
    pub(crate) frame: Bytes,
}

impl Program {
    /// Returns the frames that it finds in each body.
    pub(crate) fn read(&self, bodies: &[Body]) -> Vec<Vec<Seen>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumers");
        let mut child = Command::new(self.command)
            .arg(folder.join(self.script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                let Self {
                    command, package, ..
                } = self;
                panic!("{command}: {error}; cargo xtask ci --install installs it, from {package}")
            });
        let mut stdin = child.stdin.take().expect("piped");
        let output = thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(&input(bodies)));
            child.wait_with_output().expect("it ends")
        });
        assert!(output.status.success(), "{} failed", self.script);
        let mut output = Bytes::from(output.stdout);
        let seen = bodies.iter().map(|_| seen(&mut output)).collect();
        assert!(output.is_empty());
        seen
    }
}

fn input(bodies: &[Body]) -> Vec<u8> {
    let mut input = Vec::new();
    for body in bodies {
        let reads = body.reads.iter().map(|read| &read[..]);
        for piece in [body.content_type.as_bytes()].into_iter().chain(reads) {
            assert!(!piece.is_empty());
            input.extend((piece.len() as u32).to_be_bytes());
            input.extend(piece);
        }
        input.extend([0; 4]);
    }
    input
}

fn seen(output: &mut Bytes) -> Vec<Seen> {
    let frames = output.get_u32();
    let frame = |_| {
        let (read, len) = (output.get_u32(), output.get_u32());
        Seen {
            read: read as usize,
            frame: output.split_to(len as usize),
        }
    };
    (0..frames).map(frame).collect()
}
