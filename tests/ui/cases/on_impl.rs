use limit_runtime::concurrency_limit;

struct Client;

#[concurrency_limit(3)]
impl Client {
    async fn fetch(&self) {}
}

#[concurrency_limit(3)]
unsafe impl Send for Client {}

async fn caller(client: Client) {
    client.fetch().await;
}

fn main() {}
