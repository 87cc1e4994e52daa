use limit_runtime::concurrency_limit;

trait Fetch {
    #[concurrency_limit(3)]
    async fn fetch(&self) -> u8;
}

struct Client;

impl Fetch for Client {
    async fn fetch(&self) -> u8 {
        1
    }
}

fn main() {}
