//! Telling once that the store cannot be reached, however many ledgers notice it.

use crate::logging;
use crate::{StoreError, StoreErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The outage of the store, if there is one. All tasks of a fleet share it.
#[derive(Debug, Default)]
pub(super) struct Outage(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// `true` if an outage was told, and not its end.
    is_told: bool,
    /// The tasks whose last message had no answer. On a cluster some may have none while others have theirs.
    failing: usize,
}

/// One task's experience of the store.
#[derive(Debug)]
pub(super) struct Contact {
    outage: Arc<Outage>,
    fails: bool,
}

impl Outage {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contact {
    pub(super) fn new(outage: Arc<Outage>) -> Self {
        Self { outage, fails: false }
    }

    /// Notes what became of a message. Tells the first failure of an outage, and the end of the last one.
    pub(super) fn note<T>(&mut self, result: &Result<T, StoreError>) {
        match result {
            // The server has answered that it has no script.
            Err(error) if error.kind() == StoreErrorKind::NoScript => {}
            Err(error) => {
                let mut state = self.outage.lock();
                state.failing += usize::from(!std::mem::replace(&mut self.fails, true));
                let is_news = !std::mem::replace(&mut state.is_told, true);
                drop(state);
                if is_news {
                    logging::tell_outage(error);
                }
            }
            Ok(_) => {
                self.forget();
                let mut state = self.outage.lock();
                let is_over = state.failing == 0 && std::mem::take(&mut state.is_told);
                drop(state);
                if is_over {
                    logging::tell_recovery();
                }
            }
        }
    }

    /// Forgets a failure, because the task sends nothing more that could succeed.
    pub(super) fn forget(&mut self) {
        self.outage.lock().failing -= usize::from(std::mem::take(&mut self.fails));
    }
}

impl Drop for Contact {
    fn drop(&mut self) {
        self.forget();
    }
}
