use limit_runtime::concurrency_limit;

#[concurrency_limit(3, blocking)]
const fn constant() -> u8 {
    1
}

fn main() {}
