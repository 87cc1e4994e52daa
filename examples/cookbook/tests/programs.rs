//! The programs, as modules.
#![allow(dead_code, reason = "`main` is for who runs them")]

#[path = "../as_completed.rs"]
pub(crate) mod as_completed;
#[path = "../callback.rs"]
pub(crate) mod callback;
#[cfg(feature = "connections")]
#[path = "../connections.rs"]
pub(crate) mod connections;
#[path = "../cpu_bound.rs"]
pub(crate) mod cpu_bound;
#[path = "../decorator.rs"]
pub(crate) mod decorator;
#[path = "../environment.rs"]
pub(crate) mod environment;
#[path = "../event_loops.rs"]
pub(crate) mod event_loops;
#[path = "../gather.rs"]
pub(crate) mod gather;
#[path = "../generator.rs"]
pub(crate) mod generator;
#[path = "../pool_map.rs"]
pub(crate) mod pool_map;
#[path = "../queue.rs"]
pub(crate) mod queue;
#[path = "../rate.rs"]
pub(crate) mod rate;
#[path = "../resize.rs"]
pub(crate) mod resize;
#[path = "../semaphore.rs"]
pub(crate) mod semaphore;
#[path = "../timeout.rs"]
pub(crate) mod timeout;
#[path = "../two_limits.rs"]
pub(crate) mod two_limits;
#[path = "../wait_first.rs"]
pub(crate) mod wait_first;
