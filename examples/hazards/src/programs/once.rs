//! A call is polled once, to see whether a permit is free. Then its task waits for another task, which needs the permit.

use std::pin::pin;

use futures_util::poll;
use tokio::spawn;

use crate::limit::Limit;

pub(crate) async fn run(limit: &'static impl Limit) {
    let held = limit.acquire().await;
    let mut call = pin!(limit.acquire());
    if poll!(&mut call).is_pending() {
        drop(held); // The permit goes to `call`, which waits for its task,
        let other = spawn(async { drop(limit.acquire().await) });
        other.await.expect("it does not panic"); // which waits for the other task.
    }
}
