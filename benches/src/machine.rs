//! The machine and the software of a run.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The crates whose versions the report names.
const CRATES: [&str; 5] = ["tokio", "mea", "async-lock", "tower", "sentinel-core"];

/// The facts that a reader needs to compare one run with another.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The processor's model.
    pub processor: String,
    /// The number of threads that can run at once.
    pub cores: usize,
    /// Operating system and architecture.
    pub system: String,
    /// The day in UTC.
    pub date: String,
    /// The kind of locks inside tokio's semaphore.
    pub tokio_lock: &'static str,
    /// The crates of the tables, and their versions.
    pub versions: Vec<(&'static str, String)>,
}

impl Machine {
    /// Describes this machine, now.
    #[must_use]
    pub fn here() -> Self {
        let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = processor
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("unknown", |(_, name)| name);
        let tokio_lock = if cfg!(feature = "tokio-parking-lot") {
            "parking_lot (feature `tokio-parking-lot`)"
        } else {
            "std (tokio's features: rt-multi-thread, sync, time)"
        };
        Self {
            processor: processor.to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            date: date(SystemTime::now()),
            tokio_lock,
            versions: CRATES.map(|name| (name, version(name))).to_vec(),
        }
    }
}

/// Returns the version of a crate in the lock file this program was built with.
#[must_use]
pub fn version(name: &str) -> String {
    let lock = include_str!("../../Cargo.lock");
    let heading = format!("name = \"{name}\"");
    let mut lines = lock.lines().skip_while(|line| *line != heading).skip(1);
    let version = lines.next().and_then(|line| line.strip_prefix("version = "));
    version.map_or_else(|| "unknown".to_owned(), |version| version.trim_matches('"').to_owned())
}

/// Returns the target directory that this program was built into, which cargo has marked, or else the directory for
/// temporary files.
#[must_use]
pub fn target_directory() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let marked = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    marked.map_or_else(std::env::temp_dir, Path::to_path_buf)
}

/// Returns year, month and day in UTC. Days are counted from 1 March of the year 0, in eras of 400
/// years, so that a leap day is the last day of its year.
fn date(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let after = |days: u64| date(UNIX_EPOCH + Duration::from_secs(days * 86_400));
        assert_eq!(after(0), "1970-01-01");
        assert_eq!(after(11_016), "2000-02-29");
        assert_eq!(after(11_017), "2000-03-01");
        assert_eq!(after(20_453), "2025-12-31");
    }

    #[test]
    fn versions_come_from_the_lock_file() {
        assert!(version("tokio").starts_with("1."));
        assert_eq!(version("no such crate"), "unknown");
    }
}
