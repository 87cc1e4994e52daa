use limit_runtime::concurrency_limit;

#[concurrency_limit(3)]
#[derive(Default)]
struct Client {
    number: u8,
}

#[concurrency_limit(3)]
pub enum Choice {
    One,
}

#[concurrency_limit(3)]
union Bits {
    byte: u8,
}

fn caller() -> (Client, Choice) {
    (Client::default(), Choice::One)
}

fn main() {}
