use limit_runtime::concurrency_limit;

async fn caller() {
    let fetch = #[concurrency_limit(3)]
    async |number: u8| number;
    fetch(1).await;
    let other = #[concurrency_limit(3)]
    move || async { 1 };
    other().await;
}

fn main() {}
