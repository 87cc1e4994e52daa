use limit_runtime::concurrency_limit;

#[concurrency_limit(3, per = "60")]
async fn no_unit() {}

#[concurrency_limit(3, per = "60sec")]
async fn unknown_unit() {}

#[concurrency_limit(3, per = "")]
async fn empty() {}

#[concurrency_limit(3, per = "0s")]
async fn zero() {}

#[concurrency_limit(3, per = "s")]
async fn no_number() {}

#[concurrency_limit(3, per = "-1s")]
async fn negative() {}

#[concurrency_limit(3, per = "1.5s")]
async fn fraction() {}

#[concurrency_limit(3, per = "30s1m")]
async fn small_before_large() {}

#[concurrency_limit(3, per = "1s1s")]
async fn unit_twice() {}

#[concurrency_limit(3, per = "213503982334602d")]
async fn too_long() {}

#[concurrency_limit(3, per = "999999999999999999999999999999999999999999d")]
async fn far_too_long() {}

#[concurrency_limit(3, per = 60)]
async fn number() {}

#[concurrency_limit(3, max_wait = 0.5)]
async fn float() {}

#[concurrency_limit(3, max_wait = "50 apples")]
async fn max_wait() {}

#[concurrency_limit(3, max_wait = true)]
async fn boolean() {}

#[concurrency_limit(3, max_wait = -1)]
async fn negative_number() {}

#[concurrency_limit(3, max_wait = || later())]
async fn closure() {}

fn main() {}
