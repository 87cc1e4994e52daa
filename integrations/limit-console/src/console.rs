//! The state that all handlers share.

use crate::error::ApiError;
use crate::options::Access;
use crate::process::Process;
use crate::watch::{AllLimiters, Until, Watch};
use axum::http::StatusCode;
use futures_util::future::{Either, select};
use serde::Serialize;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::watch::Receiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most pages and other readers that may follow at a time.
const FOLLOWERS: usize = 64;

/// The process and all its limiters, in JSON.
#[derive(Serialize)]
pub(crate) struct All<'a> {
    process: &'a Process,
    #[serde(flatten)]
    limiters: AllLimiters,
}

#[derive(Clone)]
pub(crate) struct Console {
    pub(crate) access: Arc<Access>,
    pub(crate) watch: Arc<Watch>,
    process: Arc<Process>,
    followers: Arc<Semaphore>,
}

impl Console {
    pub(crate) fn new(access: Arc<Access>, watch: Arc<Watch>, process: Process) -> Self {
        let followers = Arc::new(Semaphore::new(FOLLOWERS));
        Self { access, watch, process: Arc::new(process), followers }
    }

    /// Describes the process, and lists all its limiters.
    pub(crate) fn all(&self) -> All<'_> {
        All { process: &self.process, limiters: self.watch.all(self.is_writable()) }
    }

    /// Returns a receiver that is notified of each tick, and makes sure that there are ticks.
    pub(crate) fn follow(&self) -> Receiver<u64> {
        self.watch.start();
        self.watch.follow()
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.access.token.is_some()
    }

    /// Takes one of the slots for followers. The slot is free again when it is dropped.
    pub(crate) fn take_follower_slot(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.followers).try_acquire_owned().map_err(|_| {
            let text = format!("{FOLLOWERS} follow already; close a page");
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, text)
        })
    }
}

/// Waits for a future, unless the console ends before.
pub(crate) async fn unless_ended<F: Future>(ended: Until, future: F) -> Option<F::Output> {
    match select(ended, pin!(future)).await {
        Either::Left(_) => None,
        Either::Right((output, _)) => Some(output),
    }
}
