use limit_runtime::concurrency_limit;

#[concurrency_limit(permits)]
async fn alone(permits: usize) -> usize {
    permits
}

#[concurrency_limit(config.permits * 2)]
async fn inside(Wrapper(config): Wrapper) -> usize {
    config.permits
}

struct Config {
    permits: usize,
}

struct Wrapper(Config);

fn main() {}
