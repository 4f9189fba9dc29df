//! The headers in a packet's payload (RFC 2435 section 3.1).

use super::{quantization::SentTables, reason::DropReason};

/// What each packet of a picture says of it, and must say alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MainHeader {
    pub(super) kind: u8,
    pub(super) quality: u8,
    /// In units of 8 pixels; 0 if it is not stated.
    pub(super) width: u8,
    pub(super) height: u8,
    /// How many MCUs lie between restart markers; 0 if there are none.
    pub(super) restart_interval: u16,
}

/// A packet's payload, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment<'a> {
    pub(super) header: MainHeader,
    /// Where its data belongs in the scan.
    pub(super) offset: u32,
    /// Only the first fragment of a picture may have them.
    pub(super) tables: Option<SentTables<'a>>,
    pub(super) data: &'a [u8],
}

impl<'a> Fragment<'a> {
    pub(super) fn parse(payload: &'a [u8]) -> Result<Self, DropReason> {
        let short = DropReason::Short;
        // The first byte is the type-specific field: which field of an interlaced picture it is.
        let (&[_, o1, o2, o3, kind, quality, width, height], mut rest) =
            payload.split_first_chunk::<8>().ok_or(short)?;
        let offset = u32::from_be_bytes([0, o1, o2, o3]);
        let mut restart_interval = 0;
        if (RESTART_TYPES..DYNAMIC_TYPES).contains(&kind) {
            // Which part of the picture it is (F, L, count) does not matter to whole pictures.
            let (&[i1, i2, _, _], after) = rest.split_first_chunk::<4>().ok_or(short)?;
            restart_interval = u16::from_be_bytes([i1, i2]);
            rest = after;
        }
        let mut tables = None;
        if offset == 0 && quality >= SENT_TABLES {
            let (&[_, precision, l1, l2], after) = rest.split_first_chunk::<4>().ok_or(short)?;
            let length = usize::from(u16::from_be_bytes([l1, l2]));
            let (data, after) = after.split_at_checked(length).ok_or(short)?;
            tables = Some(SentTables { precision, data });
            rest = after;
        }
        if rest.is_empty() {
            return Err(short);
        }
        Ok(Self {
            header: MainHeader {
                kind,
                quality,
                width,
                height,
                restart_interval,
            },
            offset,
            tables,
            data: rest,
        })
    }
}

/// Types from here on have a restart marker header.
const RESTART_TYPES: u8 = 64;

/// Types from here on mean what the session says.
const DYNAMIC_TYPES: u8 = 128;

/// From this quality on, the tables are sent.
const SENT_TABLES: u8 = 128;
