//! The effect of a frame's headers on its scans, on handmade frames.

use mjpeg_codec::verify::{Flaw, NotChecked, Verdict};
use mjpeg_testkit::jpeg;

use crate::{
    made::{Made, scan_of, scan_of_bits},
    verify::{COMPLETE, complete, damage, flaw, verdict},
};

#[test]
fn restart_marker_after_the_last_interval_does_no_harm() {
    let made = Made {
        restart_interval: 2,
        ..Made::gray(32, 8)
    };
    let [first, second] = [scan_of(2), scan_of(2)];
    let restarted = |last: &[u8]| made.frame(&[&first[..], &[0xFF, 0xD0], &second, last].concat());
    assert_eq!(verdict(restarted(&[])), COMPLETE);
    assert_eq!(verdict(restarted(&[0xFF, 0xD1])), COMPLETE);
    assert_eq!(flaw(restarted(&[0xFF, 0xD2])), Flaw::Restart);
    assert_eq!(flaw(restarted(&[0xFF, 0xD1, 0xFF, 0xD2])), Flaw::Restart);
}

/// Checks that the scans of a frame need exactly these numbers of blocks.
#[track_caller]
fn needs_blocks(made: &Made<'_>, blocks: &[usize]) {
    let scans: Vec<Vec<u8>> = blocks.iter().map(|&n| scan_of(n)).collect();
    let frame = |scans: &[Vec<u8>]| {
        let scans: Vec<&[u8]> = scans.iter().map(|scan| &scan[..]).collect();
        made.frame_of_scans(&scans)
    };
    assert_eq!(verdict(frame(&scans)), COMPLETE);
    for (i, &n) in blocks.iter().enumerate() {
        let mut less = scans.clone();
        less[i] = scan_of(n - 1);
        assert_eq!(flaw(frame(&less)), Flaw::Truncated, "one less in scan {i}");
        // Eight blocks are three bytes.
        let mut more = scans.clone();
        more[i] = scan_of(n + 8);
        assert_eq!(verdict(frame(&more)), complete(3), "more in scan {i}");
    }
}

#[test]
fn blocks_are_counted_by_size_and_sampling() {
    let all = |samplings| Made {
        samplings,
        ..Made::gray(17, 9)
    };
    needs_blocks(&Made::gray(8, 8), &[1]);
    // 3 x 2 blocks. Alone in its scan, a component is not interleaved, whatever its sampling.
    needs_blocks(&all(&[0x11]), &[6]);
    needs_blocks(&all(&[0x22]), &[6]);
    needs_blocks(&all(&[0x41]), &[6]);
    // 4:4:4: 3 x 2 MCUs of 3.
    needs_blocks(&all(&[0x11, 0x11, 0x11]), &[18]);
    // 4:2:0: 2 x 1 MCUs of 4 + 1 + 1.
    needs_blocks(&all(&[0x22, 0x11, 0x11]), &[12]);
    // 4:2:2: 2 x 2 MCUs of 2 + 1 + 1; upright: 3 x 1.
    needs_blocks(&all(&[0x21, 0x11, 0x11]), &[16]);
    needs_blocks(&all(&[0x12, 0x11, 0x11]), &[12]);
    // 4:1:1: 1 x 2 MCUs of 4 + 1 + 1.
    needs_blocks(&all(&[0x41, 0x11, 0x11]), &[12]);
    // Mixed: 2 x 1 MCUs of 2 + 2 + 1.
    needs_blocks(&all(&[0x21, 0x12, 0x11]), &[10]);
    // 3 with 2: 1 x 1 MCU of 3 + 2 + 2.
    needs_blocks(&all(&[0x31, 0x12, 0x12]), &[7]);
    // Four components, two components.
    needs_blocks(&all(&[0x11, 0x11, 0x11, 0x11]), &[24]);
    needs_blocks(&all(&[0x22, 0x11]), &[10]);
}

#[test]
fn each_scan_has_its_own_blocks() {
    let of = |samplings, scans| Made {
        samplings,
        scans,
        ..Made::gray(17, 9)
    };
    let alone: &[&[u8]] = &[&[0], &[1], &[2]];
    let chroma_together: &[&[u8]] = &[&[0], &[1, 2]];
    // Luma 3 x 2 blocks; chroma is 9 x 5 samples, 2 x 1 blocks.
    needs_blocks(&of(&[0x22, 0x11, 0x11], alone), &[6, 2, 2]);
    needs_blocks(&of(&[0x22, 0x11, 0x11], chroma_together), &[6, 4]);
    needs_blocks(&of(&[0x11, 0x11, 0x11], alone), &[6, 6, 6]);
    // 9 x 9 samples; 17 x 5 samples.
    needs_blocks(&of(&[0x21, 0x11, 0x11], alone), &[6, 4, 4]);
    needs_blocks(&of(&[0x12, 0x11, 0x11], alone), &[6, 3, 3]);
    // 2 of 3: 12 x 9 samples.
    needs_blocks(&of(&[0x31, 0x21, 0x11], alone), &[6, 4, 2]);
    // A sample more than 8 lines of 2 makes another row of blocks: 3 x 3; 9 x 9 samples.
    let taller = Made {
        height: 17,
        ..of(&[0x22, 0x11, 0x11], alone)
    };
    needs_blocks(&taller, &[9, 4, 4]);
}

