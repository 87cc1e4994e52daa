use limit_runtime::concurrency_limit;

#[concurrency_limit(18446744073709551616)]
async fn too_large() {}

fn main() {}
