use limit_runtime::concurrency_limit;

#[concurrency_limit(3 name = "db")]
async fn after_the_limit() {}

#[concurrency_limit(3, name = "db" scope = process)]
async fn between_options() {}

fn main() {}
