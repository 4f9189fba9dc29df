//! What becomes of that which a walk passes.

use crate::entropy::{damage::Damage, not_checked::NotChecked, picture::Picture};

/// Takes what a walk passes.
pub(crate) trait CodeSink {
    /// Whether only DC coefficients are wanted. Then the first DC scans of progressive frames are
    /// walked too, and the walk ends when each component had a scan with them.
    const DC_ONLY: bool;

    /// Why a walk ends early.
    type Stop: From<Damage> + From<NotChecked>;

    /// Takes a segment that the walk itself does not need; `code` is that of its marker.
    fn segment(&mut self, code: u8, payload: &[u8]) -> Result<(), Self::Stop>;

    /// Takes the frame header with this payload.
    fn picture(&mut self, picture: &Picture, payload: &[u8]) -> Result<(), Self::Stop>;

    /// Begins a scan, which was not walked yet.
    fn begin_scan(&mut self, scan: &ScanLayout<'_>) -> Result<(), Self::Stop>;

    /// Takes the difference of the next DC coefficient of the current MCU (T.81 F.1.1.5.1): of this
    /// component of the scan, of which it is the `block`th block.
    fn dc(&mut self, part: usize, block: u32, difference: i32);

    /// Ends an MCU.
    fn end_mcu(&mut self);

    /// Begins a restart interval.
    fn restart(&mut self);
}

/// What a sink needs to know of a scan.
#[derive(Debug)]
pub(crate) struct ScanLayout<'a> {
    pub(crate) picture: &'a Picture,
    /// The places of its components in the frame header.
    pub(crate) places: &'a [usize],
    /// By how many bits its DC coefficients are shortened (T.81 G.1.2.1: Al); 0 if the frame is not
    /// progressive.
    pub(crate) shift: u8,
    /// Where its data are in the frame, and how long they are, in bytes.
    pub(crate) offset: usize,
    pub(crate) length: usize,
}
