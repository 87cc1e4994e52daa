use limit_runtime::{Limiter, OnUnavailable, Rejected, Scope};
use std::time::Duration;

static PER: Limiter = Limiter::new("a", 1).scope(Scope::Fleet).per(Duration::from_secs(1));

static WEIGHT: Limiter<Rejected> = Limiter::new("b", 9).weight(2).scope(Scope::Fleet);

static SHADOW: Limiter = Limiter::new("c", 1).scope(Scope::Fleet).shadow();

static NO_FLEET: Limiter = Limiter::new("d", 1).on_unavailable(OnUnavailable::Wait);

static CANNOT_REFUSE: Limiter =
    Limiter::new("e", 1).scope(Scope::Fleet).on_unavailable(OnUnavailable::Refuse);

fn main() {}
