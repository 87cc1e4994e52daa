use limit_runtime::concurrency_limit;

#[concurrency_limit(3, max_waiting = waiters)]
async fn max_waiting(waiters: usize) -> Option<usize> {
    Some(waiters)
}

#[concurrency_limit(3, per = std::time::Duration::from_secs(seconds))]
async fn per(seconds: u64) -> u64 {
    seconds
}

#[concurrency_limit(3, key = 1, total = N)]
async fn total<const N: usize>() {}

struct Client {
    waiters: usize,
}

impl Client {
    #[concurrency_limit(3, max_waiting = self.waiters)]
    async fn method(&self) -> Option<usize> {
        Some(self.waiters)
    }
}

fn main() {}
