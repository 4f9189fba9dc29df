//! The figures of the process, by the names that all Prometheus clients use.

use std::fmt;

use super::families::Families;

/// A reading of what the kernel knows of this process.
#[derive(Debug, PartialEq)]
pub(super) struct ProcessReading {
    cpu_seconds: f64,
    resident_bytes: u64,
    virtual_bytes: u64,
    threads: u64,
    open_fds: u64,
    /// `None` without a limit.
    max_fds: Option<u64>,
    /// Since 1970.
    start_seconds: f64,
}

impl ProcessReading {
    /// Reads it. `None` if `/proc` is missing or not as expected.
    #[cfg(target_os = "linux")]
    pub(super) fn now() -> Option<Self> {
        linux::read()
    }

    /// Not known on other systems.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn now() -> Option<Self> {
        None
    }

    pub(super) fn encode(&self, families: &mut Families<'_>) -> fmt::Result {
        families.counters(
            "process_cpu_seconds",
            "Processor time that the process has used.",
            [([], self.cpu_seconds)],
        )?;
        families.gauges(
            "process_resident_memory_bytes",
            "Resident memory of the process.",
            [([], self.resident_bytes)],
        )?;
        families.gauges(
            "process_virtual_memory_bytes",
            "Virtual memory of the process.",
            [([], self.virtual_bytes)],
        )?;
        families.gauges(
            "process_threads",
            "Threads of the process.",
            [([], self.threads)],
        )?;
        families.gauges(
            "process_open_fds",
            "Open file descriptors; each connection takes one.",
            [([], self.open_fds)],
        )?;
        families.gauges(
            "process_max_fds",
            "How many file descriptors the process may open.",
            self.max_fds.map(|most| ([], most)),
        )?;
        families.gauges(
            "process_start_time_seconds",
            "When the process started, in seconds since 1970.",
            [([], self.start_seconds)],
        )
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{fs, io};

    use nix::unistd::{SysconfVar, sysconf};

    use super::ProcessReading;

    pub(super) fn read() -> Option<ProcessReading> {
        let read = |file: &str| fs::read_to_string(file).ok();
        let ticks = sysconf(SysconfVar::CLK_TCK).ok()?? as f64;
        let page_bytes = sysconf(SysconfVar::PAGE_SIZE).ok()??;
        let stat = Stat::parse(&read("/proc/self/stat")?)?;
        let boot_seconds: u64 = value(&read("/proc/stat")?, "btime ")?.parse().ok()?;
        let limits = read("/proc/self/limits")?;
        Some(ProcessReading {
            cpu_seconds: stat.cpu_ticks as f64 / ticks,
            resident_bytes: stat.resident_pages * u64::try_from(page_bytes).ok()?,
            virtual_bytes: stat.virtual_bytes,
            threads: stat.threads,
            open_fds: open_fds().ok()?,
            max_fds: value(&limits, "Max open files")
                .and_then(|limit| limit.split_whitespace().next()?.parse().ok()),
            start_seconds: boot_seconds as f64 + stat.start_ticks as f64 / ticks,
        })
    }

    /// What `/proc/self/stat` says: see proc_pid_stat(5).
    #[derive(Debug, PartialEq)]
    struct Stat {
        cpu_ticks: u64,
        threads: u64,
        /// After boot.
        start_ticks: u64,
        virtual_bytes: u64,
        resident_pages: u64,
    }

    impl Stat {
        fn parse(stat: &str) -> Option<Self> {
            // The second field is the program's name in brackets, which may hold anything.
            let (_, fields) = stat.rsplit_once(") ")?;
            let fields: Vec<&str> = fields.split(' ').collect();
            let field = |number: usize| fields.get(number - 3)?.parse().ok();
            Some(Self {
                cpu_ticks: field(14)? + field(15)?,
                threads: field(20)?,
                start_ticks: field(22)?,
                virtual_bytes: field(23)?,
                resident_pages: field(24)?,
            })
        }
    }

    fn open_fds() -> io::Result<u64> {
        // Linux 6.2 and later tell the number as the folder's size. Counting 20,000 entries would
        // hold up viewers.
        match fs::metadata("/proc/self/fd")?.len() {
            0 => Ok(fs::read_dir("/proc/self/fd")?.count() as u64),
            count => Ok(count),
        }
    }

    /// The rest of the line that begins with this.
    fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
        text.lines().find_map(|line| line.strip_prefix(key))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn stat_is_read_whatever_the_program_is_called() {
            let fields = "S 1 2 3 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 4 0 777 1000000 300 0 0";
            let stat = Stat {
                cpu_ticks: 200,
                threads: 4,
                start_ticks: 777,
                virtual_bytes: 1_000_000,
                resident_pages: 300,
            };
            assert_eq!(Stat::parse(&format!("42 (a) 1 (b) {fields}")), Some(stat));
            assert_eq!(Stat::parse("42 (a) S 1 2"), None);
        }

        #[test]
        fn this_process_has_figures() {
            let before = read().unwrap();
            let open = || fs::File::open("/proc/self/stat").unwrap();
            let files: Vec<fs::File> = (0..100).map(|_| open()).collect();
            let reading = read().unwrap();
            drop(files);
            // Tests beside this one may open and close some.
            let more = reading.open_fds.saturating_sub(before.open_fds);
            assert!(
                (90..110).contains(&more),
                "{more} of 100 files: {reading:?}"
            );
            assert!(reading.max_fds.is_none_or(|most| most > reading.open_fds));
            assert!(reading.resident_bytes > 100_000, "{reading:?}");
            assert!(reading.virtual_bytes > reading.resident_bytes);
            assert!(reading.start_seconds > 1.7e9, "{reading:?}");
            assert!(reading.cpu_seconds >= before.cpu_seconds);
            assert!(reading.threads > 0);
        }
    }
}