#[test]
fn tables_may_change_between_scans() {
    let made = Made {
        samplings: &[0x11, 0x11],
        scans: &[&[0], &[1]],
        ..Made::gray(16, 8)
    };
    // Now `0` is size 1 and `1` is size 0, or the end: a block is `11`.
    let other_tables = [
        Made::dht(0x00, &[2], &[1, 0]),
        Made::dht(0x10, &[2], &[1, 0]),
    ]
    .concat();
    let second = [0xFF, 0];
    let frame = |before: &[&[u8]]| made.frame_with(&[&scan_of(2), &second], before);
    assert_eq!(verdict(frame(&[&[], &other_tables])), COMPLETE);
    assert_eq!(flaw(frame(&[])), Flaw::Truncated);
}

#[test]
fn restart_interval_may_change_between_scans() {
    let made = Made {
        samplings: &[0x11, 0x11],
        scans: &[&[0], &[1]],
        ..Made::gray(32, 8)
    };
    let halves = [&scan_of(2)[..], &[0xFF, 0xD0], &scan_of(2)].concat();
    let every_two: &[u8] = &[0xFF, 0xDD, 0, 4, 0, 2];
    let none: &[u8] = &[0xFF, 0xDD, 0, 4, 0, 0];
    let frame = made.frame_with(&[&scan_of(4), &halves], &[&[], every_two]);
    assert_eq!(verdict(frame), COMPLETE);
    let frame = made.frame_with(&[&halves, &scan_of(4)], &[every_two, none]);
    assert_eq!(verdict(frame), COMPLETE);
    let frame = made.frame_with(&[&halves, &scan_of(4)], &[every_two, &[]]);
    assert_eq!(flaw(frame), Flaw::Restart);
}

#[test]
fn height_may_come_after_the_first_scan() {
    let open = Made::gray(16, 0);
    let dnl = |lines: u8| [0xFF, 0xDC, 0, 4, 0, lines];
    let frame = |lines| open.frame(&[&scan_of(6)[..], &dnl(lines)].concat());
    assert_eq!(verdict(frame(24)), COMPLETE);
    assert_eq!(verdict(frame(17)), COMPLETE);
    assert_eq!(flaw(frame(25)), Flaw::Truncated);
    let never_told = open.frame(&scan_of(6));
    assert_eq!(verdict(never_told), Verdict::NotChecked(NotChecked::Height));
    let zero = frame(0);
    assert_eq!(verdict(zero), Verdict::NotChecked(NotChecked::Height));
}

#[test]
fn other_codings_are_not_checked() {
    let not_checked = |bytes: Vec<u8>, reason| {
        assert_eq!(verdict(bytes), Verdict::NotChecked(reason));
    };
    not_checked(jpeg::progressive(1).to_vec(), NotChecked::Progressive);
    let made = |sof| {
        let mut frame = Made::gray(8, 8).frame(&scan_of(1));
        let at = frame.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
        frame[at + 1] = sof;
        frame
    };
    assert_eq!(verdict(made(0xC1)), COMPLETE, "extended sequential");
    not_checked(made(0xC3), NotChecked::Lossless);
    for sof in 0xC9..=0xCB {
        not_checked(made(sof), NotChecked::Arithmetic);
    }
    for sof in [0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF] {
        not_checked(made(sof), NotChecked::Hierarchical);
    }
    let dhp = [8, 0, 8, 0, 8, 1, 1, 0x11, 0];
    let hierarchical = jpeg::with_segment(&made(0xC0), 0xDE, &dhp);
    not_checked(hierarchical.to_vec(), NotChecked::Hierarchical);
    let five = Made {
        samplings: &[0x11; 5],
        scans: &[&[0, 1, 2, 3], &[4]],
        ..Made::gray(8, 8)
    };
    let five = five.frame_of_scans(&[&scan_of(4), &scan_of(1)]);
    not_checked(five, NotChecked::Components);
}

#[test]
fn samples_of_12_bits_are_checked() {
    // A DC difference of 15 bits, then nothing: 00 and 15 bits, 0; a block is 18 bits.
    let tables = [Made::dht(0x00, &[0, 1], &[15]), Made::dht(0x10, &[1], &[0])].concat();
    let mut frame = Made::gray(16, 8).frame_with(&[&[0; 5]], &[&tables]);
    let sof = frame.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    frame[sof + 1] = 0xC1;
    frame[sof + 4] = 12;
    assert_eq!(verdict(frame.clone()), COMPLETE);
    frame.remove(frame.len() - 3);
    assert_eq!(flaw(frame), Flaw::Truncated);
}

