use limit_runtime::concurrency_limit;
use limit_runtime::Rejected;

#[concurrency_limit(1, scope = fleet, name = "a", on_lease_lost = cancel, permit = permit)]
async fn has_its_permit() -> Result<(), Rejected> {
    drop(permit);
    Ok(())
}

#[concurrency_limit(1, scope = fleet, name = "a", on_lease_lost = cancel, blocking)]
fn blocks() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(1, scope = fleet, name = "a", on_lease_lost = cancel)]
async fn cannot_carry_the_refusal() -> u32 {
    7
}

#[concurrency_limit(1, scope = fleet, name = "a", on_lease_lost = cancel)]
async fn returns_a_stream() -> Result<impl Stream<Item = u32>, Rejected> {
    Ok(rows())
}

fn main() {}
