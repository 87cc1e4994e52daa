use limit_runtime::concurrency_limit;

#[tokio::main]
#[concurrency_limit(3)]
async fn main() {
    tokio::task::yield_now().await;
}
