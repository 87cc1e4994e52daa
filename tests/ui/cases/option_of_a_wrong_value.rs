use limit_runtime::concurrency_limit;

#[concurrency_limit(3, name = 3)]
async fn name() {}

#[concurrency_limit(3, name = "")]
async fn empty_name() {}

#[concurrency_limit(3, scope = thread)]
async fn scope() {}

#[concurrency_limit(3, scope = "process")]
async fn quoted_scope() {}

#[concurrency_limit(3, env = VAR + 1)]
async fn env() {}

#[concurrency_limit(3, env = "")]
async fn empty_env() {}

#[concurrency_limit(3, env = "LIMIT=3")]
async fn assignment() {}

#[concurrency_limit(3, crate = "limit_runtime")]
async fn quoted_path() {}

#[concurrency_limit(3, crate = 3)]
async fn path() {}

fn main() {}
