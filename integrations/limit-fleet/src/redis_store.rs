//! A store on Redis or Valkey.

mod address;
mod checks;
mod connection;
mod failure;
mod nodes;
mod origin;
mod probe;
mod reader;
mod script;
#[cfg(feature = "sentinel")]
mod sentinel;
#[cfg_attr(not(feature = "cluster"), path = "redis_store/slots/off.rs")]
mod slots;
mod subscription;
#[cfg(feature = "tls")]
mod tls;
mod topology;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use self::nodes::Nodes;
use self::origin::Origin;
use self::script::RenewScript;
use crate::ledger::View;
use crate::message::{Answer, Push, Renewal, Times};
use crate::store::attempt_timeout;
use crate::{LeaseStore, LedgerName, StoreError, StoreErrorKind};

/// A store on a Redis or Valkey server, on a cluster, or on a master that Sentinels know.
///
/// | address | leads to |
/// |---|---|
/// | `redis://user:password@host:6379/0` | one server, or a cluster of which this is a node |
/// | `rediss://…` | the same over TLS (feature `tls`) |
/// | `unix:///run/redis.sock?db=0&user=…&pass=…` | one server on this machine |
/// | `redis+cluster://user:password@host:6379,host:6379` | a cluster (feature `cluster`): each node that is named may be down |
/// | `redis+sentinel://user:password@host:26379,host:26379/master/0` | the master (feature `sentinel`). The user and the password are those of the servers; `?sentinel_username=…&sentinel_password=…` are those of the Sentinels |
///
/// `rediss+cluster://` and `rediss+sentinel://` use TLS. Each form may begin with `valkey` in place of `redis`. In a
/// user or a password, characters that have a meaning in an address are percent-encoded.
///
/// TLS trusts the certificates of the system. If the process has chosen no provider of cryptography for rustls, the
/// first connection chooses *ring*.
///
/// ```no_run
/// use limit_fleet::{LeaseStore, RedisStore};
///
/// # async fn run() -> Result<(), limit_fleet::StoreError> {
/// let store = RedisStore::new("redis://localhost:6379")?;
/// for (ledger, view) in store.read(Some("billing")).await? {
///     println!("{ledger}: {} permits, {} nodes", view.limit, view.nodes.len());
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Connections
///
/// All ledgers of a server share one connection. It is made when it is needed, in the tokio runtime of the first
/// message. It is made anew after it broke, after a time-out, and when the server turns out to be a replica: then
/// Sentinels are asked again. After 5 s without a message it is tested before the next one. One more connection hears
/// pushes.
///
/// A message is sent once. Only where nothing was executed it goes to another server: after a redirection of a cluster
/// (`MOVED`, `ASK`), and when no connection could be made.
///
/// # Permissions
///
/// With an ACL, the user needs the keys `limit:*`, the channels `limit:*`, and the commands `EVAL`, `EVALSHA`, `INFO`,
/// `TIME`, `HGET`, `HMGET`, `HGETALL`, `HKEYS`, `HSET`, `HDEL`, `DEL`, `PEXPIRE` and `PUBLISH`. To hear
/// pushes it needs `SUBSCRIBE` and `PING`, to be read `SCAN`, on a cluster `CLUSTER SLOTS`, and to be checked `CONFIG GET`.
///
/// [`LeaseStore::open`] tries the keys, the channels and the commands of the first sentence, with the key
/// `limit:{probe}`, which it deletes again. It fails if one is not permitted.
#[derive(Clone, Debug)]
pub struct RedisStore {
    nodes: Arc<Nodes>,
    script: Arc<RenewScript>,
    timeout: Option<Duration>,
}

impl RedisStore {
    /// Makes a store from an address. It does not connect yet.
    ///
    /// # Errors
    ///
    /// Fails with [`StoreErrorKind::Address`] if the address cannot be read, or needs a feature of this crate that is off.
    /// The message does not have the password in it.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        address::parse(url).map(Self::with_origins)
    }

    /// Makes a store from a client of the crate `redis`: for certificates of your own, and what no address can say.
    ///
    /// The server may be a node of a cluster.
    #[must_use]
    pub fn from_client(client: redis::Client) -> Self {
        Self::with_origins(vec![Origin::server(client)])
    }

    /// Sets the time for which each message waits for its answer, in place of [`attempt_timeout`].
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    fn with_origins(origins: Vec<Origin>) -> Self {
        Self {
            nodes: Arc::new(Nodes::new(origins)),
            script: Arc::new(RenewScript::new()),
            timeout: None,
        }
    }
}

impl LeaseStore for RedisStore {
    async fn renew(
        &self,
        ledger: &LedgerName,
        times: &Times,
        renewal: &Renewal,
    ) -> Result<Answer, StoreError> {
        let limit = self.timeout.unwrap_or_else(|| attempt_timeout(times));
        let command = self.script.command(ledger, times, renewal);
        let result: Result<Vec<i64>, _> =
            self.nodes.query(&ledger.redis_key(), &command, limit).await;
        if result.as_ref().is_err_and(|error| error.kind() == StoreErrorKind::NoScript) {
            self.script.note_missing(ledger);
        }
        result.and_then(|reply| script::answer(&reply))
    }

    async fn open(
        &self,
        process: &str,
        pushes: mpsc::Sender<(LedgerName, Push)>,
    ) -> Result<Vec<String>, StoreError> {
        let masters = topology::masters(&self.nodes).await?;
        let mut warnings = checks::check_all(&masters).await?;
        match probe::run(&self.nodes, &script::channel("")).await {
            // The ledgers of the other masters can be used.
            Err(error) if error.may_pass() && masters.len() > 1 => warnings.push(error.to_string()),
            result => result?,
        }
        let channel = script::channel(process);
        let first = subscription::subscribe(&self.nodes, &channel).await;
        let first = first.map_err(|error| {
            warnings.push(format!("nodes get no pushes and only poll, because {error}"));
        });
        tokio::spawn(subscription::keep(Arc::clone(&self.nodes), channel, first.ok(), pushes));
        Ok(warnings)
    }

    async fn find(&self, ledger: &LedgerName) -> Result<Option<View>, StoreError> {
        reader::find(&self.nodes, ledger).await
    }

    async fn read(&self, namespace: Option<&str>) -> Result<Vec<(LedgerName, View)>, StoreError> {
        reader::read(&self.nodes, namespace).await
    }
}
