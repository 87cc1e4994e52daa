//! A file whose edits take effect.

use super::{Applied, Config, ConfigError, file};
use std::fmt;
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

type Parse = dyn Fn(&str) -> Result<Config, ConfigError> + Send + Sync;

/// What was in the file, or why that is not known: to be compared with what is read at another time.
type Text = Result<String, String>;

/// A file that is to be watched: see [`Config::watch`].
#[must_use = "nothing is read until `start()`"]
pub struct Watch {
    path: PathBuf,
    interval: Duration,
    parse: Arc<Parse>,
    read: fn(&Path) -> Result<String, ConfigError>,
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

/// What a watcher and its thread have in common. Nothing of it is locked while the file is read: that can
/// take as long as the file system likes.
#[derive(Debug)]
struct Watched {
    outcome: Mutex<Outcome>,
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
#[derive(Debug, Default)]
struct Outcome {
    applied: Applied,
    error: Option<Arc<ConfigError>>,
}

impl Config {
    /// Applies a TOML file, now and after each edit.
    ///
    /// A thread looks at it every two seconds, or as often as [`interval`](Watch::interval) says. An edit
    /// that cannot be applied changes nothing: the settings stay as they were, why is logged as an error
    /// (feature `tracing`) and shown by [`Watcher::error`].
    ///
    /// # Which files
    ///
    /// Regular files, and links to them. A relative path is one in the directory that is the current one when
    /// the watch [starts](Watch::start).
    ///
    /// | the file | at the start | later |
    /// |---|---|---|
    /// | is a named pipe, a socket, a device, a directory, or a path of a descriptor such as `/dev/fd/3` | an error | the settings stay |
    /// | is not there, cannot be read, is a link that leads nowhere | an error | the settings stay |
    /// | is not UTF-8, or larger than 16 MiB | an error | the settings stay |
    /// | is empty, or has only white space | nothing is set | the settings stay |
    /// | has no settings: only comments in TOML, `{}` in JSON | nothing is set | all settings are given up |
    ///
    /// Where the settings stay, [`Watcher::error`] and the log say why.
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
        let parse = Arc::new(Config::from_toml);
        Watch { path: path.into(), interval: INTERVAL, parse, read: file::read }
    }
}

impl Watch {
    /// How often the file is looked at, a millisecond at least.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(SHORTEST);
        self
    }

    /// What the file is written in, if it is not TOML. (A file that is emptied later is not parsed.)
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
    pub fn start(mut self) -> Result<Watcher, ConfigError> {
        self.path = file::locate(&self.path)?;
        let text = (self.read)(&self.path)?;
        let config = (self.parse)(&text).map_err(|error| error.of_file(&self.path))?;
        let path = self.path.clone();
        let progress = Mutex::new(Progress { goes_on: true, applies: false });
        let (outcome, applied) = (Mutex::default(), Condvar::new());
        let watched = Arc::new(Watched { outcome, progress, applied });
        let (end, ended) = mpsc::channel();
        let theirs = Arc::clone(&watched);
        let thread = thread::Builder::new().name("limits".to_owned());
        // Before it is applied: there may be no thread to be had.
        let thread = thread.spawn(move || {
            // The thread's own: nobody else asks for it, so that nobody waits while the file is read.
            let mut seen = Ok(text);
            // It begins when there is a watcher to be told of what comes.
            if ended.recv().is_ok() {
                while ended.recv_timeout(self.interval) == Err(RecvTimeoutError::Timeout) {
                    self.look(&mut seen, &theirs);
                }
            }
        });
        let thread = thread.map_err(|error| ConfigError::watch(error).of_file(&path))?;
        let applied = config.apply().map_err(|error| error.of_file(&path))?;
        lock(&watched.outcome).applied = applied;
        // It cannot have ended: it waits for this.
        let _ = end.send(());
        Ok(Watcher { path, watched, thread: thread.thread().id(), _end: end })
    }

