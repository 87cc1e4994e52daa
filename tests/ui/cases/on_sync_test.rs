use limit_runtime::concurrency_limit;

#[concurrency_limit(3)]
#[test]
fn synchronous() {}

fn main() {}
