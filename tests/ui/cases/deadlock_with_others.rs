use limit_runtime::{Limiter, Rejected, concurrency_limit};

static LIMITER: Limiter<Rejected> = Limiter::new("db", 3).max_waiting(9);

#[concurrency_limit(limiter = LIMITER, on_deadlock = refuse)]
async fn existing_limiter() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(3, on_deadlock = refuse, max_waiting = 0)]
async fn nobody_waits() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(3, shadow, on_deadlock = refuse)]
async fn shadow() {}

#[concurrency_limit(3, max_wait = "5s", on_deadlock = refuse)]
async fn waits_end() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(3, on_deadlock = warn, on_reject = |_| ())]
async fn refuses_nothing() {}

#[concurrency_limit(3, on_deadlock = refuse)]
async fn refusal_not_carried() -> u8 {
    1
}

fn main() {}
