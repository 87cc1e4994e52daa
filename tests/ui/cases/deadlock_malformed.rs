use limit_runtime::{Rejected, concurrency_limit};

#[concurrency_limit(3, on_deadlock = cancel)]
async fn another_word() {}

#[concurrency_limit(3, on_deadlock = "refuse")]
async fn quoted() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(3, on_deadlock)]
async fn no_value() {}

fn main() {}
