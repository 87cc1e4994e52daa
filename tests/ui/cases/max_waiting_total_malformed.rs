use limit_runtime::{KeyedLimiter, Limiter, Rejected, concurrency_limit};

static KEYED: KeyedLimiter<Rejected> = Limiter::new("keyed", 3).keyed().max_waiting_total(9);
static NO_KEYS: Limiter<Rejected> = Limiter::new("no keys", 3).max_waiting_total(9);

#[concurrency_limit(3, max_waiting_total = 10)]
async fn no_key() -> Result<(), Rejected> { Ok(()) }

#[concurrency_limit(3, key = id, max_waiting_total = 0)]
async fn nobody(id: u8) -> Result<(), Rejected> { Ok(()) }

#[concurrency_limit(3, key = id, max_waiting = 0, max_waiting_total = 10)]
async fn nobody_waits(id: u8) -> Result<(), Rejected> { Ok(()) }

#[concurrency_limit(3, key = id, max_waiting_total = 10, shadow)]
async fn shadow(id: u8) {}

#[concurrency_limit(limiter = KEYED, key = id, max_waiting_total = 10)]
async fn beside_limiter(id: u8) -> Result<(), Rejected> { Ok(()) }

#[concurrency_limit(3, key = id, max_waiting_total = 10)]
async fn not_carried(id: u8) {}

fn main() {}
