use limit_runtime::concurrency_limit;

#[concurrency_limit]
async fn no_parentheses() {}

#[concurrency_limit()]
async fn nothing_between() {}

#[concurrency_limit(name = "db", scope = process)]
async fn only_options() {}

#[concurrency_limit(env = "LIMIT")]
async fn only_a_variable() {}

fn main() {}
