use limit_runtime::concurrency_limit;

fn most() -> usize {
    200
}

#[concurrency_limit(4..=most())]
async fn call() {}

fn main() {}
