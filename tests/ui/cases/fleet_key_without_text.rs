use limit_runtime::concurrency_limit;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Tenant(u32);

#[concurrency_limit(10, scope = fleet, name = "tenants", key = tenant)]
async fn serve(tenant: Tenant) -> u32 {
    tenant.0
}

fn main() {}
