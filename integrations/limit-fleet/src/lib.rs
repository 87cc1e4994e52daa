//! One concurrency limit over many processes, for [`limit_runtime`]: `scope = fleet`.
//!
//! A service runs in forty processes. Its database can take a hundred calls at once from all of them:
//!
//! ```no_run
//! use limit_fleet::Fleet;
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(100, scope = fleet, name = "orders-db")]
//! async fn order(id: u64) -> u64 {
//!     id
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), limit_fleet::StartError> {
//!     // Keep it until the last call: from its drop on, calls get no permits.
//!     let fleet = Fleet::connect("redis://redis.internal:6379").namespace("billing").start().await?;
//!     order(7).await;
//!     fleet.stop().await;
//!     Ok(())
//! }
//! ```
//!
//! ```toml
//! [dependencies]
//! limit-fleet = "0.1"                                          # features: see below
//! limit-runtime = { version = "0.1", features = ["fleet"] }
//! ```
//!
//! A call does not ask Redis. Each process *leases* a share of the limit, and serves calls from its share at the price
//! of a local call and a look at the clock. One thread of the process renews the leases. Redis keeps a *ledger* for each
//! limiter (and for each key, with `key`), which never gives out more than the limit in all. Limiters share a ledger if
//! their `name` and the namespace are the same.
//!
//! # Start and stop
//!
//! * [`Fleet::connect`] takes an address of Redis, of a cluster, or of Sentinels: see [`RedisStore`].
//!   [`Fleet::from_env`] takes it from the variable `LIMIT_FLEET_URL`, and does nothing if that is not set.
//! * [`start`](FleetBuilder::start) fails if the store cannot be reached. With [`lazily`](FleetBuilder::lazily) the
//!   service starts all the same.
//! * *Without a started fleet* the limit holds for each process alone. The limiter's snapshot has a warning, and so has
//!   the log (feature `tracing`) or, without a log, stderr.
//! * [`stop`](Fleet::stop) gives the shares back, so that others have them at once. A process that ends without it, for
//!   example by the default handler of `SIGTERM`, keeps its share until the lease is over.
//! * In tests: one process has one fleet at a time. Tests that need none do not start one, or run in another test target
//!   than those that do; [`MemoryStore`] needs no server.
//!
//! | feature | for |
//! |---|---|
//! | `cluster`, `sentinel`, `tls` | addresses of these kinds |
//! | `tracing` | events when the store cannot be reached and when it is back; warnings |
//! | `cli` | the command: `cargo install limit-fleet --features cli`, then `limit-fleet status redis://…` prints all ledgers |
//!
//! # Is it for you?
//!
//! * Use it where the limit is well above the number of processes, or where every process has work.
//! * Where the limit is *below the number of processes and the load is low*, each call must fetch its permit from another
//!   process. Then a semaphore in Redis with a call for each acquisition is as quick or quicker.
//! * It limits how many calls run at once. It does not limit calls a second. A call takes one permit: there is no `weight`.
//!
//! # What happens when something fails
//!
//! Times are those of the default lease of 6 s. A lease ends 1 s earlier in the process than in the ledger. A ledger that
//! may have forgotten something *learns*: for 6 s it takes notice of those who hold permits, and grants none. Calls wait
//! meanwhile, also with `on_unavailable = refuse`.
//!
//! | fault | what happens |
//! |---|---|
//! | A message is lost, late, doubled or overtaken | Nothing. A lease that cannot be renewed ends early. |
//! | A process is killed | Others get its share 6.2 s after its last message, if they wait. If nobody has asked, 6 s after the first who waits. |
//! | A process is stopped for any time (`SIGSTOP`, a suspended machine) | It admits nobody after the end of its lease. Calls that run go on: see *Calls that lose their lease*. |
//! | Redis is away | Calls go on until the lease ends, 5 s after its last renewal began. Then [`on_unavailable`](limit_runtime::OnUnavailable) decides: by default a call that can be refused is refused, and another one waits until Redis is back. |
//! | Messages reach Redis, and its answers get lost | The process admits nobody after its lease. Its share stays reserved for it as long as this lasts. |
//! | Redis restarts empty, or fails over and loses writes | Nobody gets *new* permits for 6 s. Holders go on and renew. |
//! | A ledger's first use on a server that became master in a fail-over, or that loaded its data from a file | The first permits may come after 6 s. With `key` this is so for each new key: see *Redis*. |
//! | The server's clock steps back, or forward at most twice in a lease; clocks run 10 % apart | Nothing. Only fencing tokens may be smaller than those before, if the clock steps back while nobody uses the limiter. |
//! | The limit is lowered in one process | Grants stop at once. Permits above it come back as leases are renewed (2 s) and calls end. A process that is idle and has no share says its limit with its next call. |
//! | The limit is raised | It holds when no process with the lower limit is left, or all have raised it. |
//! | Processes have different leases | Those that come later get a warning and no permits, until the last process with the other lease is gone. |
//! | A limiter is dropped while its permits are out | They lose their lease, and the share goes back. |
//! | ✗ The server's clock steps forward three times in a lease, or in the first 6 s after it restarted empty | The limit may be exceeded for one lease. |
//! | ✗ Somebody deletes the ledger (`FLUSHALL`, `DEL`, eviction by `maxmemory-policy`), and a new process asks before a holder has renewed | The limit may be exceeded for one lease. |
//! | ✗ Split brain: the old master goes on beside the new one | Up to twice the limit. `min-replicas-to-write 1` prevents it. |
//! | ✗ A virtual machine is cloned while it runs, or the process forks and goes on in the child | Up to twice its share, until both have sent a message (2 s) or the lease is over. |
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
//! * `on_lease_lost = cancel` drops the body. It cannot stand beside `permit = …`.
//! * [`Permit::is_valid`](limit_runtime::Permit::is_valid) and
//!   [`Permit::lease_lost`](limit_runtime::Permit::lease_lost) tell the body.
//! * With a limit of 1, [`Permit::fencing_token`](limit_runtime::Permit::fencing_token) gives a number below 2^53 that
//!   grows from one process to the next. Calls of one process may have the same. So a database that refuses *smaller*
//!   numbers than it has seen is safe. With a larger limit two valid holders have different tokens, so there is none.
//!
//! # What it costs
//!
//! * A call that finds a permit of its process free takes some 55 ns, of which 25 are the look at the clock.
//!   It does not touch the network.
//! * With a limit of 200 over 8 processes at a quarter of the load, Redis has one message for each 800 calls.
//! * With a limit of 20 over 8 processes that want more all the time, it has one for each 20 calls, and as many
//!   pushes; 99 % of the limit is used.
//! * With a limit of 3 over 40 processes, it has one or two for each call.
//! * An idle process sends nothing. A ledger with 1,000 processes takes a tenth of a core of the server.
//!
//! These were measured on two cores with Redis 7.0. `BENCHMARKS.md` of the repository has the method, a semaphore
//! in Redis beside it, and the losses.
//!
//! A process that waits hears of a free permit by a push. Without pushes, because the user of the connection may not
//! `SUBSCRIBE` for example, processes only poll: the limit holds, and less of it is used.
//!
//! A call that may not wait (`max_waiting = 0`, `try_acquire`) is refused while the process has no share: at its first
//! use, after it was idle, and for each new key. The refusal makes the process ask, and the next call finds permits.
//! For the same reason give `max_waiting` some room for the calls of the first milliseconds.
//!
//! A limit that the processes cannot share evenly, such as 5 over 2, passes its odd permit around every 50 ms while all of
//! them want more: some 17 messages a second for each process, however long the calls are.
//!
//! # Redis
//!
//! Redis 6.2 or later, or Valkey. Each ledger is one hash, `limit:{namespace/limiter}` or
//! `limit:{namespace/limiter/key}`, so a cluster spreads them over its servers. It expires 7 days after the last
//! message. A ledger that nobody uses is deleted at once, but not on a server that was ever promoted or that loaded a
//! file (`master_replid2` in `INFO replication` is not all zeros): there it stays for an hour, because a new one
//! begins with 6 s without permits. So do not use keys there that come once and by the million, such as the ids of
//! requests. A key is a part of the name of its hash. Hash keys that come from outside and may be long.
//!
//! [`RedisStore`] has the permissions that the user of the connection needs.
//!
//! # Words
//!
//! *Node*: a process, for one ledger. *Share*: the permits that a node may use. *Want*: its running and waiting calls.
//! *Learning*: see above. They stand in figures, in the log, and in what the command prints.
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
