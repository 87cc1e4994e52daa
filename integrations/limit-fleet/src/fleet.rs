//! Joining a fleet, and the thread that does the work.

mod agent;
mod builder;
mod driver;
mod error;
mod figures;
mod guard;
mod inbox;
mod ledger_task;
mod outage;
mod plan;
mod thread;
mod warnings;

pub use builder::FleetBuilder;
pub use error::StartError;
pub use guard::Fleet;
