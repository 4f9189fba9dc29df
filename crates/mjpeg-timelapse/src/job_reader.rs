//! Reads the frames of a job.

use std::{fs::File, io, path::Path};

use bytes::Bytes;

use crate::{
    clock::time,
    durable::open_file,
    frame::TimelapseFrame,
    names::{DATA_NAME, INDEX_NAME},
    read_at::read_full_at,
    record::{IndexRecord, IndexWindow},
};

/// The open files of a job. They can be read even after the job was deleted.
#[derive(Debug)]
pub(crate) struct JobReader {
    index: File,
    data: File,
    window: IndexWindow,
}

impl JobReader {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            index: open_file(&folder.join(INDEX_NAME), false)?,
            data: open_file(&folder.join(DATA_NAME), false)?,
            window: IndexWindow::default(),
        })
    }

    /// Returns the record of a frame, or `None` if it is damaged.
    pub(crate) fn record(&mut self, number: u64) -> io::Result<Option<IndexRecord>> {
        self.window.get(&self.index, number)
    }

    /// Returns the frame of a record, or `None` if it is damaged, or on a bad part of the disk.
    pub(crate) fn frame(&self, record: &IndexRecord) -> Option<TimelapseFrame> {
        let mut jpeg = vec![0; record.length as usize];
        let read = read_full_at(&self.data, &mut jpeg, record.offset).ok()?;
        if read != jpeg.len() || crc32fast::hash(&jpeg) != record.jpeg_crc {
            return None;
        }
        let at = time(record.at_us);
        let jpeg = Bytes::from(jpeg);
        Some(TimelapseFrame::new(jpeg, at, record.width, record.height))
    }
}
