use limit_runtime::concurrency_limit;

#[concurrency_limit("3")]
async fn string() {}

#[concurrency_limit(())]
async fn unit() {}

#[concurrency_limit(3.0)]
async fn float() {}

#[concurrency_limit(true)]
async fn boolean() {}

#[concurrency_limit('3')]
async fn character() {}

#[concurrency_limit((3, 4))]
async fn tuple() {}

#[concurrency_limit([3])]
async fn array() {}

#[concurrency_limit(1..3)]
async fn range() {}

#[concurrency_limit(&LIMIT)]
async fn reference() {}

#[concurrency_limit(|| 3)]
async fn closure() {}

#[concurrency_limit(async { 3 })]
async fn asynchronous() {}

#[concurrency_limit(_)]
async fn inferred() {}

const LIMIT: usize = 3;

fn main() {}
