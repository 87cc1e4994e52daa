//! What a user can rely on, shown through the public API.

mod support;

mod auto_traits;
mod cancellation;
mod cap;
mod clock;
mod configuration;
mod deadlines;
mod figures;
mod lazy;
mod life;
mod limiters;
mod model;
mod order;
mod queue;
mod resize;
mod runtimes;
mod sharing;
mod shutdown;
mod which_runtime;
mod wrong_loop;
