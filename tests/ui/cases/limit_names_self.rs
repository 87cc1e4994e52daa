use limit_runtime::concurrency_limit;

struct Client {
    limit: usize,
}

impl Client {
    const LIMIT: usize = 3;

    #[concurrency_limit(Self::LIMIT)]
    async fn associated(&self) {}

    #[concurrency_limit(self.limit)]
    async fn field(&self) {}
}

fn main() {}
