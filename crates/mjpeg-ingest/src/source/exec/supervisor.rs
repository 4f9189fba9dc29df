//! Ends the programs when this process is killed.
//!
//! A process that gets SIGKILL cannot end its children, and a signal that the system sends them in
//! its place (`PR_SET_PDEATHSIG`) exists on Linux only, reaches no grandchildren, and comes too
//! soon if the thread that started them ends. So a helper waits at the end of a pipe whose other
//! end is held by this process alone. It is told which process groups there are. When the pipe
//! closes, for whatever reason, it kills them.
//!
//! The helper is `/bin/sh`, one for the whole process. On a system without it, programs outlive a
//! killed relay; so do, on any system, those that leave their process group.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use rustix::process::Pid;

/// Starts the helper, so that it is there before the first program. Blocks for a moment.
pub(super) fn prepare() {
    tell_and_wait(GroupChange::Prepare);
}

/// Kills this group if this process ends before it is [forgotten](forget). Blocks for a moment.
pub(super) fn watch(group: Pid) {
    tell_and_wait(GroupChange::Watch(group));
}

/// The group has been killed. Does not wait.
pub(super) fn forget(group: Pid) {
    // An error means that the system had no thread left; programs go unwatched then.
    let _ = CHANGES.send((GroupChange::Forget(group), None));
}

#[derive(Clone, Copy)]
enum GroupChange {
    Prepare,
    Watch(Pid),
    Forget(Pid),
}

/// Waits until the helper was told, but not for one that hangs.
fn tell_and_wait(change: GroupChange) {
    let (done, is_done) = channel();
    let _ = CHANGES.send((change, Some(done)));
    let _ = is_done.recv_timeout(MOST_WAIT);
}

/// A change, and who waits until it is told.
type Told = (GroupChange, Option<Sender<()>>);

static CHANGES: LazyLock<Sender<Told>> = LazyLock::new(|| {
    let (sender, changes) = channel();
    let thread = thread::Builder::new().name("exec supervisor".into());
    // The thread lives as long as the process.
    let _ = thread.spawn(move || Supervisor::default().run(&changes));
    sender
});

/// What the thread owns.
#[derive(Default)]
struct Supervisor {
    groups: BTreeSet<i32>,
    helper: Option<Child>,
}

impl Supervisor {
    fn run(mut self, changes: &Receiver<Told>) {
        while let Ok((change, waiting)) = changes.recv() {
            let line = match change {
                GroupChange::Prepare => "\n".to_owned(),
                GroupChange::Watch(group) => {
                    let group = group.as_raw_pid();
                    self.groups.insert(group);
                    format!("+ {group}\n")
                }
                GroupChange::Forget(group) => {
                    let group = group.as_raw_pid();
                    self.groups.remove(&group);
                    format!("- {group}\n")
                }
            };
            // A helper that somebody has killed is replaced.
            if self.write(&line).is_err() {
                self.replace_helper();
            }
            if let Some(waiting) = waiting {
                let _ = waiting.send(());
            }
        }
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let pipe = self
            .helper
            .as_mut()
            .and_then(|helper| helper.stdin.as_mut());
        pipe.ok_or(io::ErrorKind::NotConnected)?
            .write_all(line.as_bytes())
    }

    /// Starts a helper and tells it of all groups.
    fn replace_helper(&mut self) {
        if let Some(mut old) = self.helper.take() {
            // So that it does not kill the groups which the new one watches.
            let _ = old.kill();
            let _ = old.wait();
        }
        let helper = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "mjpeg-exec-supervisor"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .env_clear()
            .current_dir("/")
            // A signal to the group of this process, as from a terminal, is not for it.
            .process_group(0)
            .spawn();
        self.helper = helper.ok();
        let all: String = self
            .groups
            .iter()
            .map(|group| format!("+ {group}\n"))
            .collect();
        // An error is met again, and acted on, at the next change.
        let _ = self.write(&all);
    }
}

/// How long a program's start waits for the helper.
const MOST_WAIT: Duration = Duration::from_secs(1);

/// Reads `+ GROUP` and `- GROUP` until the pipe closes, then kills the groups that are left.
const SCRIPT: &str = "\
trap '' HUP INT QUIT TERM PIPE
groups=' '
while read -r change group; do
  case $change in
  +) groups=\"$groups$group \" ;;
  -) groups=\"${groups%% $group *} ${groups#* $group }\" ;;
  esac
done
for group in $groups; do
  kill -s KILL -- \"-$group\" || kill -KILL \"-$group\"
done
";
