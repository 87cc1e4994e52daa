//! The store on real servers.
//!
//! Each test starts the servers that it needs, on free ports of this machine, and ends them.

mod address;
mod checks;
#[cfg(feature = "cluster")]
mod cluster;
#[cfg(feature = "cli")]
mod command;
mod faults;
#[cfg(feature = "cluster")]
#[path = "../support/masters.rs"]
mod masters;
mod node;
#[path = "../support/proxy.rs"]
#[allow(dead_code, reason = "another target uses the rest")]
mod proxy;
mod renewals;
#[cfg(feature = "sentinel")]
#[path = "../support/replicated.rs"]
mod replicated;
mod replies;
#[cfg(feature = "sentinel")]
mod sentinel;
#[path = "../support/servers.rs"]
#[allow(dead_code, reason = "another target uses the rest")]
mod servers;
#[cfg(all(feature = "cli", feature = "tls"))]
mod tls;
#[path = "../support/waiting.rs"]
mod waiting;
