use limit_runtime::concurrency_limit;

#[concurrency_limit(3, permit = _)]
async fn underscore() {}

#[concurrency_limit(3, permit = self)]
async fn keyword() {}

#[concurrency_limit(3, permit = fn)]
async fn other_keyword() {}

#[concurrency_limit(3, permit = limit_runtime::Permit)]
async fn path() {}

#[concurrency_limit(3, permit = "permit")]
async fn string() {}

#[concurrency_limit(3, permit = 1)]
async fn number() {}

#[concurrency_limit(3, permit)]
async fn no_name() {}

#[concurrency_limit(3, permit = mut permit)]
async fn mutable() {}

fn main() {}
