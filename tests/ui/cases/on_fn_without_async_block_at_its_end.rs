use limit_runtime::concurrency_limit;

use std::future::Future;
use std::pin::Pin;

#[concurrency_limit(3)]
fn elsewhere() -> impl Future<Output = ()> {
    other()
}

#[concurrency_limit(3)]
fn named_before() -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let future = async {};
    Box::pin(future)
}

#[concurrency_limit(3)]
fn branches(first: bool) -> Pin<Box<dyn Future<Output = ()>>> {
    if first { Box::pin(async {}) } else { Box::pin(other()) }
}

async fn other() {}

fn main() {}
