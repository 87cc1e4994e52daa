//! Limiters that are nested in two orders are warned of before anything hangs (feature `diagnostics`, debug builds).
//!
//! All tests share the log and what is known of orders. Each has limiters of its own, and they take turns because one
//! of them switches the warning off.
#![cfg(debug_assertions)]

mod silent;
mod told;

use limit_runtime::diagnostics;
use limit_runtime::{Limiter, Permit};
use limit_tests::log::{Listener, Told};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use tokio::runtime::{Builder, Runtime};
use tracing::{Level, Metadata};

static TOLD: Mutex<Vec<Told>> = Mutex::new(Vec::new());

/// While this lives, calls are recorded, the log is read, and no other test runs.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    static LISTEN: Once = Once::new();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    LISTEN.call_once(|| {
        let is_ours = |metadata: &Metadata<'_>| {
            metadata.target() == "limit_runtime" && *metadata.level() <= Level::WARN
        };
        let listener = Listener::new(is_ours, |event| {
            let told = Told::read(event);
            let is_to_panic = told.field("limiter").starts_with("panic");
            TOLD.lock().unwrap_or_else(PoisonError::into_inner).push(told);
            assert!(!is_to_panic, "as the test wants it");
        });
        tracing::subscriber::set_global_default(listener).expect("nobody else listens");
    });
    diagnostics::record(true);
    turn
}

/// Returns the warnings about the order of a limiter and others.
fn told(limiter: &str) -> Vec<String> {
    let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let texts = told.iter().map(|told| told.field("message"));
    let is_its = |text: &&str| {
        text.starts_with("limiters are nested") && text.contains(&format!("`{limiter}`"))
    };
    texts.filter(is_its).map(str::to_owned).collect()
}

/// Returns two limiters with names that begin with `name`.
fn two(name: &str) -> [Limiter; 2] {
    ["a", "b"].map(|letter| Limiter::named(format!("{name}-{letter}"), 1))
}

/// Takes a permit of each, the second inside the first.
async fn nest(outer: &Limiter, inner: &Limiter) {
    let outer: Permit = outer.acquire().await;
    drop(inner.acquire().await);
    drop(outer);
}

/// Returns a runtime of one thread, which runs while it blocks on a future.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}
