//! A file whose edits take effect.

use super::{Applied, Config, ConfigError};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// How often the file is looked at, if nothing else is said.
const INTERVAL: Duration = Duration::from_secs(2);

/// How often, and after how long, a file that has changed is looked at until it stays as it is.
const LOOKS: usize = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// The shortest interval: with none the thread would do nothing else.
const SHORTEST: Duration = Duration::from_millis(1);

/// The most that is read, in bytes: whatever is larger is not meant.
const LARGEST: u64 = 16 << 20;

type Parse = dyn Fn(&str) -> Result<Config, ConfigError> + Send + Sync;

/// A file that is to be watched: see [`Config::watch`].
#[must_use = "nothing is read until `start()`"]
pub struct Watch {
    path: PathBuf,
    interval: Duration,
    parse: Arc<Parse>,
}

/// Watches a file until it is dropped: nothing is applied after that. What has been applied stays.
#[derive(Debug)]
#[must_use = "dropping it ends the watch"]
pub struct Watcher {
    path: PathBuf,
    watched: Arc<Watched>,
    thread: ThreadId,
    // Dropping it ends the thread.
    _end: Sender<()>,
}

/// What a watcher and its thread have in common.
#[derive(Debug)]
struct Watched {
    seen: Mutex<Seen>,
    progress: Mutex<Progress>,
    /// Told when an edit has been applied.
    applied: Condvar,
}

#[derive(Clone, Copy, Debug)]
struct Progress {
    /// Whether the watch goes on.
    goes_on: bool,
    /// Whether an edit is being applied.
    applies: bool,
}

/// What has come of the file.
#[derive(Debug)]
struct Seen {
    /// What was in it, or why that is not known.
    text: Result<String, String>,
    applied: Applied,
    error: Option<Arc<ConfigError>>,
}

impl Config {
    /// Applies a TOML file, now and after each edit.
    ///
    /// A thread looks at it every two seconds, or as often as [`interval`](Watch::interval) says. An edit
    /// that cannot be applied changes nothing: the settings stay as they were, why is logged as an error
    /// (feature `tracing`) and shown by [`Watcher::error`]. So does a file that is gone, that is not
    /// UTF-8 or larger than 16 MiB.
    ///
    /// A file that is being written is waited for until it stays as it is: a moment, and for half a second
    /// if there is nothing in it, because that is how many programs begin to write. To be sure that
    /// nothing half-written is read, write another file and rename it.
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
    /// How often the file is looked at, a millisecond at least.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(SHORTEST);
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
    /// If it cannot be read, applied or watched now. Then nothing has been applied.
    pub fn start(self) -> Result<Watcher, ConfigError> {
        let text = read_file(&self.path)?;
        let config = (self.parse)(&text).map_err(|error| error.of_file(&self.path))?;
        let path = self.path.clone();
        let seen = Seen { text: Ok(text), applied: Applied::default(), error: None };
        let progress = Mutex::new(Progress { goes_on: true, applies: false });
        let (seen, applied) = (Mutex::new(seen), Condvar::new());
        let watched = Arc::new(Watched { seen, progress, applied });
        let (end, ended) = mpsc::channel();
        let theirs = Arc::clone(&watched);
        let thread = thread::Builder::new().name("limits".to_owned());
        // Before it is applied: there may be no thread to be had.
        let thread = thread.spawn(move || {
            // It begins when there is a watcher to be told of what comes.
            if ended.recv().is_ok() {
                while ended.recv_timeout(self.interval) == Err(RecvTimeoutError::Timeout) {
                    self.look(&theirs);
                }
            }
        });
        let thread = thread.map_err(|error| ConfigError::watch(error).of_file(&path))?;
        let applied = config.apply().map_err(|error| error.of_file(&path))?;
        lock(&watched.seen).applied = applied;
        // It cannot have ended: it waits for this.
        let _ = end.send(());
        Ok(Watcher { path, watched, thread: thread.thread().id(), _end: end })
    }

