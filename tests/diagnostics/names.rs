//! Names that are not there.

use limit_runtime::concurrency_limit;

#[concurrency_limit(3)]
async fn variable() -> u8 {
    number
}

#[concurrency_limit(3)]
async fn function() -> u8 {
    missing(1).await
}

#[concurrency_limit(3)]
async fn path() -> Missing {
    missing::Missing::new()
}

#[concurrency_limit(3)]
async fn no_label() {
    loop {
        break 'missing;
    }
}

fn main() {}
