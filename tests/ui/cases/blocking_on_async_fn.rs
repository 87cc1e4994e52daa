use limit_runtime::concurrency_limit;

#[concurrency_limit(3, blocking)]
async fn asynchronous() {}

#[concurrency_limit(3, blocking)]
fn returns_a_future() -> impl Future<Output = ()> {
    async {}
}

#[concurrency_limit(3, blocking)]
fn returns_a_boxed_future() -> Boxed {
    Box::pin(async {})
}

type Boxed = std::pin::Pin<Box<dyn Future<Output = ()>>>;

fn main() {}
