//! The programs, as modules.
#![allow(dead_code, reason = "`main` is for who runs them")]

#[path = "../../cookbook/as_completed.rs"]
pub(crate) mod as_completed;
#[path = "../../cookbook/callback.rs"]
pub(crate) mod callback;
#[path = "../../cookbook/connections.rs"]
pub(crate) mod connections;
#[path = "../../cookbook/cpu_bound.rs"]
pub(crate) mod cpu_bound;
#[path = "../../cookbook/decorator.rs"]
pub(crate) mod decorator;
#[path = "../../cookbook/environment.rs"]
pub(crate) mod environment;
#[path = "../../cookbook/event_loops.rs"]
pub(crate) mod event_loops;
#[path = "../../cookbook/gather.rs"]
pub(crate) mod gather;
#[path = "../../cookbook/generator.rs"]
pub(crate) mod generator;
#[path = "../../cookbook/pool_map.rs"]
pub(crate) mod pool_map;
#[path = "../../cookbook/queue.rs"]
pub(crate) mod queue;
#[path = "../../cookbook/rate.rs"]
pub(crate) mod rate;
#[path = "../../cookbook/resize.rs"]
pub(crate) mod resize;
#[path = "../../cookbook/semaphore.rs"]
pub(crate) mod semaphore;
#[path = "../../cookbook/timeout.rs"]
pub(crate) mod timeout;
#[path = "../../cookbook/two_limits.rs"]
pub(crate) mod two_limits;
#[path = "../../cookbook/wait_first.rs"]
pub(crate) mod wait_first;
