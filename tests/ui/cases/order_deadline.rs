use limit_runtime::{Rejected, concurrency_limit};

#[concurrency_limit(3, order = deadline)]
async fn without_max_wait() {}

#[concurrency_limit(3, order = deadline, max_wait = "1s", priority = 1)]
async fn with_priority() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(3, priority = urgent, order = deadline, max_wait = "1s")]
async fn with_priority_before(urgent: u8) -> Result<u8, Rejected> {
    Ok(urgent)
}

#[concurrency_limit(3, order = edf, max_wait = "1s")]
async fn of_another_name() -> Result<(), Rejected> {
    Ok(())
}

// A policy is tried out.
#[concurrency_limit(3, order = deadline, shadow)]
async fn in_shadow() {}

#[concurrency_limit(3, order = fifo)]
async fn in_order_of_arrival() {}

fn main() {}
