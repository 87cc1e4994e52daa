//! The thread of a watch: looks at the file again and again, and applies its edits.

use crate::config::Config;
use crate::error::ConfigError;
use crate::log::{self, Misspelt};
use crate::watcher::Shared;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// The number of looks at a file that has changed, until it stays as it is, and the time between them.
const LOOKS: usize = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

pub(crate) type Parse = dyn Fn(&str) -> Result<Config, ConfigError> + Send + Sync;

/// The content of the file, or the message of the error: to be compared with what is read at another time.
type Text = Result<String, String>;

/// The file of a watch, and how it is read.
pub(crate) struct WatchedFile {
    pub(crate) path: PathBuf,
    pub(crate) parse: Arc<Parse>,
    pub(crate) read: fn(&Path) -> Result<String, ConfigError>,
}

/// Applies the edits of a file.
pub(crate) struct Follower {
    file: WatchedFile,
    /// The content at the last look.
    seen: Text,
    /// The version in force.
    config: Config,
    misspelt: Misspelt,
    shared: Arc<Shared>,
}

impl Follower {
    /// Makes a follower of a file with that content, which `config` was read from.
    pub(crate) fn new(
        file: WatchedFile,
        seen: String,
        config: Config,
        shared: Arc<Shared>,
    ) -> Self {
        Self { file, seen: Ok(seen), config, misspelt: Misspelt::new(), shared }
    }

    /// Looks at the file once in each interval, until `ended` is disconnected.
    pub(crate) fn run(mut self, interval: Duration, ended: &Receiver<()>) {
        while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
            self.look();
            // The log is foreign code, and must not end the watch.
            drop(catch_unwind(AssertUnwindSafe(|| {
                self.misspelt.look(&self.file.path, &self.config);
            })));
        }
    }

    /// Applies the file if it has changed.
    fn look(&mut self) {
        let Some(read) = self.read_anew() else { return };
        self.seen = comparable(&read);
        let config = read.and_then(|text| {
            // An empty file is rather the fault of a program or a disk than the wish to give all settings up.
            if is_blank(&text) {
                Err(ConfigError::empty())
            } else {
                self.parse(&text).map(|config| config.watched(&self.file.path, &self.shared))
            }
        });
        let applied = self.shared.run_unless_over(|| {
            let config = config?;
            // The panic of a waker is not an error of the file. The panic hook has reported it.
            let (applied, _panicked) = config.apply_all()?;
            Ok((applied, config))
        });
        let Some(applied) = applied else { return };
        let result = applied.map(|(applied, config)| {
            (self.config, self.misspelt) = (config, Misspelt::new());
            applied
        });
        let path = &self.file.path;
        let result = result.map_err(|error: ConfigError| error.in_file(path));
        drop(catch_unwind(AssertUnwindSafe(|| log::edited(path, &result))));
        self.shared.store(result);
    }

    /// Reads the file. Returns its content if it has changed, and is not being written.
    fn read_anew(&self) -> Option<Result<String, ConfigError>> {
        let read_once = || (self.file.read)(&self.file.path);
        let mut read = read_once();
        // A file that was removed has changed, too.
        if self.seen == comparable(&read) {
            return None;
        }
        let has_nothing =
            |read: &Result<String, ConfigError>| read.as_ref().is_ok_and(|text| is_blank(text));
        // A program may be in the middle of writing the file, so wait until two looks find the same.
        let mut same = 0;
        for _ in 0..LOOKS {
            thread::sleep(BETWEEN_LOOKS);
            let before = std::mem::replace(&mut read, read_once());
            same = if comparable(&before) == comparable(&read) { same + 1 } else { 0 };
            if same > 0 && !has_nothing(&read) {
                break;
            }
        }
        // A program that has emptied the file may be about to write it. It has changed if it stays empty.
        let is_written = !has_nothing(&read) || same == LOOKS;
        (is_written && self.seen != comparable(&read)).then_some(read)
    }

    /// Calls the user's function, which must not end the watch.
    fn parse(&self, text: &str) -> Result<Config, ConfigError> {
        let config = catch_unwind(AssertUnwindSafe(|| (self.file.parse)(text)));
        config.unwrap_or_else(|_| Err(ConfigError::parse("reading it panicked")))
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn comparable(read: &Result<String, ConfigError>) -> Text {
    match read {
        Ok(text) => Ok(text.clone()),
        Err(error) => Err(error.to_string()),
    }
}
