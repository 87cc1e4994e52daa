use limit_runtime::concurrency_limit;

#[concurrency_limit(3u32)]
async fn unsigned() {}

#[concurrency_limit(0x1f_i64)]
async fn signed() {}

fn main() {}
