//! The sample tables: times, lengths, places and sizes.

use mp4_atom::{
    Co64, Codec, Jpeg, Stbl, Stsc, StscEntry, Stsd, Stsz, StszSamples, Stts, SttsEntry, Visual,
};

use crate::clip::Clip;

/// What the tables and the headers of the movie have in common.
pub(super) struct Samples {
    /// Ticks per second.
    pub(super) timescale: u32,
    /// The length of the whole movie, in ticks.
    pub(super) duration: u64,
    /// The size of the first frame.
    pub(super) size: (u16, u16),
    stts: Stts,
}

impl Samples {
    pub(super) fn of(clip: &Clip) -> Self {
        let interval_us = clip.plan.interval_us();
        let timescale = timescale(micros_of(clip) + interval_us);
        let (stts, duration) = durations(clip, timescale, interval_us);
        let first = clip.sizes().first();
        Self {
            timescale,
            duration,
            size: first.map_or(clip.plan.size(), |run| (run.width, run.height)),
            stts,
        }
    }

    /// Makes the tables. Each frame is a chunk of one sample.
    pub(super) fn tables(self, clip: &Clip) -> Stbl {
        let (stsd, stsc) = descriptions(clip, self.size);
        let mut offset = FTYP_BYTES;
        let mut entries = Vec::new();
        let mut sizes = Vec::new();
        for (_, frame) in clip.present() {
            offset += u64::from(MDAT_HEAD_BYTES);
            entries.push(offset);
            sizes.push(frame.bytes);
            offset += u64::from(frame.bytes);
        }
        Stbl {
            stsd,
            stts: self.stts,
            stsc,
            stsz: Stsz {
                samples: StszSamples::Different { sizes },
            },
            co64: Some(Co64 { entries }),
            ..Stbl::default()
        }
    }
}

fn micros_of(clip: &Clip) -> u64 {
    clip.plan.frames().last().map_or(0, |frame| frame.at_us)
}

/// Chooses ticks of 11 µs, or of 1 ms if the movie has more ticks of 11 µs than 32 bits can count.
fn timescale(span_us: u64) -> u32 {
    if ticks(span_us, FINE) < u64::from(u32::MAX) {
        FINE
    } else {
        COARSE
    }
}

/// Converts a time to ticks. Each time is rounded by itself, so errors do not add up.
fn ticks(at_us: u64, timescale: u32) -> u64 {
    (at_us * u64::from(timescale) + 500_000) / 1_000_000
}

/// Returns how long each frame is shown, and the sum. A frame is shown until the next one; the last
/// one is shown for the usual interval.
fn durations(clip: &Clip, timescale: u32, interval_us: u64) -> (Stts, u64) {
    let mut stts = Stts::default();
    let mut add = |ticks: u64| {
        let sample_delta = u32::try_from(ticks).expect("the timescale suits the clip's span");
        match stts.entries.last_mut() {
            Some(last) if last.sample_delta == sample_delta => last.sample_count += 1,
            _ => stts.entries.push(SttsEntry {
                sample_count: 1,
                sample_delta,
            }),
        }
    };
    let mut times = clip
        .present()
        .map(|(_, frame)| ticks(frame.at_us, timescale));
    let Some(first) = times.next() else {
        return (stts, 0);
    };
    let mut last = first;
    for at in times {
        // Frames of one moment follow one another at once: seeking needs different times.
        let at = at.max(last + 1);
        add(at - last);
        last = at;
    }
    let usual = ticks(interval_us, timescale);
    add(usual);
    (stts, last - first + usual)
}

/// Makes a description for each frame size, and the table of the chunks that each one is for.
/// Beyond [`MAX_DESCRIPTIONS`], frames of a further size have the first description: decoders read
/// the size from the JPEG.
fn descriptions(clip: &Clip, first: (u16, u16)) -> (Stsd, Stsc) {
    let mut sizes = vec![first];
    let mut stsc = Stsc::default();
    let mut runs = clip.sizes().iter().peekable();
    for (chunk, (index, _)) in (1u32..).zip(clip.present()) {
        let Some(run) = runs.next_if(|run| run.first == index) else {
            continue;
        };
        let size = (run.width, run.height);
        let known = sizes.iter().position(|known| *known == size);
        let position = known.unwrap_or_else(|| {
            if sizes.len() >= MAX_DESCRIPTIONS {
                return 0;
            }
            sizes.push(size);
            sizes.len() - 1
        });
        let description = position as u32 + 1;
        let last = stsc.entries.last();
        if last.is_none_or(|last: &StscEntry| last.sample_description_index != description) {
            stsc.entries.push(StscEntry {
                first_chunk: chunk,
                samples_per_chunk: 1,
                sample_description_index: description,
            });
        }
    }
    let codecs = sizes.into_iter().map(description).collect();
    (Stsd { codecs }, stsc)
}

fn description((width, height): (u16, u16)) -> Codec {
    let visual = Visual {
        data_reference_index: 1,
        width,
        height,
        compressor: "Photo - JPEG".into(),
        ..Visual::default()
    };
    Codec::from(Jpeg {
        visual,
        ..Jpeg::default()
    })
}

/// Ticks per second: `FINE` for movies of up to 13 hours, `COARSE` for longer ones.
const FINE: u32 = 90_000;
const COARSE: u32 = 1_000;
const MAX_DESCRIPTIONS: usize = 64;
/// The length of the box before all frames.
const FTYP_BYTES: u64 = 20;
/// The length of the header before each frame.
pub(super) const MDAT_HEAD_BYTES: u32 = 8;
