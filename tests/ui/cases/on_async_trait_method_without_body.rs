use limit_runtime::concurrency_limit;

#[async_trait::async_trait]
trait Fetch {
    #[concurrency_limit(3)]
    async fn fetch(&self) -> u8;
}

fn main() {}