    /// Whether there is something new, and what comes of it.
    fn look(&self, seen: &mut Text, watched: &Watched) {
        let Some(read) = self.read_anew(seen) else { return };
        *seen = as_text(&read);
        let config = read.and_then(|text| {
            // Nobody writes an empty file to give all settings up: rather, a program or a disk has failed.
            if is_blank(&text) { Err(ConfigError::empty()) } else { self.parse(&text) }
        });
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
        let mut outcome = lock(&watched.outcome);
        match result {
            Ok(applied) => *outcome = Outcome { applied, error: None },
            Err(error) => outcome.error = Some(Arc::new(error)),
        }
    }

    /// What is in the file, if it is not what was in it.
    fn read_anew(&self, seen: &Text) -> Option<Result<String, ConfigError>> {
        let mut read = (self.read)(&self.path);
        // A file that is gone is one that was edited.
        if *seen == as_text(&read) {
            return None;
        }
        let has_nothing =
            |read: &Result<String, ConfigError>| read.as_ref().is_ok_and(|text| is_blank(text));
        // It may be in the middle of being written: as it is when it stays so.
        let mut stays = 0;
        for _ in 0..LOOKS {
            thread::sleep(BETWEEN_LOOKS);
            let before = std::mem::replace(&mut read, (self.read)(&self.path));
            let is_same = as_text(&before) == as_text(&read);
            stays = if is_same { stays + 1 } else { 0 };
            if stays > 0 && !has_nothing(&read) {
                break;
            }
        }
        // Whoever has emptied it may still be about to write: that is no news before it has stayed so.
        let is_done = !has_nothing(&read) || stays == LOOKS;
        (is_done && *seen != as_text(&read)).then_some(read)
    }

    /// A user's function, that must not end the watch.
    fn parse(&self, text: &str) -> Result<Config, ConfigError> {
        let config = catch_unwind(AssertUnwindSafe(|| (self.parse)(text)));
        config.unwrap_or_else(|_| Err(ConfigError::parse("reading it panicked")))
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn as_text(read: &Result<String, ConfigError>) -> Text {
    match read {
        Ok(text) => Ok(text.clone()),
        Err(error) => Err(error.to_string()),
    }
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
    /// The file, from the root on.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was applied last. Does not wait for a file that is being read.
    #[must_use]
    pub fn applied(&self) -> Applied {
        lock(&self.watched.outcome).applied.clone()
    }

    /// Why the file as it is now was not applied, if it was not. Does not wait for a file that is being read.
    #[must_use]
    pub fn error(&self) -> Option<Arc<ConfigError>> {
        lock(&self.watched.outcome).error.clone()
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

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::Receiver;

    /// Turns a hang into a failure.
    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn nobody_waits_for_a_file_that_is_being_read() {
        static STARTED: AtomicBool = AtomicBool::new(false);
        static READS: Mutex<Option<(Sender<()>, Receiver<()>)>> = Mutex::new(None);

        #[expect(clippy::unnecessary_wraps, reason = "as the reader of files")]
        /// The first time it is there; from then on it is a file whose server does not answer.
        fn read(_: &Path) -> Result<String, ConfigError> {
            if STARTED.swap(true, Ordering::Relaxed) {
                let taken = lock(&READS).take();
                if let Some((says, answer)) = taken {
                    says.send(()).expect("the test waits for it");
                    // Until the test ends.
                    let _ = answer.recv();
                }
            }
            Ok(String::new())
        }

        let ((says, is_read), (answers, answer)) = (mpsc::channel(), mpsc::channel());
        *lock(&READS) = Some((says, answer));
        let watch = Watch { read, ..Config::watch("limits.toml").interval(SHORTEST) };
        let watcher = watch.start().expect("it is right");
        is_read.recv_timeout(PATIENCE).expect("it is looked at");
        let (says, said) = mpsc::channel();
        // On a thread, so that a hang fails.
        thread::spawn(move || {
            let (error, applied) = (watcher.error(), watcher.applied());
            let shown = format!("{watcher:?}");
            drop(watcher);
            says.send((error.is_none(), applied == Applied::default(), shown)).expect("it waits");
        });
        let (no_error, nothing, shown) = said.recv_timeout(PATIENCE).expect("it does not wait");
        assert!(no_error && nothing && shown.contains("limits.toml"), "{shown}");
        drop(answers);
    }
}
