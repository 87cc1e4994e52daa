//! The log of the process, which goes into the reports.

use std::io::{self, Write};
use std::mem;
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::filter::LevelFilter;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Keeps the warnings of the process from now on.
pub(crate) fn keep() {
    let log = tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).without_time();
    log.with_ansi(false).with_writer(|| Log).init();
}

/// Returns what has been logged since the last time.
pub(crate) fn take() -> String {
    let log = mem::take(&mut *LOG.lock().unwrap_or_else(PoisonError::into_inner));
    String::from_utf8_lossy(&log).into_owned()
}

/// Returns a log without the space that stands before each level.
pub(crate) fn tidy(log: &str) -> String {
    log.trim().replace("\n WARN ", "\nWARN ")
}

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
