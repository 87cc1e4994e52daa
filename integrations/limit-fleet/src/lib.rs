//! One limit over many processes.
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
