//! The end of the service: it refuses new calls and lets running calls finish.

use std::io;

use anyhow::anyhow;
use limit_runtime::{LimiterHandle, Unsupported, limiters};
use tokio::time::Instant;

/// The signals that ask the program to stop: Ctrl-C and, on Unix, SIGTERM.
#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Listens for the signals, which from now on do not end the program.
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { interrupt, terminate })
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
pub(crate) struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    pub(crate) async fn next(&mut self) {
        self.0.recv().await;
    }
}

/// Closes all limiters, which then refuse the calls that wait and all later calls.
///
/// Fails with [`Unsupported`] if a limiter cannot refuse calls. Each function of this program has a
/// bounded queue, so its limiter can.
pub(crate) fn close() -> Result<(), Unsupported> {
    let limiters = limiters();
    limiters.iter().try_for_each(LimiterHandle::close)?;
    let inside: usize = limiters.iter().map(|limiter| limiter.snapshot().total.in_use).sum();
    let calls = if inside == 1 { "call" } else { "calls" };
    println!("closed: waiting for {inside} {calls} (Ctrl-C again to leave at once)");
    Ok(())
}

/// Waits for the running calls, at most until `deadline`.
pub(crate) async fn drain(deadline: Instant) -> anyhow::Result<()> {
    let mut undrained = Vec::new();
    for limiter in limiters() {
        let left = deadline.saturating_duration_since(Instant::now());
        if let Err(error) = limiter.drain_within(left).await {
            undrained.push(error.to_string());
        }
    }
    if undrained.is_empty() { Ok(()) } else { Err(anyhow!(undrained.join("; "))) }
}

/// Prints the figures of all limiters.
pub(crate) fn report() {
    println!(
        "\n{:<14} {:>8} {:>10} {:>9} {:>6}  wait p99",
        "", "admitted", "queue full", "timed out", "closed"
    );
    for limiter in limiters() {
        let snapshot = limiter.snapshot();
        let total = snapshot.total;
        println!(
            "{:<14} {:>8} {:>10} {:>9} {:>6}  {}",
            snapshot.name,
            total.admitted_at_once + total.admitted_after_waiting,
            total.rejected.queue_full,
            total.rejected.timed_out,
            total.rejected.closed,
            // A limiter for which nobody has waited yet has no wait times.
            if total.wait.count == 0 {
                "–".to_owned()
            } else {
                format!("{:.1?}", total.wait.p99)
            },
        );
    }
}
