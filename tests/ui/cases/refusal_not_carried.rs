use limit_runtime::concurrency_limit;

#[concurrency_limit(3, max_waiting = 1)]
async fn nothing() {}

#[concurrency_limit(3, max_wait = "1s")]
async fn unit() -> () {}

#[concurrency_limit(3, weight = 2, max_waiting = 1)]
async fn number() -> u8 {
    1
}

#[concurrency_limit(3, max_waiting = 1)]
async fn reference() -> &'static str {
    ""
}

#[concurrency_limit(3, max_waiting = 1)]
async fn never() -> ! {
    loop {}
}

#[concurrency_limit(3, max_waiting = 1)]
async fn tuple() -> (u8, Option<u8>) {
    (1, None)
}

#[concurrency_limit(3, max_waiting = 1, blocking)]
fn blocks() -> [u8; 2] {
    [1, 2]
}

static LIMITER: limit_runtime::Limiter = limit_runtime::Limiter::new("db", 3);

#[concurrency_limit(limiter = LIMITER, weight = 2)]
async fn existing_limiter() {}

fn main() {}
