//! A fleet of real processes on real servers, while processes, networks and servers fail.
//!
//! The processes are this program, which starts itself again as a [worker]. Each worker writes down the start and
//! the end of each call, on one clock for all. The [calls] module reads that and knows nothing of the limiter.
//!
//! Each case starts the servers that it needs. The cases run beside one another, because they mostly wait for
//! leases to end. So this target has a [runner] of its own: the usual one starts as many tests as there are cores.

mod calls;
mod cases;
mod made_up_logs;
#[cfg(feature = "cluster")]
#[path = "../support/masters.rs"]
#[allow(dead_code, reason = "another target uses the rest")]
mod masters;
#[path = "../support/proxy.rs"]
#[allow(dead_code, reason = "another target uses the rest")]
mod proxy;
#[cfg(feature = "sentinel")]
#[path = "../support/replicated.rs"]
#[allow(dead_code, reason = "another target uses the rest")]
mod replicated;
mod runner;
#[path = "../support/servers.rs"]
#[allow(dead_code, reason = "another target uses the rest")]
mod servers;
#[path = "../support/waiting.rs"]
mod waiting;
mod worker;
mod workers;

fn main() {
    match worker::settings() {
        Some(settings) => worker::run(&settings),
        None => runner::run(&cases::all()),
    }
}
