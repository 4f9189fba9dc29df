//! The processes of a browser, from `/proc`: their memory and CPU time.

use std::{collections::HashMap, fs, iter::successors, time::Duration};

use kit::proc;

use crate::engine::Engine;

/// All processes that descend from one, with it.
pub(crate) struct Family(Vec<Process>);

impl Family {
    /// Those of the driver `root` now.
    pub(crate) fn of(root: u32) -> Self {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let all: HashMap<u32, Process> = ids
            .filter_map(|id| Some((id, Process::read(id)?)))
            .collect();
        let belongs = |id: u32| {
            let parents = successors(Some(id), |id| all.get(id).map(|it| it.parent));
            // Bounded, because processes read at different moments could form a circle.
            parents.take(64).any(|id| id == root)
        };
        let mut ids: Vec<u32> = all.keys().copied().filter(|id| belongs(*id)).collect();
        ids.sort_unstable();
        let mut all = all;
        Self(ids.iter().filter_map(|id| all.remove(id)).collect())
    }

    /// Those that run pages rather than the browser itself.
    pub(crate) fn pages(&self, engine: Engine) -> impl Iterator<Item = &Process> {
        let runs = move |process: &&Process| engine.runs_pages(&process.command_line);
        self.0.iter().filter(runs)
    }

    /// The memory of the processes that run pages. Shared memory counts in each.
    pub(crate) fn pages_mib(&self, engine: Engine) -> u64 {
        let kib = self.pages(engine).map(|process| process.resident_kib);
        kib.sum::<u64>() / 1024
    }

    /// The CPU time of all.
    pub(crate) fn cpu(&self) -> Duration {
        self.0.iter().map(Process::cpu).sum()
    }
}

pub(crate) struct Process {
    id: u32,
    parent: u32,
    command_line: String,
    resident_kib: u64,
}

impl Process {
    fn read(id: u32) -> Option<Self> {
        let line = fs::read(format!("/proc/{id}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        Some(Self {
            id,
            parent: u32::try_from(proc::status(id, "PPid:").ok()?).ok()?,
            command_line: line.trim_end().to_owned(),
            // Kernel threads have no memory of their own.
            resident_kib: proc::status(id, "VmRSS:").unwrap_or_default(),
        })
    }

    /// Its CPU time so far; none if it has ended.
    pub(crate) fn cpu(&self) -> Duration {
        proc::cpu_time(self.id).unwrap_or_default()
    }

    /// The CPU time of its first thread, on which a page's scripts run.
    pub(crate) fn main_thread_cpu(&self) -> Duration {
        proc::thread_cpu_time(self.id, self.id).unwrap_or_default()
    }
}
