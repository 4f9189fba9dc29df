//! QuickTime movies. Each frame is in a box of its own, and the tables are at the end.

use bytes::Bytes;
use mp4_atom::{Encode, FourCC, Ftyp};

use crate::{
    clip::Clip, container::Container, file_pieces::FilePieces, mov::samples::MDAT_HEAD_BYTES,
};

mod movie;
mod samples;

/// A movie whose frames are samples with times of their own.
pub(crate) struct Mov;

impl Container for Mov {
    fn head(&mut self, _clip: &Clip, out: &mut FilePieces) {
        let brand = FourCC::new(b"qt  ");
        let ftyp = Ftyp {
            major_brand: brand,
            minor_version: 0x200,
            compatible_brands: vec![brand],
        };
        out.put(&boxed(&ftyp));
    }

    fn frame(&mut self, clip: &Clip, index: usize, jpeg: Option<Bytes>, out: &mut FilePieces) {
        if let Some(jpeg) = jpeg {
            let bytes = clip.plan.frames()[index].bytes + MDAT_HEAD_BYTES;
            out.put(&bytes.to_be_bytes());
            out.put(b"mdat");
            out.pass(jpeg);
        }
    }

    fn end(&mut self, clip: &Clip, out: &mut FilePieces) {
        out.pass_in_pieces(boxed(&movie::moov(clip)).into());
    }
}

fn boxed(atom: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    atom.encode(&mut bytes)
        .expect("a clip's bounds keep every box below 4 GiB");
    bytes
}
