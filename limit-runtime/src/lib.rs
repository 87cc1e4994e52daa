//! Concurrency limits for async functions: one line, one set of permits for each tokio runtime.
#![forbid(unsafe_code)]

mod acquire;
mod limiter;
mod metrics;
mod permit;
mod registry;
mod rejected;
mod runtime_id;
mod scope;
mod semaphore;
mod sync;

pub use acquire::{Acquire, AcquireMany};
pub use limit_macros::concurrency_limit;
pub use limiter::{Limiter, LimiterHandle, find, limiters};
pub use metrics::{Figures, RejectedCounts, RuntimeSnapshot, Snapshot, WaitTimes};
pub use permit::Permit;
pub use rejected::{Rejected, RejectedKind};
pub use scope::Scope;
