use limit_runtime::concurrency_limit;

#[concurrency_limit(3)]
fn synchronous() -> u8 {
    1
}

#[concurrency_limit(3)]
pub(crate) fn blocks() {
    futures(async {});
}

fn futures<F: std::future::Future>(_: F) {}

fn caller() -> u8 {
    synchronous()
}

fn main() {}
