//! A password that is asked for at the terminal.

use std::io;

/// Asks for a password at the terminal of the process, whatever its standard input is, and does not
/// show what is typed.
///
/// # Errors
///
/// [`Interrupted`](io::ErrorKind::Interrupted) for Ctrl-C; others if there is no terminal.
#[cfg(unix)]
pub(crate) fn ask(prompt: &str) -> io::Result<String> {
    unix::ask(prompt)
}

#[cfg(not(unix))]
pub(crate) fn ask(_prompt: &str) -> io::Result<String> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
mod unix {
    use std::{
        fs::{File, OpenOptions},
        io::{self, BufRead, BufReader, ErrorKind, Write},
    };

    use mjpeg_manager::mjpeg_ingest::escaped;
    use rustix::termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
    };

    pub(super) fn ask(prompt: &str) -> io::Result<String> {
        let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let silent = Silent::new(terminal.try_clone()?)?;
        write!(terminal, "{}: ", escaped(prompt))?;
        let line = read_line(BufReader::new(terminal.try_clone()?));
        drop(silent);
        writeln!(terminal)?;
        String::from_utf8(line?).map_err(|_| io::Error::other("it is not UTF-8"))
    }

    fn read_line(reader: impl BufRead) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        for byte in reader.bytes().take(MOST_BYTES) {
            match byte? {
                b'\n' => return Ok(line),
                CTRL_C => break,
                byte => line.push(byte),
            }
        }
        // Or the terminal has gone.
        Err(ErrorKind::Interrupted.into())
    }

    /// A terminal that shows nothing of what is typed, until this is dropped.
    ///
    /// Ctrl-C ends the line instead of the process, which would leave the terminal like this.
    struct Silent {
        terminal: File,
        before: Termios,
    }

    impl Silent {
        fn new(terminal: File) -> io::Result<Self> {
            let before = tcgetattr(&terminal)?;
            let mut silent = before.clone();
            silent.local_modes -= LocalModes::ECHO | LocalModes::ISIG;
            silent.local_modes |= LocalModes::ICANON;
            silent.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
            tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
            Ok(Self { terminal, before })
        }
    }

    impl Drop for Silent {
        fn drop(&mut self) {
            // The terminal may have gone.
            let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
        }
    }

    const CTRL_C: u8 = 3;
    const MOST_BYTES: usize = 4096;
}
