use limit_runtime::concurrency_limit;

const LOW: usize = 4;
const HIGH: usize = 200;
const SMALL: u32 = 4;

#[concurrency_limit(HIGH..=LOW)]
async fn backwards() {}

#[concurrency_limit(0 * LOW..=HIGH)]
async fn from_zero() {}

#[concurrency_limit(LOW..=usize::MAX)]
async fn too_large() {}

#[concurrency_limit(LOW..=HIGH, start = HIGH + 1)]
async fn start() {}

#[concurrency_limit(3, key = id, total = HIGH..=LOW)]
async fn total(id: u8) {}

fn main() {}
