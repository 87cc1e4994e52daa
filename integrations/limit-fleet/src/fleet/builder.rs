//! The options of a fleet.

use super::error::StartError;
use super::guard::Fleet;
use super::plan::Plan;
use super::thread;
use crate::message::Times;
use crate::{LeaseStore, RedisStore, StoreError};
use limit_runtime::OnUnavailable;
use std::time::Duration;

impl Fleet {
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
    /// `LIMIT_FLEET_URL` is not set or is empty: the limits then hold for this process alone. Keep the result, as in
    /// `let _fleet = …`: from its drop on, calls get no permits.
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
}

/// The options of a fleet that has not been started. [`Fleet::connect`] and [`Fleet::on`] make it.
///
/// All processes of a fleet must have the same [`lease`](Self::lease). A process with another one gets no
/// permits, and a warning in its log and in the limiter's [`Snapshot`](limit_runtime::Snapshot).
#[derive(Debug)]
#[must_use = "a fleet does nothing until it is started"]
pub struct FleetBuilder<S> {
    store: Result<S, StoreError>,
    namespace: String,
    lease: Duration,
    refresh: Option<Duration>,
    margin: Option<Duration>,
    on_unavailable: Option<OnUnavailable>,
    lazily: bool,
}

impl<S: LeaseStore> FleetBuilder<S> {
    pub(super) fn new(store: Result<S, StoreError>) -> Self {
        Self {
            store,
            namespace: "default".to_owned(),
            lease: Duration::from_secs(6),
            refresh: None,
            margin: None,
            on_unavailable: None,
            lazily: false,
        }
    }

    /// Sets the namespace. Limiters of one name share a limit if the namespace is the same. The default is
    /// `default`.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets the time for which a share is leased, from 1 s to 1 h. The default is 6 s.
    ///
    /// A process that is killed keeps its share for this long. A process that does not reach the store goes
    /// on for this long, less the [`margin`](Self::margin).
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets the time after which a lease is renewed. The default is a third of the lease, and it cannot be
    /// more than half of the lease less the margin.
    pub fn refresh(mut self, refresh: Duration) -> Self {
        self.refresh = Some(refresh);
        self
    }

    /// Sets how long before the store this process ends a lease. The default is 400 ms and a tenth of the
    /// lease. That covers clocks that run 10 % apart, and a server whose clock steps twice in a lease. It
    /// can only be made longer.
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = Some(margin);
        self
    }

    /// Sets what limiters do that do not say it themselves when the store cannot be reached and their lease
    /// is over. See [`OnUnavailable`]. The default is to refuse calls that can be refused, and to let the
    /// others wait.
    pub fn on_unavailable(mut self, on_unavailable: OnUnavailable) -> Self {
        self.on_unavailable = Some(on_unavailable);
        self
    }

    /// Starts even if the store cannot be reached. Until it can, calls do what
    /// [`on_unavailable`](Self::on_unavailable) says.
    pub fn lazily(mut self) -> Self {
        self.lazily = true;
        self
    }

    /// Joins the fleet: starts a thread, and connects to the store. Fleet-scoped limiters lease their
    /// permits from now on. A limiter that has been used before goes on with the calls that run, and admits
    /// no new ones until it has a lease.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached or used, if an option's value cannot work, or if the process belongs
    /// to a fleet already.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the fleet is not joined.
    pub async fn start(self) -> Result<Fleet, StartError> {
        let plan = self.plan()?;
        thread::start(self.store?, plan).await.map(Fleet::new)
    }

    fn plan(&self) -> Result<Plan, StartError> {
        let error = |text: String| Err(StartError::Option(text));
        let lease = self.lease;
        if !(Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&lease) {
            return error(format!("the lease is {lease:?}; make it 1 s to 1 h long"));
        }
        let micros = |duration: Duration| {
            u64::try_from(duration.as_micros()).expect("no option is longer than an hour")
        };
        let times = Times { ttl: micros(lease), hold: 0 };
        let default = Duration::from_micros(times.margin());
        let margin = self.margin.unwrap_or(default);
        if margin < default || margin > lease / 2 {
            let most = lease / 2;
            return error(format!(
                "the margin is {margin:?}; make it {default:?} to {most:?} long"
            ));
        }
        let most = lease.saturating_sub(margin) / 2;
        let refresh = self.refresh.unwrap_or((lease / 3).min(most));
        if refresh > most || refresh < lease / 20 {
            let shortest = lease / 20;
            return error(format!(
                "the refresh is {refresh:?}; make it {shortest:?} to {most:?} long"
            ));
        }
        if self.namespace.is_empty() {
            return error("the namespace is empty; leave it out, or give it a name".to_owned());
        }
        Ok(Plan {
            namespace: self.namespace.as_str().into(),
            times,
            refresh: micros(refresh),
            margin: micros(margin),
            on_unavailable: self.on_unavailable,
            lazily: self.lazily,
        })
    }
}
