use limit_runtime::concurrency_limit;

#[concurrency_limit(3)]
const fn constant() -> u8 {
    1
}

const ONE: u8 = constant();

fn main() {}
