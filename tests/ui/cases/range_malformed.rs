use limit_runtime::concurrency_limit;

const LOW: usize = 4;
const HIGH: usize = 200;

#[concurrency_limit(4..200)]
async fn half_open() {}

#[concurrency_limit(LOW..HIGH)]
async fn half_open_constants() {}

#[concurrency_limit(LOW..HIGH * 2)]
async fn half_open_expression() {}

#[concurrency_limit(..200)]
async fn half_open_without_low() {}

#[concurrency_limit(4..)]
async fn without_high() {}

#[concurrency_limit(300.., name = "a")]
async fn without_larger_high() {}

#[concurrency_limit(..)]
async fn without_ends() {}

#[concurrency_limit(0..=10)]
async fn from_zero() {}

#[concurrency_limit(20..=4)]
async fn backwards() {}

#[concurrency_limit(20..4)]
async fn half_open_backwards() {}

#[concurrency_limit(4..=4)]
async fn one_number() {}

#[concurrency_limit(4..=2147483648)]
async fn too_large() {}

#[concurrency_limit(4..=340282366920938463463374607431768211456)]
async fn far_too_large() {}

#[concurrency_limit(1.5..=20)]
async fn float() {}

#[concurrency_limit(-4..=20)]
async fn negative() {}

#[concurrency_limit(4..="200")]
async fn string() {}

#[concurrency_limit(4u32..=200)]
async fn suffix() {}

#[concurrency_limit(4..=)]
async fn unfinished() {}

#[concurrency_limit(3, key = id, total = 4..200)]
async fn total_half_open(id: u8) {}

#[concurrency_limit(3, key = id, total = 4..=4)]
async fn total_of_one_number(id: u8) {}

#[concurrency_limit(3, key = id, total = 0..=4)]
async fn total_from_zero(id: u8) {}

fn main() {}
