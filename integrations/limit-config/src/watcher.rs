//! The handle of a watch, and the state that it shares with the thread of the watch.

use crate::applied::Applied;
use crate::error::ConfigError;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// Watches a file until it is dropped. Nothing is applied after that; the settings stay.
#[derive(Debug)]
#[must_use = "dropping it ends the watch"]
pub struct Watcher {
    path: PathBuf,
    shared: Arc<Shared>,
    thread: ThreadId,
    // Dropping the sender ends the thread.
    _end: Sender<()>,
}

/// The state that the watcher shares with its thread. The thread reads the file under no lock: reading can
/// take as long as the file system likes.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    outcome: Mutex<Outcome>,
    progress: Mutex<Progress>,
    /// Notified when an edit has been applied.
    applied: Condvar,
}

#[derive(Debug, Default)]
struct Progress {
    /// Set when the watcher is dropped.
    is_over: bool,
    /// Set while the thread applies an edit.
    is_applying: bool,
}

/// The result of the last edit.
#[derive(Debug, Default)]
struct Outcome {
    applied: Applied,
    error: Option<Arc<ConfigError>>,
}

impl Shared {
    /// Runs `apply`, unless the watcher was dropped. The watcher's drop waits until `apply` returns.
    pub(crate) fn run_unless_over<T>(&self, apply: impl FnOnce() -> T) -> Option<T> {
        {
            let mut progress = lock(&self.progress);
            if progress.is_over {
                return None;
            }
            progress.is_applying = true;
        }
        // Under no lock: it wakes calls, and wakers are foreign code.
        let applied = apply();
        lock(&self.progress).is_applying = false;
        self.applied.notify_all();
        Some(applied)
    }

    /// Stores the result of applying the file.
    pub(crate) fn store(&self, result: Result<Applied, ConfigError>) {
        let mut outcome = lock(&self.outcome);
        match result {
            Ok(applied) => *outcome = Outcome { applied, error: None },
            Err(error) => outcome.error = Some(Arc::new(error)),
        }
    }

    /// Returns the error of the file as it is now. `None` when the watcher was dropped: nobody looks at the file then.
    pub(crate) fn error(&self) -> Option<Arc<ConfigError>> {
        let is_over = lock(&self.progress).is_over;
        lock(&self.outcome).error.clone().filter(|_| !is_over)
    }
}

impl Watcher {
    pub(crate) fn new(
        path: PathBuf,
        shared: Arc<Shared>,
        thread: ThreadId,
        end: Sender<()>,
    ) -> Self {
        Self { path, shared, thread, _end: end }
    }

    /// Returns the path of the file, from the root.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the result of the version that was applied last. Does not wait for a file that is being read.
    #[must_use]
    pub fn applied(&self) -> Applied {
        lock(&self.shared.outcome).applied.clone()
    }

    /// Returns the error of the file as it is now, if it could not be applied. Does not wait for a file that
    /// is being read.
    #[must_use]
    pub fn error(&self) -> Option<Arc<ConfigError>> {
        self.shared.error()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut progress = lock(&self.shared.progress);
        progress.is_over = true;
        // On the watch's own thread an edit is being applied, and a waker that it has woken drops the watcher.
        // The edit cannot end before this drop does, so this drop does not wait for it.
        while progress.is_applying && self.thread != thread::current().id() {
            let woken = self.shared.applied.wait(progress);
            progress = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
