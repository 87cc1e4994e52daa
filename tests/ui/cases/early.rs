use limit_runtime::{Rejected, concurrency_limit};

#[concurrency_limit(3, early)]
async fn without_max_wait() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(3, early, max_waiting = 10)]
async fn with_a_bound() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(3, max_wait = "1s", early, order = lifo)]
async fn with_the_newest_first() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(3, max_wait = "1s", early = true)]
async fn with_a_value() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(limiter = LIMITER, max_wait = "1s", early)]
async fn beside_a_limiter() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(3, max_wait = "1s", early, order = deadline, max_waiting = 10)]
async fn fine() -> Result<(), Rejected> {
    Ok(())
}

fn main() {}
