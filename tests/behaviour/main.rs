//! The behaviour that a user can rely on, tested through the public API.

mod auto_traits;
mod blocking;
mod bounds;
mod cancellation;
mod cap;
mod clock;
mod closing;
mod configuration;
mod crowd;
mod deadlines;
mod documentation;
mod draining;
mod enabled;
mod figures;
mod first_use;
mod fleet;
mod foreign_wakers;
#[cfg(feature = "inspect")]
mod inspecting;
mod keys;
mod kinds;
mod lazy;
mod life;
mod lifo;
mod limiters;
mod listening;
mod looking;
mod model;
mod options;
mod order;
mod panicking_wakers;
mod permits;
mod polled_again;
mod priorities;
mod queue;
mod rates;
mod resize;
mod retry_after;
#[cfg(feature = "task")]
mod running;
mod runtime_needed;
mod runtimes;
mod setters;
mod settings;
mod shadow;
mod sharing;
mod shown;
mod shutdown;
#[cfg(feature = "task")]
mod tasks;
mod threads;
mod trying;
mod weights;
mod which_runtime;
mod wrong_loop;
mod yielding;