#[test]
fn headers_that_contradict_each_other_are_damage() {
    let gray = Made::gray(8, 8);
    let scan = scan_of(1);
    let two = Made {
        samplings: &[0x11, 0x11],
        ..Made::gray(8, 8)
    };
    let of_scans = |scans, data: &[&[u8]]| Made { scans, ..two }.frame_of_scans(data);
    assert_eq!(
        flaw(of_scans(&[&[0, 5]], &[&scan])),
        Flaw::Header,
        "unknown component"
    );
    assert_eq!(
        flaw(of_scans(&[&[0], &[0, 1]], &[&scan, &scan])),
        Flaw::Header,
        "component in two scans"
    );
    let missing = damage(of_scans(&[&[0]], &[&scan]));
    assert_eq!(
        (missing.flaw, missing.expected_mcus),
        (Flaw::MissingComponent, 1)
    );

    let with = |tables: &[u8]| gray.frame_with(&[&scan], &[tables]);
    let full = Made::dht(0x10, &[2], &[0, 0]);
    let too_full = Made::dht(0x10, &[1, 3], &[0; 4]);
    assert_eq!(verdict(with(&full)), COMPLETE);
    assert_eq!(flaw(with(&too_full)), Flaw::Header, "more codes than bits");
    let header = damage(with(&too_full));
    assert_eq!(
        header.to_string(),
        format!("header at byte {}", header.offset)
    );

    let other_table = Made {
        tables: 0x22,
        ..gray
    };
    assert_eq!(
        flaw(other_table.frame(&scan)),
        Flaw::Header,
        "undefined table"
    );
    let dht = [Made::dht(0x02, &[1], &[0]), Made::dht(0x12, &[0, 1], &[0])].concat();
    // 0 and 00.
    let defined = other_table.frame_with(&[&[0b0001_1111]], &[&dht]);
    assert_eq!(verdict(defined), COMPLETE);
}

#[test]
fn components_with_the_same_identifier_are_taken_in_turn() {
    let mut frame = Made {
        samplings: &[0x22, 0x11, 0x11],
        ..Made::gray(16, 16)
    }
    .frame(&scan_of(6));
    for marker in [0xC0, 0xDA] {
        let at = frame.windows(2).position(|w| w == [0xFF, marker]).unwrap();
        let (first, step) = if marker == 0xC0 {
            (at + 10, 3)
        } else {
            (at + 5, 2)
        };
        for i in 0..3 {
            frame[first + step * i] = 1;
        }
    }
    assert_eq!(verdict(frame), COMPLETE);
}

#[test]
fn bits_that_are_no_code_are_found() {
    // A block is `010`; `1` begins no code of the first table.
    let frame = Made::gray(64, 8).frame(&[0b0100_1011, 0b0110_0000, 0x55, 0x55]);
    let damage = damage(frame);
    assert_eq!(
        (damage.flaw, damage.mcus, damage.expected_mcus),
        (Flaw::BadCode, 2, 8)
    );
}

#[test]
fn block_of_more_than_64_coefficients_is_found() {
    // DC: 0. AC: 0 is a coefficient of one bit after 15 zeros, 10 a run of 16 zeros, 110 the end.
    let tables = [
        Made::dht(0x00, &[1], &[0]),
        Made::dht(0x10, &[1, 1, 1], &[0xF1, 0xF0, 0x00]),
    ]
    .concat();
    let with = |scan: &[u8]| Made::gray(8, 8).frame_with(&[scan], &[&tables]);
    // 3 x 16 coefficients and the end.
    assert_eq!(verdict(with(&[0b0000_0001, 0b1011_1111])), COMPLETE);
    // 4 x 16 and the one of DC are 65.
    assert_eq!(flaw(with(&[0; 4])), Flaw::LongBlock);
    // Zeros alone are harmless: 4 x 16 of them.
    assert_eq!(verdict(with(&[0b0101_0101, 0b0111_1111])), COMPLETE);
    // 1-bit codes of one coefficient each: 63 of them need no end.
    let tables = [
        Made::dht(0x00, &[1], &[0]),
        Made::dht(0x10, &[1, 1], &[0x01, 0x00]),
    ]
    .concat();
    let block = |coefficients| [&[0][..], &[0, 1].repeat(coefficients)].concat();
    let two = [block(63), block(63)].concat();
    let full = Made::gray(16, 8).frame_with(&[&scan_of_bits(&two)], &[&tables]);
    assert_eq!(verdict(full), COMPLETE);
    let less = [block(63), block(62)].concat();
    let less = Made::gray(16, 8).frame_with(&[&scan_of_bits(&less)], &[&tables]);
    assert_eq!(flaw(less), Flaw::Truncated);
}

#[test]
fn size_beyond_the_data_costs_nothing() {
    let made = Made {
        samplings: &[0x44, 0x44, 0x44, 0x44],
        restart_interval: 1,
        ..Made::gray(65535, 65535)
    };
    let damage = damage(made.frame(&[&scan_of(64)[..], &[0xFF, 0xD0]].concat()));
    assert_eq!((damage.flaw, damage.mcus), (Flaw::Truncated, 1));
    assert_eq!(damage.expected_mcus, 2048 * 2048);
}
