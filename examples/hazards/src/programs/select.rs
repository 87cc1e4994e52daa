//! A call is handed the permit while `select!` runs another arm.

use std::pin::pin;

use tokio::select;
use tokio::task::yield_now;

use crate::limit::Limit;

pub(crate) async fn run(limit: &'static impl Limit) {
    let held = limit.acquire().await;
    let mut call = pin!(limit.acquire());
    select! {
        biased;
        _ = &mut call => {}
        // Something else comes first: a tick, a message, a time-out.
        () = yield_now() => {
            drop(held); // The permit goes to `call`, which this arm does not poll,
            limit.acquire().await; // and this call waits behind it.
        }
    }
}
