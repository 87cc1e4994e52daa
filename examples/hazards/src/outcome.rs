//! Runs a program until it ends, or until it is clear that it hangs.

use std::pin::Pin;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use limit_runtime::diagnostics::{deadlocks, warn_of_order};
use limit_runtime::{Limiter, Rejected, RejectedKind, Scope};
use tokio::runtime::{Builder, Runtime};
use tokio::select;
use tokio::time::{sleep, timeout};

use crate::log;

/// The result of a program, as this example promises it.
pub(crate) struct Outcome {
    pub(crate) is_good: bool,
    pub(crate) text: String,
}

impl Outcome {
    fn good(text: impl Into<String>) -> Self {
        Self { is_good: true, text: text.into() }
    }

    fn bad(text: impl Into<String>) -> Self {
        Self { is_good: false, text: text.into() }
    }
}

pub(crate) type Program = Pin<Box<dyn Future<Output = ()>>>;

/// The time for which a program with a limiter may run.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a program that is to hang. On a paused clock an hour passes as soon as no task can run, so this takes no
/// time.
pub(crate) fn hangs(program: impl Future<Output = ()>) -> Result<Outcome> {
    match runtime(true)?.block_on(async { timeout(Duration::from_hours(1), program).await }) {
        Ok(()) => bail!("goes on, but should hang"),
        Err(_) => Ok(Outcome::bad("hangs")),
    }
}

/// Runs a program that is to end.
pub(crate) fn ends(program: impl Future<Output = ()>) -> Result<Outcome> {
    match runtime(true)?.block_on(async { timeout(Duration::from_hours(1), program).await }) {
        Ok(()) => Ok(Outcome::bad("goes on, and nothing says that it can hang")),
        Err(_) => bail!("hangs"),
    }
}

/// Runs a program with a limiter of this name to its end, and says which grant was taken back. That happens in real
/// time.
pub(crate) fn goes_on(name: &'static str, run: fn(&'static Limiter) -> Program) -> Result<Outcome> {
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
    let after = seconds(start);
    let Some(call) = first.filter(|_| limiter.snapshot().total.taken_back > 0) else {
        bail!("ends after {after}, but no grant was taken back");
    };
    // The warning comes after the grant has gone to the next. By then the call may have ended, too: then there is
    // none.
    let warning = runtime(false)?.block_on(async {
        timeout(Duration::from_millis(500), next_warning("grant was taken back")).await
    });
    Ok(Outcome::good(format!(
        "goes on after {after}: the grant was taken back\n(limiter `{name}`, {})\n{}",
        call.place(),
        warning.unwrap_or_default()
    )))
}

/// Runs a program until the log says that it hangs.
pub(crate) fn is_told_of(program: impl Future<Output = ()>) -> Result<Outcome> {
    let start = Instant::now();
    let warning = runtime(false)?.block_on(async {
        select! {
            () = program => bail!("goes on, but should hang"),
            warning = next_warning("deadlock: ") => Ok(warning),
            () = sleep(PATIENCE) => bail!("hangs, and nothing is said"),
        }
    })?;
    // The runtime is gone with its tasks.
    if !deadlocks().is_empty() {
        bail!("the deadlock lasts, though its tasks are gone");
    }
    let after = seconds(start);
    Ok(Outcome::bad(format!("hangs as well, and the log says why after {after}:\n{warning}")))
}

/// Runs a program to its end, and says which call gave way.
pub(crate) fn gives_way(
    program: impl Future<Output = [Result<(), Rejected>; 2]>,
) -> Result<Outcome> {
    let start = Instant::now();
    runtime(false)?.block_on(async {
        let Ok(ended) = timeout(PATIENCE, program).await else { bail!("hangs") };
        let after = seconds(start);
        let ([Err(refused), Ok(())] | [Ok(()), Err(refused)]) = ended else {
            bail!("ends, but not because one call gave way: {ended:?}");
        };
        if refused.kind() != RejectedKind::Deadlock {
            bail!("ends, but for another reason: {refused}");
        }
        // The call gives way before that is logged.
        let warning = timeout(PATIENCE, next_warning("deadlock: ")).await?;
        let text = format!("goes on after {after}: one call was refused\n{refused}\n{warning}");
        Ok(Outcome::good(text))
    })
}

/// Runs a program to its end, and says what the log warns of. Only debug builds warn.
pub(crate) fn is_warned_of(program: impl Future<Output = ()>) -> Result<Outcome> {
    warn_of_order(true);
    let ended = runtime(false)?.block_on(async { timeout(PATIENCE, program).await });
    warn_of_order(false);
    if ended.is_err() {
        bail!("hangs");
    }
    match log::take() {
        log if !log.is_empty() => {
            let text = format!("goes on, and the log says that it can hang:\n{}", log::tidy(&log));
            Ok(Outcome::good(text))
        }
        _ if cfg!(debug_assertions) => bail!("goes on, but the log does not say that it can hang"),
        _ => Ok(Outcome::bad("goes on; the log of a debug build says that it can hang")),
    }
}

/// Waits until a warning with this text is logged. Returns the log.
async fn next_warning(text: &str) -> String {
    let mut log = String::new();
    loop {
        log += &log::take();
        if log.contains(text) {
            return log::tidy(&log);
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Returns a runtime of one thread.
fn runtime(is_paused: bool) -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_time().start_paused(is_paused).build()?)
}

fn seconds(start: Instant) -> String {
    format!("{:.1} s", start.elapsed().as_secs_f64())
}
