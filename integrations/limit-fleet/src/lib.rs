//! One concurrency limit over many processes, for [`limit_runtime`]: `scope = fleet`.
//!
//! A service runs in forty processes, and the database behind it bears a hundred calls in all:
//!
//! ```
//! use limit_fleet::{Fleet, MemoryStore};
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(100, scope = fleet, name = "orders-db")]
//! async fn order(id: u64) -> u64 {
//!     id
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), limit_fleet::StartError> {
//!     // In a service: Fleet::connect("redis://redis.internal").namespace("billing").start().await?
//!     let fleet = Fleet::on(MemoryStore::new()).namespace("billing").start().await?;
//!     assert_eq!(order(7).await, 7);
//!     fleet.stop().await;
//!     Ok(())
//! }
//! ```
//!
//! A call does not ask Redis. Each process *leases* a share of the limit, and serves calls from its share at
//! the price of a local call and a look at the clock. One thread of the process renews the leases.
//! Redis keeps a *ledger* for each limiter (and for each key, with `key`), which never gives out more than the
//! limit in all.
//!
//! Without a started fleet the limit holds for each process alone, and a warning says so. So tests and laptops
//! need no Redis.
//!
//! # Is it for you?
//!
//! * Use it where the limit is well above the number of processes, or where every process has work: there it
//!   costs nearly nothing.
//! * Where the limit is *below the number of processes and the load is low*, each call must fetch its permit
//!   from another process. Then a semaphore in Redis with a call for each acquisition is as quick or quicker.
//! * It limits how many calls run at once. It does not limit calls a second.
//!
//! # What happens when something fails
//!
//! Times are those of the default lease of 6 s. A lease ends 1 s earlier in the process than in the ledger.
//!
//! | fault | what happens |
//! |---|---|
//! | A message is lost, late, doubled or overtaken | Nothing. A lease that cannot be renewed ends early. |
//! | A process is killed | Others get its share 6.2 s after its last message, if they wait. If nobody has asked, 6 s after the first who waits. |
//! | A process is stopped for any time (`SIGSTOP`, a suspended machine) | It admits nobody after the end of its lease. Calls that run go on: see *Calls that lose their lease*. |
//! | Redis is away | Calls go on until the lease ends, 5 s after its last renewal began. Then [`on_unavailable`](limit_runtime::OnUnavailable) decides. |
//! | Messages reach Redis, and its answers get lost | The process admits nobody after its lease. Its share stays reserved for it as long as this lasts. |
//! | Redis restarts empty, or fails over and loses writes | Nobody gets *new* permits for 6 s. Holders go on and renew. |
//! | A ledger's first use on a server that was ever promoted, or that loaded a file | The first permits come after 6 s. With `key` this is so for each new key: see *Redis*. |
//! | The server's clock steps back, or forward at most twice in a lease; clocks run 10 % apart | Nothing. Only fencing tokens may be smaller than those before, if the clock steps back while nobody uses the limiter. |
//! | The limit is lowered in one process | Grants stop at once. Permits above it come back as leases are renewed (2 s) and calls end. |
//! | The limit is raised | It holds when no process with the lower limit is left, or all have raised it. |
//! | A limiter is dropped while its permits are out | They lose their lease, and the share goes back. |
//! | Processes have different leases | Those that come later get an error and no permits. |
//! | ✗ The server's clock steps forward three times in a lease, or in the first 6 s after it restarted empty | The limit may be exceeded for one lease. |
//! | ✗ Somebody deletes the ledger (`FLUSHALL`, `DEL`, eviction by `maxmemory-policy`), and a new process asks before a holder has renewed | The limit may be exceeded for one lease. |
//! | ✗ Split brain: the old master goes on beside the new one | Up to twice the limit. `min-replicas-to-write 1` prevents it. |
//! | ✗ A virtual machine is cloned while it runs, or the process forks and goes on in the child | Up to twice its share, until both have spoken (2 s) or the lease is over. |
//!
//! Only the rows with ✗ may exceed the limit. [`FleetBuilder::start`] warns if the server's settings make one of
//! them likely.
//!
//! # Calls that lose their lease
//!
//! A call that runs is not interrupted when its lease ends: the ledger gives the permit to another process, and
//! for a while more calls run than the limit says. No lease can prevent that, because the network may part a
//! process from Redis while its call talks to the database. There are three ways to deal with it:
//!
//! * `on_lease_lost = cancel` drops the body.
//! * [`Permit::is_valid`](limit_runtime::Permit::is_valid) and
//!   [`Permit::lease_lost`](limit_runtime::Permit::lease_lost) tell the body.
//! * With a limit of 1, [`Permit::fencing_token`](limit_runtime::Permit::fencing_token) gives a number that grows
//!   from holder to holder. A database that refuses smaller numbers is safe. With a larger limit two valid holders
//!   have different tokens, so there is none.
//!
//! # What it costs
//!
//! FIGURES
//!
//! # Redis
//!
//! Redis 6.2 or later, or Valkey. Each ledger is one hash, `limit:{namespace/limiter}` or
//! `limit:{namespace/limiter/key}`, so a cluster spreads them over its servers. It expires 7 days after the last
//! message. A ledger that nobody uses is deleted at once, but not on a server that was ever promoted or that loaded a
//! file (`master_replid2` in `INFO replication` is not all zeros): there it stays for the 7 days, because a new one
//! begins with 6 s without permits. So do not use keys there that come once and by the million, such as the ids of
//! requests. A key is a part of the name of its hash. Hash keys that come from outside and may be long.
//!
//! The user of the connection needs `EVAL`, `EVALSHA`, `INFO`, `PUBLISH`, `SUBSCRIBE`, and the commands of a
//! hash.
//! `limit-fleet status redis://…` prints all ledgers.
//!
//! # Sources
//!
//! Leases with a deadline: Gray and Cheriton, *Leases: an efficient fault-tolerant mechanism for distributed file
//! cache consistency* (1989). Fencing tokens: M. Kleppmann, *How to do distributed locking* (2016). Water-filling
//! of shares: max-min fairness, Bertsekas and Gallager, *Data Networks* (1992), section 6.5.2.
#![forbid(unsafe_code)]

mod clock_steps;
mod fleet;
pub mod ledger;
#[cfg(feature = "tracing")]
mod logging;
#[cfg(not(feature = "tracing"))]
#[path = "logging/off.rs"]
mod logging;
mod memory_store;
pub mod message;
mod name;
pub mod node;
mod process;
mod redis_store;
pub mod script;
mod store;
mod store_error;

pub use fleet::{Fleet, FleetBuilder, StartError};
pub use memory_store::MemoryStore;
pub use name::LedgerName;
pub use redis_store::RedisStore;
pub use store::{LeaseStore, attempt_timeout};
pub use store_error::{StoreError, StoreErrorKind};
