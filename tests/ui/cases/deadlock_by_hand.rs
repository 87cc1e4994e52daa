use limit_runtime::{Limiter, OnDeadlock};

static LIMITER: Limiter = Limiter::new("db", 3).on_deadlock(OnDeadlock::Refuse);

fn main() {}
