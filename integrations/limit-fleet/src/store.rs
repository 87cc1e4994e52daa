//! How nodes reach their ledgers.

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::ledger::View;
use crate::message::{Answer, Push, Renewal, Times};
use crate::{LedgerName, StoreError};

/// A place that keeps ledgers, and that every process of the fleet reaches.
///
/// [`MemoryStore`](crate::MemoryStore) keeps its
/// ledgers in one process, for tests.
///
/// Each future may be dropped half way. A message that is under way then may still be executed: for the
/// node this is the same as a lost answer.
pub trait LeaseStore: Send + Sync + 'static {
    /// Sends one message to a ledger, at most once, and returns the ledger's answer.
    ///
    /// The store never sends a message again, because a node dates its lease from the start of *its* attempt.
    ///
    /// # Errors
    ///
    /// An error is no answer: the message may have been executed, or may still be. The store gives up after
    /// [`attempt_timeout`]. [`StoreErrorKind::NoScript`](crate::StoreErrorKind::NoScript) alone says that nothing
    /// was executed: the caller makes a new attempt at once, with a new `seq`, and only one. The store sends the
    /// script with the next message to that ledger.
    fn renew(
        &self,
        ledger: &LedgerName,
        times: &Times,
        renewal: &Renewal,
    ) -> impl Future<Output = Result<Answer, StoreError>> + Send;

    /// Checks that the store can be used, and sends what the ledgers push to a process to `pushes` from now on.
    ///
    /// `process` is the text that [`NodeId::process`](crate::message::NodeId::process) returns for the nodes of the
    /// process. The subscription ends when the receiver is dropped. It survives the loss of a connection. Pushes get
    /// lost on the way, and when the channel is full: they help, but no node relies on them.
    ///
    /// Returns warnings: sentences about settings of the server with which the limit may be exceeded, or calls wait longer.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be used at all. A caller that wants to start anyhow may call it again later.
    fn open(
        &self,
        process: &str,
        pushes: mpsc::Sender<(LedgerName, Push)>,
    ) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

    /// Reads one ledger. Returns `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be reached, or does not permit it.
    fn find(
        &self,
        ledger: &LedgerName,
    ) -> impl Future<Output = Result<Option<View>, StoreError>> + Send;

    /// Reads all ledgers, or those of a namespace, in the order of their names.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be reached, or does not permit it.
    fn read(
        &self,
        namespace: Option<&str>,
    ) -> impl Future<Output = Result<Vec<(LedgerName, View)>, StoreError>> + Send;
}

/// Returns the time for which a store waits for an answer: a third of `ttl`, and at most 2 s.
///
/// A later answer helps nobody, because the node renews every `ttl / 3`.
#[must_use]
pub fn attempt_timeout(times: &Times) -> Duration {
    Duration::from_micros(times.ttl / 3).min(Duration::from_secs(2))
}
