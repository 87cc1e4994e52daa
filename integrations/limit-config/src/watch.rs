//! The watch of a file whose edits take effect.

use crate::config::Config;
use crate::error::ConfigError;
use crate::file;
use crate::follower::{Follower, Parse, WatchedFile};
use crate::watcher::{Shared, Watcher};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// The time between two looks at the file, unless the watch says otherwise.
const INTERVAL: Duration = Duration::from_secs(2);

/// The shortest interval. Without it the thread could do nothing else than look.
const SHORTEST: Duration = Duration::from_millis(1);

/// A file that is to be watched: see [`Config::watch`].
#[must_use = "nothing is read until `start()`"]
pub struct Watch {
    path: PathBuf,
    interval: Duration,
    parse: Arc<Parse>,
    read: fn(&Path) -> Result<String, ConfigError>,
}

impl Config {
    /// Applies a TOML file, now and after each edit.
    ///
    /// A thread looks at the file every two seconds, or as often as [`interval`](Watch::interval) says. An
    /// edit that cannot be applied changes nothing: the settings stay as they were. [`Watcher::error`],
    /// [`limit_runtime::settings::problem`], the page of limit-console and the log (feature `tracing`) say why.
    ///
    /// With the feature `tracing`, the thread also warns of each name that means no limiter and is similar to
    /// that of a limiter in use: once for each version of the file.
    ///
    /// # Which files
    ///
    /// Regular files, and links to them. A relative path starts in the directory that is the current one when
    /// the watch [starts](Watch::start).
    ///
    /// | the file | at the start | later |
    /// |---|---|---|
    /// | is a named pipe, a socket, a device, a directory, or a path of a descriptor such as `/dev/fd/3` | an error | the settings stay |
    /// | is missing, cannot be read, is a link that leads nowhere | an error | the settings stay |
    /// | is not UTF-8, or larger than 16 MiB | an error | the settings stay |
    /// | has one error: in its syntax, a name, a value | an error | the settings stay: the whole file is not applied |
    /// | is empty, or has only white space | nothing is set | the settings stay |
    /// | has no settings: only comments in TOML, `{}` in JSON | nothing is set | all settings are given up |
    ///
    /// If the settings stay, [`Watcher::error`] and the log say why.
    ///
    /// The thread waits while a program writes the file: until two looks, 10 milliseconds apart, find the same
    /// content. It waits half a second if the file is empty, because many programs empty a file before they
    /// write it. To be sure that nothing half-written is read, write another file and rename it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use limit_config::{Config, ConfigError};
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
    /// Sets the time between two looks at the file, a millisecond at least.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(SHORTEST);
        self
    }

    /// Sets the function that reads the text of the file, if it is not TOML. (A file that is emptied later is
    /// not parsed.)
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use limit_config::Config;
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
    /// If the file cannot be read, applied or watched now. Nothing is applied then.
    ///
    /// # Panics
    ///
    /// If the waker of a call that is admitted panics, when everything was applied. The file is not watched
    /// then.
    pub fn start(self) -> Result<Watcher, ConfigError> {
        let Self { path, interval, parse, read } = self;
        let path = file::locate(&path)?;
        let text = read(&path)?;
        let shared = Arc::new(Shared::default());
        let config = parse(&text).map_err(|error| error.in_file(&path))?.watched(&path, &shared);
        let watched = WatchedFile { path: path.clone(), parse, read };
        let follower = Follower::new(watched, text, config.clone(), Arc::clone(&shared));
        let (end, ended) = mpsc::channel();
        // Before the file is applied: the system may start no thread.
        let thread = thread::Builder::new().name("limits".to_owned());
        let thread = thread.spawn(move || {
            // The thread begins when there is a watcher. It ends if the file cannot be applied.
            if ended.recv().is_ok() {
                follower.run(interval, &ended);
            }
        });
        let thread = thread.map_err(|error| ConfigError::watch(error).in_file(&path))?;
        shared.store(Ok(config.apply().map_err(|error| error.in_file(&path))?));
        // The thread cannot have ended: it waits for this.
        let _ = end.send(());
        Ok(Watcher::new(path, shared, thread.thread().id(), end))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applied::Applied;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Receiver, Sender};

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
                let taken = READS.lock().expect("nobody has panicked").take();
                if let Some((says, answer)) = taken {
                    says.send(()).expect("the test waits for it");
                    // Until the test ends.
                    let _ = answer.recv();
                }
            }
            Ok(String::new())
        }

        let ((says, is_read), (answers, answer)) = (mpsc::channel(), mpsc::channel());
        *READS.lock().expect("nobody has panicked") = Some((says, answer));
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
