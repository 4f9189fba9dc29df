//! Frames that are kept several at once.

use mjpeg_timelapse::{
    Error, TimelapseFrame, TimelapseId, TimelapseRefusal, TimelapseSpec, TimelapseStore,
};

use crate::support::{
    Home, RECORD_BYTES, assert_frames, frame_of, new_job, noon, only_job, picture,
};

/// Frames that were kept one by one, and frames of the batch after them.
const ALONE: u64 = 2;
const BATCH: u64 = 4;
const ALL: u64 = ALONE + BATCH;

fn frame(number: u64) -> TimelapseFrame {
    frame_of(number, 20 + 9 * number as usize)
}

fn frames(numbers: std::ops::Range<u64>) -> Vec<TimelapseFrame> {
    numbers.map(frame).collect()
}

/// A job with a batch, its files, and how long the data before the batch is.
fn filled() -> (Home, TimelapseId, Vec<u8>, Vec<u8>, usize) {
    let home = Home::new();
    let store = home.open();
    let id = new_job(&store);
    for frame in frames(0..ALONE) {
        store.append(&id, &frame).unwrap();
    }
    let before = home.files(&id).1.len();
    store.append_all(&id, &frames(ALONE..ALL)).unwrap();
    let (index, data) = home.files(&id);
    (home, id, index, data, before)
}

/// With these files, the job has exactly its first frames, whole files, and goes on.
fn assert_recovers(home: &Home, id: &TimelapseId, files: (&[u8], &[u8]), kept: u64) {
    home.write_files(id, files.0, files.1);
    let store = home.open();
    assert_frames(&store, id, frames(0..kept));
    let (index, data) = home.files(id);
    assert_eq!(index.len(), kept as usize * RECORD_BYTES);
    let bytes: usize = frames(0..kept).iter().map(|frame| frame.jpeg.len()).sum();
    assert_eq!(data.len(), bytes);
    store.append_all(id, &frames(kept..kept + 2)).unwrap();
    drop(store);
    assert_frames(&home.open(), id, frames(0..kept + 2));
}

#[test]
fn batch_is_kept_behind_what_there_is() {
    let home = Home::new();
    let store = home.open();
    let spec = TimelapseSpec::new("garage").with_max_frames(6);
    let id = store.create(&spec, noon()).unwrap().id;
    assert_eq!(store.append_all(&id, &[]).unwrap(), None);
    store.append(&id, &picture(0)).unwrap();
    let batch: Vec<_> = (1..4).map(picture).collect();
    let kept = store.append_all(&id, &batch).unwrap().unwrap();
    assert_eq!((kept.number, kept.is_last), (3, false));
    let too_many: Vec<_> = (4..7).map(picture).collect();
    let refused = store.append_all(&id, &too_many);
    assert!(matches!(refused, Err(Error::JobFull { frames: 4 })));
    let kept = store.append_all(&id, &too_many[..2]).unwrap().unwrap();
    assert_eq!((kept.number, kept.is_last), (5, true));
    let figures = store.figures();
    assert_eq!(
        (figures.kept, figures.refused(TimelapseRefusal::JobFull)),
        (6, 3)
    );
    let job = only_job(&store);
    assert_eq!((job.refused, job.bytes), (3, figures.used_bytes));
    store.finish(&id, "end", noon()).unwrap();
    drop(store);
    assert_frames(&home.open(), &id, (0..6).map(picture));
}

/// The data of a batch grows by any number of bytes, and then its records do.
#[test]
fn batch_torn_at_any_byte_has_the_frames_whose_records_are_whole() {
    let (home, id, index, data, before) = filled();
    let old = ALONE as usize * RECORD_BYTES;
    for bytes in before..data.len() {
        assert_recovers(&home, &id, (&index[..old], &data[..bytes]), ALONE);
    }
    for bytes in old..=index.len() {
        let whole = (bytes / RECORD_BYTES) as u64;
        assert_recovers(&home, &id, (&index[..bytes], &data), whole);
    }
}

/// After a power cut, a file may have its new length and not its new bytes.
#[test]
fn records_that_were_never_written_are_cut_off() {
    let (home, id, index, data, _) = filled();
    for filler in [0, 0xFF, 0x55] {
        for written in ALONE as usize * RECORD_BYTES..index.len() {
            let mut torn = index.clone();
            torn[written..].fill(filler);
            let mut whole = (written / RECORD_BYTES) as u64;
            // The filler may be what was to be written.
            while (whole as usize + 1) * RECORD_BYTES <= index.len()
                && torn[..(whole as usize + 1) * RECORD_BYTES]
                    == index[..(whole as usize + 1) * RECORD_BYTES]
            {
                whole += 1;
            }
            assert_recovers(&home, &id, (&torn, &data), whole);
        }
    }
}

/// The pages of a file come to the disk in any order.
#[test]
fn frames_before_a_batch_stay_whatever_comes_of_it() {
    let (home, id, index, data, _) = filled();
    for lost in ALONE..ALL - 1 {
        let mut torn = index.clone();
        torn[lost as usize * RECORD_BYTES..][..RECORD_BYTES].fill(0);
        home.write_files(&id, &torn, &data);
        let store = home.open();
        assert_eq!(only_job(&store).frames, ALL);
        for number in 0..ALL {
            match store.frame(&id, number) {
                Ok(kept) => assert!(number != lost && kept == frame(number)),
                Err(error) => assert!(number == lost, "{error}"),
            }
        }
    }
}

/// Once a job has ended, no batch can be torn: what is wrong is the disk's doing.
#[test]
fn nothing_is_cut_off_a_job_that_has_ended() {
    let (home, id, index, data, _) = filled();
    home.open().finish(&id, "end", noon()).unwrap();
    let mut lost = index.clone();
    lost[ALONE as usize * RECORD_BYTES..].fill(0);
    home.write_files(&id, &lost, &data);
    assert_eq!(only_job(&home.open()).frames, ALL);
    assert_eq!(home.files(&id), (lost, data));
}

#[test]
fn batch_has_up_to_64_frames_and_64_mib() {
    let home = Home::new();
    let store = home.open();
    let id = new_job(&store);
    assert_eq!(TimelapseStore::MAX_BATCH_FRAMES, 64);
    let many = frames(0..65);
    let refused = store.append_all(&id, &many);
    assert!(matches!(
        refused,
        Err(Error::BatchLength { frames: 65, .. })
    ));
    store.append_all(&id, &many[..64]).unwrap();
    let half = vec![1; TimelapseStore::MAX_FRAME_BYTES / 2];
    let half = TimelapseFrame::new(half.into(), noon(), 1, 1);
    let more = TimelapseFrame::new(vec![1; half.jpeg.len() + 1].into(), noon(), 1, 1);
    let refused = store.append_all(&id, &[half.clone(), more]);
    assert!(matches!(refused, Err(Error::BatchLength { frames: 2, .. })));
    let short = TimelapseFrame::new(vec![1; 7].into(), noon(), 1, 1);
    let refused = store.append_all(&id, &[half.clone(), short]);
    assert!(matches!(refused, Err(Error::FrameLength { bytes: 7 })));
    let refused = store.figures().refused(TimelapseRefusal::FrameLength);
    assert_eq!(refused, 65 + 2 + 2);
    store
        .append_all(&id, &[half.clone(), half.clone()])
        .unwrap();
    drop(store);
    let all = many[..64].iter().cloned().chain([half.clone(), half]);
    assert_frames(&home.open(), &id, all);
}
