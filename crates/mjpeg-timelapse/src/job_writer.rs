//! Writes the frames of a job.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path};

use crate::{
    durable::open_file,
    error::Error,
    names::{DATA_NAME, INDEX_NAME},
    record::{IndexRecord, RECORD_BYTES},
    recovery::Recovered,
};

/// The files of a job, as far as they are open.
#[derive(Debug, Default)]
pub(crate) struct JobWriter {
    pub(crate) files: Option<JobFiles>,
    /// What the last append has written could not be cut off.
    is_torn: bool,
    pub(crate) is_deleted: bool,
}

#[derive(Debug)]
pub(crate) struct JobFiles {
    index: File,
    data: File,
}

impl JobWriter {
    /// Writes frames behind those that are kept. If that fails, cuts off what was written.
    pub(crate) fn write(
        &mut self,
        folder: &Path,
        kept: &Recovered,
        frames: &[(IndexRecord, &[u8])],
    ) -> Result<(), Error> {
        let files = match self.files.take() {
            Some(files) => files,
            None => JobFiles::open(folder).map_err(Error::io("opening a recording"))?,
        };
        let files = self.files.insert(files);
        if self.is_torn {
            files.cut(kept).map_err(Error::io("mending a recording"))?;
            self.is_torn = false;
        }
        let written = files.write(kept.frames, frames);
        written.map_err(|error| {
            self.is_torn = files.cut(kept).is_err();
            Error::io("keeping a frame")(error)
        })
    }
}

impl JobFiles {
    fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            index: open_file(&folder.join(INDEX_NAME), true)?,
            data: open_file(&folder.join(DATA_NAME), true)?,
        })
    }

    /// A record goes to the disk only when the data is there: who finds one finds the other.
    fn write(&self, number: u64, frames: &[(IndexRecord, &[u8])]) -> io::Result<()> {
        for (record, jpeg) in frames {
            self.data.write_all_at(jpeg, record.offset)?;
        }
        self.data.sync_data()?;
        let records = (number..).zip(frames);
        let records = records.map(|(number, (record, _))| record.encode(number));
        let bytes = records.collect::<Vec<_>>().concat();
        self.index.write_all_at(&bytes, number * RECORD_BYTES)?;
        self.index.sync_data()
    }

    /// Cuts off all that is not kept. No frame may be written before this is done: the record of
    /// one that failed must not be found with the data of the next one.
    fn cut(&self, kept: &Recovered) -> io::Result<()> {
        self.index.set_len(kept.frames * RECORD_BYTES)?;
        self.index.sync_all()?;
        self.data.set_len(kept.data_bytes)?;
        self.data.sync_all()
    }
}
