//! Oracles shared by fuzz targets and the replay tests. Each panics if its promise does not hold.

use crate::{
    job_file::JobFile,
    limits::{JOB_BYTES, MAX_BATCH_FRAMES, MAX_FRAME_BYTES},
    record::{IndexRecord, IndexWindow, RECORD_BYTES},
    recovery::recover,
};

/// For any `job.json`: it is refused with one line of text, or its settings are within bounds, and
/// it is the same when it is written and read again. For any index and any length of the data: at
/// most one record and one frame's data are cut off, or those of one batch if there are batches; no
/// record that can be used is, and a second recovery finds the same.
///
/// If the first byte is even, the others are a `job.json`. If it is odd, the job has batches if
/// half of it is odd, too; the next four are the length of the data, and after that, eight bytes
/// describe each record: what is wrong with it, its offset if that is wrong, and its length. Bytes
/// that are left over are a torn record.
pub fn timelapse_files(data: &[u8]) {
    match data {
        [kind, file @ ..] if kind % 2 == 0 => job_file(file),
        [kind, a, b, c, d, records @ ..] => {
            let has_batches = kind / 2 % 2 == 1;
            index(u32::from_le_bytes([*a, *b, *c, *d]), records, has_batches);
        }
        _ => {}
    }
}

fn job_file(bytes: &[u8]) {
    match JobFile::parse(bytes) {
        Ok(file) => {
            file.spec().check().expect("what was read is within bounds");
            let printed = file.print();
            assert!(printed.len() as u64 <= JOB_BYTES);
            let again = JobFile::parse(&printed).expect("what was printed is read");
            assert_eq!(again, file);
        }
        Err(damage) => assert!(!damage.line().contains(char::is_control)),
    }
}

fn index(data_bytes: u32, descriptions: &[u8], has_batches: bool) {
    let data_bytes = u64::from(data_bytes);
    let mut index = Vec::new();
    let mut end = 0;
    let records = descriptions.chunks_exact(8);
    let torn = records.remainder();
    for (number, description) in (0..).zip(records) {
        let record = describe(number, end, description);
        // The same check as in the crate, so that the next record can begin at its end.
        end = IndexRecord::decode(number, &record).map_or(end, |record| record.end());
        index.extend(record);
    }
    let whole = index.len() as u64 / RECORD_BYTES;
    index.extend(torn);
    check(&index, whole, data_bytes, has_batches);
}

fn check(index: &[u8], whole: u64, data_bytes: u64, has_batches: bool) {
    let kept = recover(&index, index.len() as u64, data_bytes, has_batches);
    let kept = kept.expect("memory can be read").expect("few records");
    let most_torn = if has_batches { MAX_BATCH_FRAMES } else { 1 };
    assert!(kept.frames <= whole && kept.frames + most_torn as u64 >= whole);
    assert!(kept.data_bytes <= data_bytes);
    assert!(data_bytes - kept.data_bytes <= MAX_FRAME_BYTES as u64);
    let mut window = IndexWindow::default();
    let mut usable = |number| {
        let record = window.get(&index, number).expect("memory can be read");
        record.filter(|record| record.end() <= data_bytes)
    };
    let mut cut = kept.frames..whole;
    assert!(
        cut.all(|number| usable(number).is_none()),
        "what is cut is of no use"
    );
    if let Some(last) = kept.frames.checked_sub(1) {
        let last = usable(last);
        assert!(last.is_none_or(|last| last.end() <= kept.data_bytes));
        assert_eq!(last.map(|last| last.at_us), kept.last_us);
    }
    let left = kept.frames * RECORD_BYTES;
    let again = recover(&&index[..left as usize], left, kept.data_bytes, has_batches);
    assert_eq!(again.expect("memory can be read"), Some(kept));
}

/// Makes a record: in order, in a wrong place, with a wrong number, or of one byte repeated.
fn describe(number: u64, end: u64, description: &[u8]) -> [u8; RECORD_BYTES as usize] {
    let [fault, place, shift, length @ ..] = description else {
        return [0; _];
    };
    let wrong_place = u64::from(*place) << (shift % 64);
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&length[..4]);
    let record = IndexRecord {
        offset: if fault % 4 == 1 { wrong_place } else { end },
        at_us: wrong_place,
        length: u32::from_le_bytes(bytes),
        width: 640,
        height: 480,
        jpeg_crc: u32::from(*place),
    };
    match fault % 4 {
        2 => record.encode(number + 1),
        3 => [*place; _],
        _ => record.encode(number),
    }
}
