use limit_runtime::concurrency_limit;

#[concurrency_limit(4..=200, overload = |output| output.len())]
async fn number() -> String {
    String::new()
}

fn by_value(output: String) -> bool {
    output.is_empty()
}

#[concurrency_limit(4..=200, overload = by_value)]
async fn function() -> String {
    String::new()
}

#[concurrency_limit(4..=200, overload = |output| output.is_none())]
async fn method() -> String {
    String::new()
}

#[concurrency_limit(4..=200, overload = |output| output.len() > text.len())]
async fn moved(text: String) -> String {
    text
}

#[concurrency_limit(4..=200, overload = |output| output.is_empty())]
async fn body() -> String {
    3
}

fn main() {}
