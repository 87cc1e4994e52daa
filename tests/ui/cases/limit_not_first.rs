use limit_runtime::concurrency_limit;

#[concurrency_limit(name = "db", 3)]
async fn after_an_option() {}

#[concurrency_limit(3, 4)]
async fn twice() {}

#[concurrency_limit(3, process)]
async fn value_without_its_option() {}

fn main() {}
