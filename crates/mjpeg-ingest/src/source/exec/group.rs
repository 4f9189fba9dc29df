//! The process group of a program.

use std::fmt;

use rustix::process::{Pid, Signal, kill_process_group};

use super::supervisor;

/// A program and all its children. Kills them when dropped; if this process is killed before it can
/// do so, the [supervisor] does.
pub(super) struct Group(Pid);

impl Group {
    /// Owns the process group of this leader. Returns `None` if the number is not a process ID.
    pub(super) fn new(leader: u32) -> Option<Self> {
        let group = Pid::from_raw(leader.try_into().ok()?)?;
        supervisor::watch(group);
        Some(Self(group))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // ESRCH is fine: the group is already gone.
        let _ = kill_process_group(self.0, Signal::KILL);
        supervisor::forget(self.0);
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
