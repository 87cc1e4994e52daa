use limit_runtime::concurrency_limit;

trait Stream {
    type Item;
}

struct Pages;

impl Stream for Pages {
    type Item = String;
}

#[concurrency_limit(3)]
fn pages() -> impl Stream<Item = String> {
    Pages
}

fn main() {}
