use limit_runtime::{Limiter, concurrency_limit};

static LIMITER: Limiter = Limiter::adaptive("limiter", 4..=200);

#[concurrency_limit(3, overload = |output| output.is_none())]
async fn of_a_number() -> Option<u8> {
    None
}

#[concurrency_limit(3, key = id, total = 10, overload = |output| output.is_none())]
async fn of_a_total(id: u8) -> Option<u8> {
    Some(id)
}

#[concurrency_limit(4..=200, overload = |output| output.is_none(), permit = permit)]
async fn beside_permit() -> Option<u8> {
    drop(permit);
    None
}

#[concurrency_limit(limiter = LIMITER, permit = permit, overload = |output| output.is_none())]
async fn beside_permit_and_limiter() -> Option<u8> {
    drop(permit);
    None
}

#[concurrency_limit(4..=200, overload = true)]
async fn boolean() {}

#[concurrency_limit(4..=200, overload = output.is_none())]
async fn expression() -> Option<u8> {
    None
}

#[concurrency_limit(4..=200, overload = async |output| output.is_none())]
async fn asynchronous() -> Option<u8> {
    None
}

#[concurrency_limit(4..=200, overload = || false)]
async fn no_parameter() {}

#[concurrency_limit(4..=200, overload = |output, more| false)]
async fn two_parameters() {}

#[concurrency_limit(4..=200, overload = |_| false)]
async fn never() -> ! {
    std::future::pending().await
}

#[concurrency_limit(4..=200, overload)]
async fn alone() {}

fn main() {}
