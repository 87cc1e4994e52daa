//! Futures that are not `Send` where they must be.

use limit_runtime::concurrency_limit;
use std::rc::Rc;

#[concurrency_limit(3)]
async fn holds_an_rc() -> u8 {
    let shared = Rc::new(1);
    tokio::task::yield_now().await;
    *shared
}

#[concurrency_limit(3)]
async fn holds_a_guard(mutex: &'static std::sync::Mutex<u8>) -> u8 {
    let guard = mutex.lock().unwrap();
    tokio::task::yield_now().await;
    *guard
}

fn main() {
    static MUTEX: std::sync::Mutex<u8> = std::sync::Mutex::new(1);
    tokio::spawn(holds_an_rc());
    tokio::spawn(holds_a_guard(&MUTEX));
}
