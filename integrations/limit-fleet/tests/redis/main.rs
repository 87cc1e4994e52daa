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
mod networks;
mod node;
mod proxy;
mod renewals;
mod replies;
#[cfg(feature = "sentinel")]
mod sentinel;
mod servers;
#[cfg(all(feature = "cli", feature = "tls"))]
mod tls;
mod waiting;
