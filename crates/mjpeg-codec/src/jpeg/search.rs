//! Finds marker bytes at memory speed.
//!
//! Both searches go through the bytes in blocks and first ask whether a block can contain a hit: a
//! few branch-free operations per byte, which the compiler turns into vector instructions. The cost
//! therefore does not depend on how often `FF` occurs, as it would if every `FF` were visited.

use memchr::{memchr, memchr_iter};

use super::marker;
use crate::work;

/// Finds the marker that ends entropy-coded data: the first `FF` at or after `from` that is
/// followed by neither `00` (a stuffed byte), nor RST0 to RST7, nor another `FF` (fill).
///
/// The last byte of `data` is never a hit: only the byte after it shows whether it begins a marker.
pub(crate) fn next_marker(data: &[u8], from: usize) -> Option<usize> {
    let found = find_marker(data, from);
    work::count(found.unwrap_or(data.len()).saturating_sub(from));
    found
}

fn find_marker(data: &[u8], from: usize) -> Option<usize> {
    let data = data.get(from..)?;
    let firsts = data.get(..data.len().checked_sub(1)?)?;
    // If markers are close together, blocks cost more than they save.
    let near = firsts.len().min(NEAR_BYTES);
    if let Some(at) = position(&firsts[..near], &data[1..]) {
        return Some(from + at);
    }
    let (firsts, data, from) = (&firsts[near..], &data[near..], from + near);
    let (first_blocks, first_rest) = firsts.as_chunks::<BLOCK_BYTES>();
    let (second_blocks, second_rest) = data[1..].as_chunks::<BLOCK_BYTES>();
    for (i, (firsts, seconds)) in first_blocks.iter().zip(second_blocks).enumerate() {
        let mut not_stuffed = 0;
        for (&a, &b) in firsts.iter().zip(seconds) {
            not_stuffed |= if a == 0xFF { b } else { 0 };
        }
        if not_stuffed == 0 {
            continue;
        }
        // A second check before the exact one: restart markers may be frequent and are not hits.
        let mut hit = false;
        for (&a, &b) in firsts.iter().zip(seconds) {
            hit |= (a == 0xFF) & ends_scan(b);
        }
        if hit {
            let inside = position(firsts, seconds);
            return inside.map(|at| from + i * BLOCK_BYTES + at);
        }
    }
    let rest = first_blocks.len() * BLOCK_BYTES;
    position(first_rest, second_rest).map(|at| from + rest + at)
}

fn position(firsts: &[u8], seconds: &[u8]) -> Option<usize> {
    memchr_iter(0xFF, firsts).find(|&at| ends_scan(seconds[at]))
}

fn ends_scan(code: u8) -> bool {
    (code != 0) & (code != 0xFF) & (code & 0xF8 != marker::RST0)
}

/// Finds where an image may begin: the first SOI at or after `from` that is followed by a fill
/// byte, or by a marker with which an image can continue ([`marker::may_follow_soi`]).
///
/// Does not find an SOI in the last three bytes of `data`: the byte that decides is still missing.
pub(crate) fn next_image(data: &[u8], from: usize) -> Option<usize> {
    let found = find_image(data, from);
    work::count(found.unwrap_or(data.len()).saturating_sub(from));
    found
}

fn find_image(data: &[u8], from: usize) -> Option<usize> {
    let data = data.get(from..)?;
    let len = data.len().checked_sub(3)?;
    let begins_at = |at: usize| {
        let four = data[at..]
            .first_chunk()
            .map(|&four| u32::from_be_bytes(four));
        four.is_some_and(|four| four >> 8 == SOI_AND_MARKER && marker::may_follow_soi(four as u8))
    };
    // If images begin close together, blocks cost more than they save.
    let mut at = 0;
    for _ in 0..NEAR_FFS {
        let ff = memchr(0xFF, &data[at..len])?;
        if begins_at(at + ff) {
            return Some(from + at + ff);
        }
        at += ff + 1;
    }
    while at < len {
        let end = (at + BLOCK_BYTES).min(len);
        let mut soi = false;
        for (&a, &b) in data[at..end].iter().zip(&data[at + 1..]) {
            soi |= (a == 0xFF) & (b == marker::SOI);
        }
        // A second check before the exact one, for data that is full of SOI.
        if soi
            && may_hold_image(&data[at..end + 3])
            && let Some(found) = (at..end).find(|&at| begins_at(at))
        {
            return Some(from + found);
        }
        at = end;
    }
    None
}

/// Returns how many fill bytes (`FF`) the bytes begin with.
pub(crate) fn fill_len(bytes: &[u8]) -> usize {
    // In blocks, which become vector instructions: a run may be as long as a frame.
    let (blocks, _) = bytes.as_chunks::<FILL_BLOCK_BYTES>();
    let is_fill =
        |block: &&[u8; FILL_BLOCK_BYTES]| block.iter().fold(0xFF, |all, b| all & b) == 0xFF;
    let whole = blocks.iter().take_while(is_fill).count() * FILL_BLOCK_BYTES;
    let rest = bytes[whole..].iter().take_while(|&&b| b == 0xFF).count();
    work::count(whole + rest);
    whole + rest
}

const FILL_BLOCK_BYTES: usize = 32;

/// Long enough that the check after each block costs little, short enough that the second check of
/// a block is cheap.
const BLOCK_BYTES: usize = 128;

/// Returns whether an image may begin in `bytes`, not counting the last three bytes.
fn may_hold_image(bytes: &[u8]) -> bool {
    let quadruples = bytes
        .iter()
        .zip(&bytes[1..])
        .zip(&bytes[2..])
        .zip(&bytes[3..]);
    let mut hit = false;
    for (((&a, &b), &c), &d) in quadruples {
        hit |= (a == 0xFF) & (b == marker::SOI) & (c == 0xFF) & marker::may_follow_soi(d);
    }
    hit
}

/// `FF D8 FF`.
const SOI_AND_MARKER: u32 = 0x00FF_D8FF;

/// The first bytes searched, by visiting each `FF`.
const NEAR_BYTES: usize = 128;

/// The number of `FF` visited before the search goes block by block.
const NEAR_FFS: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes rich in markers and parts of markers.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            8 => Just(0x55),
            2 => Just(0xFF),
            1 => Just(0x00),
            1 => Just(0xD8),
            1 => 0xD0u8..=0xD7,
            1 => any::<u8>(),
        ];
        prop_oneof![
            proptest::collection::vec(byte, 0..700),
            // Long runs without a hit, so that the search reaches later blocks.
            (0usize..600, proptest::collection::vec(any::<u8>(), 0..8)).prop_map(|(n, tail)| [
                &[0xFF, 0x00].repeat(n)[..],
                &tail
            ]
            .concat()),
        ]
    }

    proptest! {
        #[test]
        fn next_marker_is_what_a_byte_by_byte_search_finds(data in bytes(), from in 0usize..800) {
            let naive = (from..data.len().saturating_sub(1)).find(|&at| {
                data[at] == 0xFF && !matches!(data[at + 1], 0x00 | 0xD0..=0xD7 | 0xFF)
            });
            prop_assert_eq!(next_marker(&data, from), naive);
        }

        #[test]
        fn next_image_is_what_a_byte_by_byte_search_finds(data in bytes(), from in 0usize..800) {
            let naive = (from..data.len().saturating_sub(3)).find(|&at| {
                data[at..at + 3] == [0xFF, 0xD8, 0xFF] && marker::may_follow_soi(data[at + 3])
            });
            prop_assert_eq!(next_image(&data, from), naive);
        }
    }
}
