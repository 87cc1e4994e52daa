use limit_runtime::concurrency_limit;

#[concurrency_limit(3)]
mod fetching {
    pub(crate) async fn fetch() {}
}

async fn caller() {
    fetching::fetch().await;
}

fn main() {}
