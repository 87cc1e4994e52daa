use limit_runtime::concurrency_limit;

struct Config {
    most: usize,
}

fn most() -> usize {
    200
}

impl Config {
    #[concurrency_limit(4..=self.most)]
    async fn field(&self) {}

    #[concurrency_limit(4..=Self::MOST)]
    async fn of_the_type(&self) {}

    const MOST: usize = 200;
}

#[concurrency_limit(4..=most)]
async fn argument(most: usize) {}

#[concurrency_limit(N..=200)]
async fn parameter<const N: usize>() {}

#[concurrency_limit(3, key = id, total = 4..=id)]
async fn argument_in_total(id: usize) {}

fn main() {
    let _ = most();
}
