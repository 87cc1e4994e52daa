//! A file whose edits take effect.

use super::{Applied, Config, ConfigError};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often the file is looked at, if nothing else is said.
const INTERVAL: Duration = Duration::from_secs(2);

/// How often, and after how long, a file that has changed is looked at until it stays as it is.
const LOOKS: usize = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

type Parse = dyn Fn(&str) -> Result<Config, ConfigError> + Send + Sync;

/// A file that is to be watched: see [`Config::watch`].
#[must_use = "nothing is read until `start()`"]
pub struct Watch {
    path: PathBuf,
    interval: Duration,
    parse: Arc<Parse>,
}

/// Watches a file until it is dropped. What has been applied stays.
#[derive(Debug)]
#[must_use = "dropping it ends the watch"]
pub struct Watcher {
    path: PathBuf,
    seen: Arc<Mutex<Seen>>,
    // Dropping it ends the thread.
    _end: Sender<()>,
}

/// What has come of the file.
#[derive(Debug)]
struct Seen {
    text: Option<String>,
    applied: Applied,
    error: Option<Arc<ConfigError>>,
}

impl Config {
    /// Applies a TOML file, now and after each edit.
    ///
    /// A thread looks at it every two seconds, or as often as [`interval`](Watch::interval) says. An edit
    /// that cannot be applied changes nothing: the settings stay as they were, why is logged as an error
    /// (feature `tracing`) and shown by [`Watcher::error`]. So does a file that is gone.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use limit_runtime::config::{Config, ConfigError};
    ///
    /// fn main() -> Result<(), ConfigError> {
    ///     let _watcher = Config::watch("limits.toml").start()?; // until the end of `main`
    ///     // ...
    ///     Ok(())
    /// }
    /// ```
    pub fn watch(path: impl Into<PathBuf>) -> Watch {
        Watch { path: path.into(), interval: INTERVAL, parse: Arc::new(Config::from_toml) }
    }
}

impl Watch {
    /// How often the file is looked at.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// What the file is written in, if it is not TOML.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use limit_runtime::config::Config;
    ///
    /// let watch = Config::watch("limits.json").format(|text| serde_json::from_str(text));
    /// # let _ = watch;
    /// ```
    pub fn format<E: fmt::Display>(
        mut self,
        parse: impl Fn(&str) -> Result<Config, E> + Send + Sync + 'static,
    ) -> Self {
        self.parse = Arc::new(move |text| parse(text).map_err(ConfigError::parse));
        self
    }

    /// Reads and applies the file, and watches it from then on.
    ///
    /// # Errors
    ///
    /// If it cannot be read or applied now. Then nothing has been applied, and it is not watched.
    pub fn start(self) -> Result<Watcher, ConfigError> {
        let text = read_file(&self.path)?;
        let applied = self.apply(&text)?;
        let seen = Arc::new(Mutex::new(Seen { text: Some(text), applied, error: None }));
        let (end, ended) = mpsc::channel();
        let path = self.path.clone();
        let watched = Arc::clone(&seen);
        let thread = thread::Builder::new().name("limits".to_owned());
        thread
            .spawn(move || {
                while ended.recv_timeout(self.interval) == Err(RecvTimeoutError::Timeout) {
                    self.look(&watched);
                }
            })
            .map_err(|error| ConfigError::read(error).of_file(&path))?;
        Ok(Watcher { path, seen, _end: end })
    }

    fn apply(&self, text: &str) -> Result<Applied, ConfigError> {
        let applied = (self.parse)(text).and_then(Config::apply);
        applied.map_err(|error| error.of_file(&self.path))
    }

    /// Whether there is something new, and what comes of it.
    fn look(&self, seen: &Mutex<Seen>) {
        let mut read = read_file(&self.path);
        // A file that is gone is one that was edited.
        if lock(seen).text.as_deref() == read.as_deref().ok() {
            return;
        }
        // It may be in the middle of being written: as it is when it stays so.
        for _ in 0..LOOKS {
            thread::sleep(BETWEEN_LOOKS);
            let again = read_file(&self.path);
            if std::mem::replace(&mut read, again).ok().as_deref() == read.as_deref().ok() {
                break;
            }
        }
        let text = read.as_ref().ok().cloned();
        if lock(seen).text == text {
            return;
        }
        let result = read.and_then(|text| self.apply(&text));
        log(&self.path, &result);
        let mut seen = lock(seen);
        seen.text = text;
        match result {
            Ok(applied) => {
                seen.applied = applied;
                seen.error = None;
            }
            Err(error) => seen.error = Some(Arc::new(error)),
        }
    }
}

fn read_file(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| ConfigError::read(error).of_file(path))
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(feature = "tracing")]
fn log(path: &Path, result: &Result<Applied, ConfigError>) {
    match result {
        Ok(applied) => {
            let changed = applied.changes().len();
            tracing::info!(path = %path.display(), changed, "limits were read again");
        }
        Err(error) => tracing::error!("{error}; the settings stay as they were"),
    }
}

#[cfg(not(feature = "tracing"))]
fn log(_path: &Path, _result: &Result<Applied, ConfigError>) {}

impl Watcher {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was applied last.
    #[must_use]
    pub fn applied(&self) -> Applied {
        lock(&self.seen).applied.clone()
    }

    /// Why the file as it is now was not applied, if it was not.
    #[must_use]
    pub fn error(&self) -> Option<Arc<ConfigError>> {
        lock(&self.seen).error.clone()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("path", &self.path)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}
