//! Runs a program until it ends, or until it is clear that it hangs.

use std::pin::Pin;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use limit_runtime::{Limiter, Scope};
use tokio::runtime::{Builder, Runtime};
use tokio::select;
use tokio::time::{sleep, timeout};

pub(crate) type Program = Pin<Box<dyn Future<Output = ()>>>;

/// The time for which a program with a limiter may run.
const PATIENCE: Duration = Duration::from_secs(20);

/// Returns whether a program hangs. On a paused clock an hour passes as soon as no task can run, so this takes no
/// time.
pub(crate) fn hangs(program: Program) -> Result<bool> {
    let paused = runtime(true)?;
    Ok(paused.block_on(async { timeout(Duration::from_hours(1), program).await }).is_err())
}

/// Runs a program with a limiter of this name to its end, and says which grant was taken back. That happens in real
/// time.
pub(crate) fn goes_on(name: &'static str, run: fn(&'static Limiter) -> Program) -> Result<String> {
    let limiter = Box::leak(Box::new(Limiter::new(name, 1).scope(Scope::Process)));
    let mut first = None;
    let start = Instant::now();
    runtime(false)?.block_on(async {
        let watch = async {
            loop {
                sleep(Duration::from_millis(100)).await;
                // The call that does not claim its grant has waited longest.
                first = limiter.waiters().into_iter().next().or(first.take());
            }
        };
        select! {
            () = run(limiter) => Ok(()),
            () = watch => unreachable!("it has no end"),
            () = sleep(PATIENCE) => bail!("hangs"),
        }
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let Some(call) = first.filter(|_| limiter.snapshot().total.taken_back > 0) else {
        bail!("ends after {seconds:.1} s, but no grant was taken back");
    };
    Ok(format!(
        "goes on after {seconds:.1} s: the grant was taken back\n(limiter `{name}`, {})",
        call.place()
    ))
}

/// Returns a runtime of one thread.
fn runtime(is_paused: bool) -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_time().start_paused(is_paused).build()?)
}
