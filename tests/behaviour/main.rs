//! What a user can rely on, shown through the public API.

mod support;

mod auto_traits;
mod cancellation;
mod cap;
mod clock;
mod configuration;
mod deadlines;
#[cfg(feature = "tracing")]
mod events;
mod figures;
mod lazy;
mod life;
mod limiters;
mod model;
mod order;
mod queue;
mod resize;
