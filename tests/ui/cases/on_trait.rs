use limit_runtime::concurrency_limit;

#[concurrency_limit(3)]
pub trait Fetch {
    async fn fetch(&self) {}
}

fn main() {}
