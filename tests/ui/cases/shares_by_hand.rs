use limit_runtime::{Limiter, Scope, Share};
use std::time::Duration;

static TOO_MUCH: Limiter = Limiter::new("a", 3).shares(&[Share::new("one", 60), Share::new("two", 41)]);
static TWICE: Limiter = Limiter::new("b", 3).shares(&[Share::new("one", 60), Share::new("one", 10)]);
static NONE: Limiter = Limiter::new("c", 3).shares(&[]);
static RATE: Limiter =
    Limiter::new("d", 3).per(Duration::from_secs(1)).shares(&[Share::new("one", 60)]);
static FLEET: Limiter = Limiter::new("e", 3).shares(&[Share::new("one", 60)]).scope(Scope::Fleet);

const ABOVE: Share = Share::new("one", 101);
const NAMELESS: Share = Share::new("", 10);
const REST: Share = Share::new("rest", 10);
const BELOW: Share = Share::new("one", 60).at_most(50);

fn main() {}
