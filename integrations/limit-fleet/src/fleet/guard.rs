//! The guard that keeps a process in its fleet.

use super::driver;
use super::thread::FleetThread;
use std::fmt;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::sync::oneshot;

/// The membership of this process in a fleet.
///
/// While it lives, every limiter with [`Scope::Fleet`](limit_runtime::Scope::Fleet) leases its share
/// of the limit. Keep it until the process ends, for example in a variable of `main`.
///
/// Dropping it gives the shares back, so that the other processes have them at once. Calls of
/// fleet-scoped limiters are then refused, or wait if they cannot be refused. The drop blocks the thread
/// until the store has answered, for at most [`GIVE_BACK`](Self::GIVE_BACK). [`stop`](Self::stop) does
/// the same without blocking.
///
/// Calls that still run keep their permits. [`stop`](Self::stop) waits for them a little and gives theirs
/// back, too. Otherwise the other processes have them when the lease is over.
///
/// # Examples
///
/// In a test, with a store in memory:
///
/// ```
/// use limit_fleet::{Fleet, MemoryStore};
/// use limit_runtime::{Limiter, Scope};
///
/// static ORDERS_DB: Limiter = Limiter::new("orders-db", 100).scope(Scope::Fleet);
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), limit_fleet::StartError> {
/// let fleet = Fleet::on(MemoryStore::new()).start().await?;
/// let permit = ORDERS_DB.acquire().await;
/// assert!(permit.is_valid());
/// drop(permit);
/// fleet.stop().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "keep it, as in `let _fleet = …`: dropping it gives the shares back at once"]
pub struct Fleet {
    process: String,
    warnings: Vec<String>,
    stop: Option<oneshot::Sender<()>>,
    /// In a lock only to be `Sync`: a fleet may be kept in an `Arc` or a `static`.
    ended: Mutex<mpsc::Receiver<()>>,
    left: Option<oneshot::Receiver<()>>,
}

impl Fleet {
    pub(super) fn new(thread: FleetThread) -> Self {
        let FleetThread { process, warnings, stop, ended, left } = thread;
        Self { process, warnings, stop: Some(stop), ended: Mutex::new(ended), left: Some(left) }
    }

    /// The longest time for which dropping a fleet waits for the store: 1 s.
    pub const GIVE_BACK: Duration = driver::GIVE_BACK;

    /// Returns the name of this process in the fleet: host, process id, and a random number.
    #[must_use]
    pub fn process(&self) -> &str {
        &self.process
    }

    /// Returns what the store's settings may do to the promise: for example a server that evicts keys.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Gives the shares back, and leaves the fleet. Waits for the store, and for calls that still run, for at
    /// most [`GIVE_BACK`](Self::GIVE_BACK).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the thread gives the shares back all the same.
    pub async fn stop(mut self) {
        // It fails if the thread has panicked, and has left the fleet so.
        let _ended = self.stop.take().map(|stop| stop.send(()));
        // Not by joining, which blocks: a thread of the runtime for blocking work may never be free, because calls
        // on them wait for permits.
        if let Some(left) = self.left.take() {
            // The thread sends nothing: it drops its end.
            let _left = left.await;
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.left.take().is_some() {
            // The thread sends nothing: it drops its end when it is done, or panics.
            let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
            let _ended = ended.recv_timeout(Self::GIVE_BACK);
        }
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("process", &self.process)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}
