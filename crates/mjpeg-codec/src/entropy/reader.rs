//! Walks one frame.

use crate::{
    entropy::{
        damage::{Damage, Flaw},
        not_checked::NotChecked,
        picture::Picture,
        scan::{Scan, ScanCoding},
        sink::CodeSink,
        tables::Tables,
    },
    frame::Frame,
    jpeg::{
        frame_header::FrameHeader,
        marker,
        walk::{Segment, Walk, WalkStep},
    },
};

/// Reads a frame in slices.
#[derive(Debug)]
pub(crate) struct FrameWalk<S> {
    frame: Frame,
    walk: Walk,
    /// The header of a scan whose end the walk is looking for.
    header: Option<Segment>,
    scan: Option<Scan>,
    /// The segment after that scan.
    next: Option<Segment>,
    is_walked: bool,
    picture: Option<Picture>,
    is_progressive: bool,
    tables: Tables,
    restart_interval: u16,
    surplus_bytes: usize,
    sink: S,
}

impl<S: CodeSink> FrameWalk<S> {
    /// Begins to read a frame, whose bytes it shares.
    pub(crate) fn new(frame: &Frame, sink: S) -> Self {
        Self {
            frame: frame.clone(),
            walk: Walk::new(),
            header: None,
            scan: None,
            next: None,
            is_walked: false,
            picture: None,
            is_progressive: false,
            tables: Tables::default(),
            restart_interval: 0,
            surplus_bytes: 0,
            sink,
        }
    }

    /// Continues until `work` nanoseconds, estimated from what it does, are used up, and for at
    /// least one step. Returns how many surplus bytes there were once the frame is read, `None`
    /// before that.
    pub(crate) fn step(&mut self, work: &mut usize) -> Result<Option<usize>, S::Stop> {
        loop {
            self.advance(work)?;
            if self.is_at_end() {
                return Ok(Some(self.end()?));
            }
            if *work == 0 {
                return Ok(None);
            }
        }
    }

    /// Returns the sink.
    pub(crate) fn into_sink(self) -> S {
        self.sink
    }

    /// Takes one step.
    fn advance(&mut self, work: &mut usize) -> Result<(), S::Stop> {
        if let Some(scan) = &mut self.scan {
            let surplus_bytes =
                scan.step(self.frame.bytes(), &self.tables, work, &mut self.sink)?;
            if let Some(surplus_bytes) = surplus_bytes {
                self.surplus_bytes += surplus_bytes;
                self.scan = None;
            }
            return Ok(());
        }
        if let Some(segment) = self.next.take() {
            return self.segment(segment);
        }
        let from = self.walk.position();
        let step = self.walk.step(self.frame.bytes(), WALKED_AT_A_TIME);
        *work = work.saturating_sub(self.walk.position() - from + SEGMENT_NANOS);
        let next = match step {
            WalkStep::Again => return Ok(()),
            WalkStep::Segment(segment) => Some(segment),
            WalkStep::End => None,
        };
        self.is_walked = next.is_none();
        match (self.header.take(), next) {
            (Some(header), next) => {
                let end = next.as_ref().map(|next| next.start);
                self.next = next;
                self.begin_scan(&header, end)
            }
            (None, Some(segment)) => self.segment(segment),
            (None, None) => Ok(()),
        }
    }

    /// Reads a segment.
    fn segment(&mut self, segment: Segment) -> Result<(), S::Stop> {
        let bytes = self.frame.bytes();
        let payload = &bytes[segment.payload.clone()];
        let contradiction = || S::Stop::from(Damage::header(segment.start));
        match segment.code {
            marker::DHP => return Err(NotChecked::Hierarchical.into()),
            code if marker::is_sof(code) => {
                if self.picture.is_some() {
                    return Err(contradiction());
                }
                self.is_progressive = S::DC_ONLY && code == marker::SOF2;
                match NotChecked::coding(code) {
                    Some(reason) if !self.is_progressive => return Err(reason.into()),
                    _ => {}
                }
                let header = FrameHeader::parse(code, payload).ok_or_else(contradiction)?;
                if header.components > MOST_COMPONENTS {
                    return Err(NotChecked::Components.into());
                }
                let height = self.frame.height();
                if height == 0 {
                    return Err(NotChecked::Height.into());
                }
                let picture = Picture::new(header.width, height, payload);
                let picture = self.picture.insert(picture.ok_or_else(contradiction)?);
                self.sink.picture(picture, payload)?;
            }
            marker::DHT => {
                let tables = self.tables.define(bytes, segment.payload.clone());
                tables.ok_or_else(contradiction)?;
            }
            marker::DRI => {
                let interval = payload.first_chunk().ok_or_else(contradiction)?;
                self.restart_interval = u16::from_be_bytes(*interval);
            }
            marker::SOS => self.header = Some(segment),
            code => self.sink.segment(code, payload)?,
        }
        Ok(())
    }

    /// Begins to walk a scan, whose data end at `end` or before the EOI.
    fn begin_scan(&mut self, header: &Segment, end: Option<usize>) -> Result<(), S::Stop> {
        let contradiction = || S::Stop::from(Damage::header(header.start));
        let bytes = self.frame.bytes();
        let eoi_bytes = if self.frame.has_eoi() { EOI_BYTES } else { 0 };
        let start = header.payload.end;
        let end = end.unwrap_or(bytes.len().saturating_sub(eoi_bytes));
        let picture = self.picture.as_mut().ok_or_else(contradiction)?;
        let header_bytes = &bytes[header.payload.clone()];
        let shift = match (self.is_progressive, header_bytes) {
            (false, _) => 0,
            // Ss, Se, then Ah and Al (G.1.1.1).
            (true, [.., 0, 0, approximation @ 0..=13]) => *approximation,
            // AC coefficients, or further bits of coefficients.
            (true, _) => return Ok(()),
        };
        let data = start..end.max(start);
        let coding = ScanCoding {
            is_progressive: self.is_progressive,
            shift,
            restart_interval: self.restart_interval,
        };
        let scan = Scan::new(header_bytes, picture, &mut self.tables, bytes, data, coding);
        let scan = scan.ok_or_else(contradiction)?;
        self.sink.begin_scan(&scan.layout(picture))?;
        self.scan = Some(scan);
        Ok(())
    }

    fn is_at_end(&self) -> bool {
        let has_all = || {
            let picture = self.picture.as_ref();
            picture.is_some_and(|picture| picture.missing().is_none())
        };
        self.scan.is_none() && (self.is_walked || S::DC_ONLY && has_all())
    }

    /// Returns the number of surplus bytes of a frame that was read to its end.
    fn end(&self) -> Result<usize, Damage> {
        let length = self.frame.bytes().len();
        let picture = self.picture.as_ref();
        let picture = picture.ok_or_else(|| Damage::header(length))?;
        match picture.missing() {
            Some(expected_mcus) => Err(Damage {
                flaw: Flaw::MissingComponent,
                offset: length,
                mcus: 0,
                expected_mcus,
            }),
            None => Ok(self.surplus_bytes),
        }
    }
}

/// How much of a scan is searched for its end at a time.
const WALKED_AT_A_TIME: usize = 64 << 10;

/// What a segment takes.
const SEGMENT_NANOS: usize = 20;

/// The most that cameras use and decoders accept (T.81 allows 255, B.2.2).
const MOST_COMPONENTS: u8 = 4;

const EOI_BYTES: usize = 2;
