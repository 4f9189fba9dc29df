//! The box `moov`: one track of pictures.

use std::time::Duration;

use mp4_atom::{
    Dinf, Dref, DrefEntry, FixedPoint, FourCC, Hdlr, Matrix, Mdhd, Mdia, Minf, Moov, Mvhd, Tkhd,
    Trak, Url, Vmhd,
};

use crate::{clip::Clip, mov::samples::Samples, utc::since_epoch};

pub(super) fn moov(clip: &Clip) -> Moov {
    let samples = Samples::of(clip);
    let created = created(clip);
    let mvhd = Mvhd {
        creation_time: created,
        modification_time: created,
        timescale: samples.timescale,
        duration: samples.duration,
        rate: 1.into(),
        volume: 0.into(),
        matrix: Matrix::default(),
        next_track_id: 2,
    };
    Moov {
        mvhd,
        trak: vec![track(clip, samples, created)],
        ..Moov::default()
    }
}

fn track(clip: &Clip, samples: Samples, created: u64) -> Trak {
    let (width, height) = samples.size;
    let tkhd = Tkhd {
        creation_time: created,
        modification_time: created,
        track_id: 1,
        duration: samples.duration,
        enabled: true,
        in_movie: true,
        width: FixedPoint::from(width),
        height: FixedPoint::from(height),
        ..Tkhd::default()
    };
    let mdhd = Mdhd {
        creation_time: created,
        modification_time: created,
        timescale: samples.timescale,
        duration: samples.duration,
        language: "und".to_owned(),
    };
    // An empty name is the same for readers that expect a length first, as QuickTime does.
    let hdlr = Hdlr {
        handler: FourCC::new(b"vide"),
        name: String::new(),
    };
    let here = DrefEntry::Url(Url::default());
    let minf = Minf {
        vmhd: Some(Vmhd::default()),
        dinf: Dinf {
            dref: Dref {
                entries: vec![here],
            },
        },
        stbl: samples.tables(clip),
        ..Minf::default()
    };
    Trak {
        tkhd,
        mdia: Mdia { mdhd, hdlr, minf },
        ..Trak::default()
    }
}

/// Returns when the first available frame was taken, in seconds since 1904.
fn created(clip: &Clip) -> u64 {
    let first = clip.present().next();
    let after = first.map_or(0, |(_, frame)| frame.at_us);
    let time = since_epoch(clip.plan.start()).saturating_add(Duration::from_micros(after));
    time.as_secs().saturating_add(SECS_1904_TO_1970)
}

const SECS_1904_TO_1970: u64 = 2_082_844_800;
