//! Names that other libraries have for the limit and for the options.

use limit_runtime::concurrency_limit;

// The limit.

#[concurrency_limit(concurrency = 3)]
async fn a_limit() {}

#[concurrency_limit(max_concurrency = MOST, queue = 10)]
async fn a_limit_of_a_const() {}

#[concurrency_limit(permits = "three")]
async fn a_limit_of_another_type() {}

#[concurrency_limit(limit: 3)]
async fn a_limit_with_a_colon() {}

#[concurrency_limit(3, max = 4)]
async fn a_second_limit() {}

#[concurrency_limit(limiter = SHARED, limit = 4)]
async fn a_limit_beside_a_limiter() {}

#[concurrency_limit(rate = 100)]
async fn a_rate() {}

#[concurrency_limit(3, interval = "10s")]
async fn a_window() {}

// Waiting.

#[concurrency_limit(3, timeout = "1m")]
async fn a_timeout() {}

#[concurrency_limit(3, deadline = 50)]
async fn a_timeout_without_its_unit() {}

#[concurrency_limit(3, timeout = Duration::from_millis(50))]
async fn a_timeout_of_a_call() {}

#[concurrency_limit(3, acquire_timeout = config.patience)]
async fn a_timeout_of_a_field() {}

#[concurrency_limit(3, timeout("50ms"))]
async fn a_timeout_in_parentheses() {}

#[concurrency_limit(3, max_queue = 50)]
async fn a_queue() {}

#[concurrency_limit(3, queueSize = some::SIZE)]
async fn a_queue_in_camel_case() {}

#[concurrency_limit(3, load_shed)]
async fn no_queue() {}

#[concurrency_limit(3, lifo)]
async fn an_order() {}

#[concurrency_limit(3, prio = 7)]
async fn a_priority() {}

// Refusals.

#[concurrency_limit(3, max_waiting = 0, fallback = |_| 0)]
async fn a_fallback() -> u8 {
    1
}

// Limiters.

#[concurrency_limit(3, tag = "downloads", id = "downloads")]
async fn a_name() {}

#[concurrency_limit(3, id = tenant.id)]
async fn a_key() {}

#[concurrency_limit(3, key = tenant, overall = 10)]
async fn a_total() {}

#[concurrency_limit(3, shared)]
async fn a_scope() {}

#[concurrency_limit(semaphore = DB)]
async fn a_limiter() {}

#[concurrency_limit(3, cost = 2, permits = 2)]
async fn a_weight() {}

#[concurrency_limit(3, guard = ticket)]
async fn a_permit() {}

#[concurrency_limit(3, env_var = "DOWNLOADS")]
async fn a_variable() {}

#[concurrency_limit(3, limits = 4)]
async fn limits() {}

#[concurrency_limit(20, key = tenant, key_limit = 3)]
async fn a_limit_of_a_key() {}

#[concurrency_limit(3, tenant = customer.id)]
async fn a_tenant() {}

#[concurrency_limit(3, class = "live")]
async fn a_class() {}

#[concurrency_limit(3, reserved)]
async fn a_reserve() {}

#[concurrency_limit(3, resize)]
async fn a_weight_that_changes() {}

#[concurrency_limit(3, max_waiting = 10, evict)]
async fn an_eviction() {}

#[concurrency_limit(all = (A, B))]
async fn several_limiters() {}

// Kinds of limits.

#[concurrency_limit(3, skip_if = is_local)]
async fn a_condition() {}

#[concurrency_limit(3, dry_run = true)]
async fn a_shadow() {}

#[concurrency_limit(3, spawn_blocking)]
fn a_blocking_function() {}

#[concurrency_limit(3, crate_path = my::limit_runtime)]
async fn a_path() {}

// A value that does not fit is not kept.

#[concurrency_limit(3, fail_fast = false)]
async fn words_that_are_not_wanted() {}

#[concurrency_limit(3, skip = 3)]
async fn a_condition_of_another_type() {}

#[concurrency_limit(semaphore = 3)]
async fn a_limiter_of_another_type() {}

#[concurrency_limit(max_concurrent = self.most)]
async fn a_limit_that_no_static_can_name() {}

#[concurrency_limit(3, id = 5)]
async fn a_name_of_another_type() {}

#[concurrency_limit(3, permits = 0)]
async fn no_permits() {}

fn main() {}
