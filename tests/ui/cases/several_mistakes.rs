use limit_runtime::concurrency_limit;

#[concurrency_limit(0, nmae = "db", scope = thread)]
const fn mistaken() {}

fn caller() {
    // The function is still there.
    mistaken();
}

fn main() {}
