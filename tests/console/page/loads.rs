//! Loads of a shop, for pictures.

use crate::program::Program;
use limit_runtime::{KeyedLimiter, Limiter, Rejected};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// Makes callers of the limiter at which all is well.
pub(crate) fn search(program: &Program) {
    static SEARCH: Limiter = Limiter::new("shop::search", 16);
    callers(program, &SEARCH, 11, 12);
}

/// Makes a job that hangs, a noisy tenant, a limiter that fails fast, a full one, one in shadow and one that adapts.
pub(crate) fn troubles(program: &Program) {
    static IMPORT: Limiter = Limiter::new("shop::imports::nightly", 1);
    static REPORT: Limiter<Rejected> = Limiter::new("shop::report", 2).max_waiting(60);
    static ORDERS: KeyedLimiter = Limiter::new("shop::orders", 3).keyed().total(40);
    static DOWNLOAD: Limiter = Limiter::new("shop::download", 4);
    static EXCHANGE: Limiter = Limiter::new("shop::bank::exchange_rate", 6).shadow();
    static DB: Limiter = Limiter::adaptive("shop::db", 4..=200);
    program.calls(&IMPORT, 8);
    callers(program, &DOWNLOAD, 7, 700);
    callers(program, &EXCHANGE, 3, 90);
    callers_of_a_backend(program, &DB, 20, 90);
    callers_of_keys(program, &ORDERS, 200);
    for n in 0..90 {
        program.spawn(async move {
            loop {
                let permit = REPORT.acquire().await;
                let time = if permit.is_ok() { 100 } else { 1500 + 10 * n };
                sleep(Duration::from_millis(time)).await;
            }
        });
    }
}

/// Makes so many callers of a limiter. Each call takes so long.
pub(crate) fn callers(
    program: &Program,
    limiter: &'static Limiter,
    callers: usize,
    milliseconds: u64,
) {
    for _ in 0..callers {
        program.spawn(async move {
            loop {
                let _permit = limiter.acquire().await;
                sleep(Duration::from_millis(milliseconds)).await;
            }
        });
    }
}

/// Makes callers of three keys, of which one is noisy.
pub(crate) fn callers_of_keys(
    program: &Program,
    limiter: &'static KeyedLimiter,
    milliseconds: u64,
) {
    for (key, tasks) in [("acme", 40), ("globex", 2), ("initech", 2)] {
        for _ in 0..tasks {
            program.spawn(async move {
                loop {
                    let _permit = limiter.key(key.to_owned()).acquire().await;
                    sleep(Duration::from_millis(milliseconds)).await;
                }
            });
        }
    }
}

/// Makes so many callers of a backend that works on some calls at a time. At first there are few.
pub(crate) fn callers_of_a_backend(
    program: &Program,
    limiter: &'static Limiter,
    workers: usize,
    callers: u64,
) {
    let workers = Arc::new(Semaphore::new(workers));
    for n in 0..callers {
        let workers = Arc::clone(&workers);
        program.spawn(async move {
            sleep(Duration::from_millis(if n < 8 { 0 } else { 8000 })).await;
            loop {
                let _permit = limiter.acquire().await;
                let _worker = workers.acquire().await.expect("it is not closed");
                sleep(Duration::from_millis(20)).await;
            }
        });
    }
}
