//! Tests the promises of each program of the cookbook, where possible on a clock that leaps.
#![forbid(unsafe_code)]

mod programs;

mod adapting;
mod as_completed;
mod callback;
#[cfg(feature = "connections")]
mod connections;
mod cpu_bound;
mod decorator;
mod environment;
mod event_loops;
mod gather;
mod generator;
mod learned_size;
#[cfg(feature = "overload")]
mod overload;
mod pool_map;
mod queue;
mod rate;
mod resize;
mod semaphore;
mod several_limits;
mod shares;
mod shedding;
mod tenants;
mod timeout;
mod two_limits;
mod wait_first;
mod warm_start;

type Error = Box<dyn std::error::Error>;
type Result<T = ()> = std::result::Result<T, Error>;

/// The text that a server prints after requests for pages 1 to 9, always three at a time.
const NINE_BY_THREES: &str = "after 0.0 s: 1, 2, 3\n\
                              after 0.1 s: 4, 5, 6\n\
                              after 0.2 s: 7, 8, 9\n\
                              at most 3 at once";
