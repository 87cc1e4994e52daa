use limit_runtime::concurrency_limit;

#[concurrency_limit(3, max_waiting = 1, on_reject = handler)]
async fn function() {}

#[concurrency_limit(3, max_waiting = 1, on_reject = Err(1))]
async fn value() {}

#[concurrency_limit(3, max_waiting = 1, on_reject = || ())]
async fn no_parameter() {}

#[concurrency_limit(3, max_waiting = 1, on_reject = |rejected, other| ())]
async fn two_parameters() {}

#[concurrency_limit(3, max_waiting = 1, on_reject = async |rejected| ())]
async fn asynchronous() {}

#[concurrency_limit(3, max_waiting = 1, on_reject = move |rejected| ())]
async fn moving() {}

#[concurrency_limit(3, max_waiting = 1, on_reject = |rejected| -> u8 { 1 })]
async fn typed() -> u8 {
    2
}

fn handler() {}

fn main() {}