    /// Whether there is something new, and what comes of it.
    fn look(&self, watched: &Watched) {
        let Some(read) = self.read_anew(&lock(&watched.seen).text.clone()) else { return };
        let text = as_text(&read);
        let config = read.and_then(|text| self.parse(&text));
        {
            let mut progress = lock(&watched.progress);
            if !progress.goes_on {
                return;
            }
            progress.applies = true;
        }
        // Under no lock: it wakes whoever waits, and that is foreign code. If it panics, which the hook for
        // panics has told of, all is applied all the same.
        let applied = config.and_then(Config::apply_all).map(|(applied, _)| applied);
        lock(&watched.progress).applies = false;
        watched.applied.notify_all();
        let result = applied.map_err(|error| error.of_file(&self.path));
        // Foreign code too: the watch goes on.
        drop(catch_unwind(AssertUnwindSafe(|| log(&self.path, &result))));
        let mut seen = lock(&watched.seen);
        seen.text = text;
        match result {
            Ok(applied) => {
                seen.applied = applied;
                seen.error = None;
            }
            Err(error) => seen.error = Some(Arc::new(error)),
        }
    }

    /// What is in the file, if it is not what was in it.
    fn read_anew(&self, seen: &Result<String, String>) -> Option<Result<String, ConfigError>> {
        let mut read = read_file(&self.path);
        // A file that is gone is one that was edited.
        if *seen == as_text(&read) {
            return None;
        }
        // It may be in the middle of being written: as it is when it stays so.
        let mut stays = 0;
        for _ in 0..LOOKS {
            thread::sleep(BETWEEN_LOOKS);
            let before = std::mem::replace(&mut read, read_file(&self.path));
            let is_same = as_text(&before) == as_text(&read);
            stays = if is_same { stays + 1 } else { 0 };
            if stays > 0 && !is_blank(&read) {
                break;
            }
        }
        // Whoever has emptied it may still be about to write: nothing is given up for that.
        let is_done = !is_blank(&read) || stays == LOOKS;
        (is_done && *seen != as_text(&read)).then_some(read)
    }

    /// A user's function, that must not end the watch.
    fn parse(&self, text: &str) -> Result<Config, ConfigError> {
        let config = catch_unwind(AssertUnwindSafe(|| (self.parse)(text)));
        config.unwrap_or_else(|_| Err(ConfigError::parse("reading it panicked")))
    }
}

fn is_blank(read: &Result<String, ConfigError>) -> bool {
    read.as_ref().is_ok_and(|text| text.trim().is_empty())
}

/// To compare with what was read at another time.
fn as_text(read: &Result<String, ConfigError>) -> Result<String, String> {
    match read {
        Ok(text) => Ok(text.clone()),
        Err(error) => Err(error.to_string()),
    }
}

fn read_file(path: &Path) -> Result<String, ConfigError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    let read = read.and_then(|length| {
        let is_too_large = u64::try_from(length).is_ok_and(|length| length > LARGEST);
        let larger = || io::Error::other(format!("it is larger than {LARGEST} bytes"));
        if is_too_large { Err(larger()) } else { Ok(()) }
    });
    let text = read.map_err(ConfigError::read).and_then(|()| {
        String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            ConfigError::not_utf8(&String::from_utf8_lossy(valid))
        })
    });
    text.map_err(|error| error.of_file(path))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        lock(&self.watched.seen).applied.clone()
    }

    /// Why the file as it is now was not applied, if it was not.
    #[must_use]
    pub fn error(&self) -> Option<Arc<ConfigError>> {
        lock(&self.watched.seen).error.clone()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut progress = lock(&self.watched.progress);
        progress.goes_on = false;
        // On its thread an edit is being applied, and has woken somebody who drops the watcher: to wait
        // for the end of that would be for ever.
        while progress.applies && self.thread != thread::current().id() {
            let woken = self.watched.applied.wait(progress);
            progress = woken.unwrap_or_else(PoisonError::into_inner);
        }
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
