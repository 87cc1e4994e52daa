//! Starting a fleet, and the guard that ends it.

mod builder;
mod driver;
mod error;
mod figures;
mod ledger_task;
mod outage;
mod warnings;

pub use builder::FleetBuilder;
pub use error::StartError;

use crate::LeaseStore;

use crate::RedisStore;
use std::fmt;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// The membership of this process in a fleet.
///
/// While it lives, every limiter with [`Scope::Fleet`](limit_runtime::Scope::Fleet) leases its share
/// of the limit. Keep it until the process ends, for example in a variable of `main`.
///
/// Dropping it gives the shares back, so that the other processes have them at once. Calls of
/// fleet-scoped limiters are then treated as if the store were not reachable. The drop blocks the thread
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
#[must_use = "dropping the fleet gives the shares back at once"]
pub struct Fleet {
    process: String,
    warnings: Vec<String>,
    /// Asks the thread to end when the calls that run have ended, or if it is dropped, at once.
    stop: Option<oneshot::Sender<()>>,
    /// Disconnected when the thread has given the shares back.
    ended: mpsc::Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Fleet {
    /// The longest time for which dropping a fleet waits for the store: 1 s.
    pub const GIVE_BACK: Duration = Duration::from_secs(1);

    /// Joins a fleet by the URL of a Redis or Valkey server. See [`RedisStore`] for the forms of a URL.
    ///
    /// Nothing happens before [`start`](FleetBuilder::start), which also returns the error of a URL that
    /// cannot be used.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use limit_fleet::Fleet;
    ///
    /// # async fn start() -> Result<(), limit_fleet::StartError> {
    /// let _fleet = Fleet::connect("redis://redis.internal:6379").namespace("billing").start().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect(url: impl AsRef<str>) -> FleetBuilder<RedisStore> {
        FleetBuilder::new(RedisStore::new(url.as_ref()))
    }

    /// Joins a fleet by a store: a [`RedisStore`] of a connection that the program has, a
    /// [`MemoryStore`](crate::MemoryStore), or one of the user's.
    pub fn on<S: LeaseStore>(store: S) -> FleetBuilder<S> {
        FleetBuilder::new(Ok(store))
    }

    /// Joins the fleet that the environment names, if it names one.
    ///
    /// `LIMIT_FLEET_URL` is the URL, and `LIMIT_FLEET_NAMESPACE` the namespace. Returns `None` if
    /// `LIMIT_FLEET_URL` is not set or is empty: the limits then hold for this process alone.
    ///
    /// # Errors
    ///
    /// The same as [`FleetBuilder::start`].
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn start() -> Result<(), limit_fleet::StartError> {
    /// let _fleet = limit_fleet::Fleet::from_env().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn from_env() -> Result<Option<Self>, StartError> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let Some(url) = variable("LIMIT_FLEET_URL") else { return Ok(None) };
        let mut builder = Self::connect(url);
        if let Some(namespace) = variable("LIMIT_FLEET_NAMESPACE") {
            builder = builder.namespace(namespace);
        }
        builder.start().await.map(Some)
    }

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
        let Some(thread) = self.thread.take() else { return };
        // The thread ends by itself within `GIVE_BACK`. Joining blocks, so a thread for blocking work does it.
        let _ended = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some() {
            // The thread sends nothing: it drops its end when it is done, or panics.
            let _ended = self.ended.recv_timeout(Self::GIVE_BACK);
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
