use limit_runtime::{Limiter, Rejected, Scope};
use std::time::Duration;

const RAMP: Duration = Duration::from_secs(30);

static ADAPTIVE: Limiter = Limiter::adaptive("a", 4..=200).ramp(RAMP);
static RATE: Limiter = Limiter::new("b", 3).ramp(RAMP).per(RAMP);
static SHADOW: Limiter = Limiter::new("c", 3).ramp(RAMP).shadow();
static FLEET: Limiter<Rejected> = Limiter::new("d", 3).max_waiting(1).ramp(RAMP).scope(Scope::Fleet);

fn main() {}
