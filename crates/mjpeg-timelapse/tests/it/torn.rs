//! Files as they are when the program or the power goes while a frame is written: cut off at any
//! byte, or longer than what was written.

use mjpeg_timelapse::{Error, TimelapseFrame, TimelapseId};

use crate::support::{Home, RECORD_BYTES, assert_frames, frame_of, new_job, only_job, record};

const FRAMES: u64 = 4;

fn frame(number: u64) -> TimelapseFrame {
    frame_of(number, 20 + 9 * number as usize)
}

/// A job of some frames, its files, and where the data of each frame ends.
fn filled() -> (Home, TimelapseId, Vec<u8>, Vec<u8>, Vec<usize>) {
    let home = Home::new();
    let store = home.open();
    let id = new_job(&store);
    let mut ends = vec![0];
    for number in 0..FRAMES {
        store.append(&id, &frame(number)).unwrap();
        ends.push(home.files(&id).1.len());
    }
    let (index, data) = home.files(&id);
    (home, id, index, data, ends)
}

/// With these files, the job has exactly its first frames, whole files, and goes on.
fn assert_recovers(home: &Home, id: &TimelapseId, files: (&[u8], &[u8]), frames: u64, end: usize) {
    home.write_files(id, files.0, files.1);
    let store = home.open();
    assert_frames(&store, id, (0..frames).map(frame));
    let (index, data) = home.files(id);
    assert_eq!(index.len(), frames as usize * RECORD_BYTES);
    assert_eq!(data.len(), end);
    store.append(id, &frame(frames)).unwrap();
    drop(store);
    assert_frames(&home.open(), id, (0..=frames).map(frame));
}

#[test]
fn index_is_as_documented() {
    let (_home, _id, index, data, ends) = filled();
    let frames: Vec<_> = (0..FRAMES).map(frame).collect();
    let jpegs: Vec<u8> = frames.iter().flat_map(|frame| frame.jpeg.clone()).collect();
    assert_eq!(data, jpegs);
    let records = (0..).zip(&frames).zip(&ends);
    let records = records.map(|((number, frame), offset)| record(number, *offset as u64, frame));
    assert_eq!(index, records.collect::<Vec<_>>().concat());
}

/// A frame's data grows by any number of bytes, and then its record does.
#[test]
fn files_torn_at_any_byte_have_the_frames_whose_records_are_whole() {
    let (home, id, index, data, ends) = filled();
    for number in 0..FRAMES as usize {
        let [before, after] = [number, number + 1].map(|count| &index[..count * RECORD_BYTES]);
        for bytes in ends[number]..ends[number + 1] {
            let files = (before, &data[..bytes]);
            assert_recovers(&home, &id, files, number as u64, ends[number]);
        }
        for bytes in before.len()..after.len() {
            let files = (&index[..bytes], &data[..ends[number + 1]]);
            assert_recovers(&home, &id, files, number as u64, ends[number]);
        }
        let files = (after, &data[..ends[number + 1]]);
        assert_recovers(&home, &id, files, number as u64 + 1, ends[number + 1]);
    }
}

/// After a power cut, a file may have its new length and not its new bytes.
#[test]
fn tails_that_were_never_written_are_cut_off() {
    let (home, id, index, data, ends) = filled();
    let kept = FRAMES as usize - 1;
    let before = &index[..kept * RECORD_BYTES];
    for filler in [0, 0xFF, 0x55] {
        for written in 0..RECORD_BYTES {
            let mut torn = index[..before.len() + written].to_vec();
            torn.resize(index.len(), filler);
            if torn != index {
                assert_recovers(&home, &id, (&torn, &data), kept as u64, ends[kept]);
            }
        }
        let torn = [&data[..ends[kept]], &[filler; 100]].concat();
        assert_recovers(&home, &id, (before, &torn), kept as u64, ends[kept]);
    }
    // The record came to the disk, and its data did not.
    for bytes in ends[kept]..ends[kept + 1] {
        let files = (&index[..], &data[..bytes]);
        assert_recovers(&home, &id, files, kept as u64, ends[kept]);
    }
}

/// A record that is damaged later costs its own frame.
#[test]
fn damaged_record_costs_its_frame_alone() {
    let (home, id, index, data, _) = filled();
    for place in 0..index.len() - RECORD_BYTES {
        let number = (place / RECORD_BYTES) as u64;
        let mut damaged = index.clone();
        damaged[place] ^= 0x10;
        home.write_files(&id, &damaged, &data);
        let store = home.open();
        assert_eq!(only_job(&store).frames, FRAMES);
        for other in 0..FRAMES {
            match store.frame(&id, other) {
                Ok(kept) => assert!(other != number && kept == frame(other)),
                Err(Error::DamagedFrame { number: n }) => assert_eq!((n, other), (number, number)),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn damaged_picture_costs_its_frame_alone() {
    let (home, id, index, data, ends) = filled();
    for place in 0..data.len() {
        let mut damaged = data.clone();
        damaged[place] ^= 1;
        home.write_files(&id, &index, &damaged);
        let store = home.open();
        for number in 0..FRAMES {
            let is_hit = (ends[number as usize]..ends[number as usize + 1]).contains(&place);
            assert_eq!(store.frame(&id, number).is_err(), is_hit);
        }
    }
}

/// A disk that has lost more than an append can leave unfinished: nothing is cut off.
#[test]
fn job_goes_on_behind_what_a_disk_has_lost() {
    let (home, id, index, data, _) = filled();
    let mut lost = index.clone();
    lost[2 * RECORD_BYTES..].fill(0);
    home.write_files(&id, &lost, &data);
    let store = home.open();
    assert_eq!(only_job(&store).frames, FRAMES);
    assert_eq!(store.append(&id, &frame(9)).unwrap().number, FRAMES);
    drop(store);
    let store = home.open();
    for number in [0, 1] {
        assert_eq!(store.frame(&id, number).unwrap(), frame(number));
    }
    for number in [2, 3] {
        assert!(matches!(
            store.frame(&id, number),
            Err(Error::DamagedFrame { .. })
        ));
    }
    assert_eq!(store.frame(&id, FRAMES).unwrap(), frame(9));
    assert!(home.files(&id).1.starts_with(&data));
}
