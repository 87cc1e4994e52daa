//! The process that the console shows.

use crate::tick::unix_milliseconds;
use serde::Serialize;
use std::hash::{BuildHasher, RandomState};

/// The process, and the run of its console. `openapi.json` describes the fields.
#[derive(Debug, Serialize)]
pub(crate) struct Process {
    service: String,
    host: String,
    pid: u32,
    /// The time when the console was made, in milliseconds since 1970.
    started: u64,
    /// A random number in hexadecimal digits. Another run has another one, and begins its history anew.
    run: String,
}

impl Process {
    /// Describes this process. Without a name of the service, it has that of its executable.
    pub(crate) fn new(service: Option<String>) -> Self {
        Self {
            service: service.or_else(executable).unwrap_or_else(|| "unnamed".to_owned()),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            pid: std::process::id(),
            started: unix_milliseconds(),
            // `RandomState` has keys that the system draws at random.
            run: format!("{:016x}", RandomState::new().hash_one(0)),
        }
    }
}

fn executable() -> Option<String> {
    let path = std::env::current_exe().ok()?;
    Some(path.file_stem()?.to_string_lossy().into_owned())
}
