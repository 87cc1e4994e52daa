//! Every option, on the functions that it can stand on.

use crate::support::{assert_limited, poll_once, run};
use limit_runtime::{KeyedLimiter, Limiter, Permit, Rejected, RejectedKind, concurrency_limit};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

const FEW: usize = 2;
const WINDOW: Duration = Duration::from_millis(1);

/// An error of the user's that a refusal converts to.
#[derive(Debug)]
enum Failure {
    Busy(Rejected),
    Odd,
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Failure::Busy(rejected)
    }
}

impl From<std::num::ParseIntError> for Failure {
    fn from(_: std::num::ParseIntError) -> Self {
        Failure::Odd
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Busy(rejected) => rejected.fmt(f),
            Failure::Odd => f.write_str("odd"),
        }
    }
}

#[concurrency_limit(1, max_waiting = 0)]
async fn result(text: &str) -> Result<u8, Failure> {
    let number: u8 = text.parse()?;
    if number > 9 {
        return Err(Failure::Odd);
    }
    Ok(number)
}

#[concurrency_limit(1, max_waiting = FEW)]
async fn option(number: u8) -> Option<u8> {
    number.checked_add(1)
}

#[concurrency_limit(1, max_waiting = { FEW + 1 }, order = lifo)]
async fn opaque() -> Result<impl Iterator<Item = u8>, Box<dyn std::error::Error + Send + Sync>> {
    Ok((0..3).map(|number| number + 1))
}

type Alias<T> = Result<T, Rejected>;

#[concurrency_limit(1, max_wait = "50ms")]
async fn aliased<T>(value: T) -> Alias<T> {
    Ok(value)
}

#[concurrency_limit(1, max_wait = timeout)]
async fn wait_of_an_argument(timeout: Duration) -> Alias<Duration> {
    Ok(timeout)
}

#[concurrency_limit(1, max_wait = tokio::time::Instant::now() + (WINDOW * 2), order = fifo)]
async fn wait_until() -> Alias<u8> {
    Ok(5)
}

#[concurrency_limit(9, weight = pages.len() as u32, priority = { urgent }, enabled = !pages.is_empty())]
async fn asked(pages: &[u8], urgent: u8) -> Alias<u8> {
    Ok(pages[0] + urgent)
}

#[concurrency_limit(2, on_deadlock = refuse, claim_within = WINDOW)]
async fn gives_way(number: u8) -> Alias<u8> {
    Ok(number)
}

#[concurrency_limit(2, blocking, on_deadlock = (refuse), on_reject = |_| 0, claim_within = (never))]
fn gives_way_and_blocks(number: u8) -> u8 {
    number
}

#[concurrency_limit(2, on_deadlock = warn, claim_within = "1m 30s")]
async fn waits_on() -> u8 {
    8
}

#[concurrency_limit(1, priority = 255)]
async fn priority() -> u8 {
    1
}

#[concurrency_limit(2, enabled = cfg!(any()))]
async fn not_enabled() -> u8 {
    2
}

#[concurrency_limit(1, shadow, weight = (7), max_waiting = 1, priority = 3, per = "1m30s")]
async fn shadow() -> u8 {
    3
}

#[concurrency_limit(FEW, per = WINDOW)]
async fn window() -> u8 {
    4
}

#[concurrency_limit(3, per = "1 ms")]
async fn written_window() -> u8 {
    5
}

#[concurrency_limit(FEW, ramp = WINDOW, order = lifo)]
async fn ramp() -> u8 {
    6
}

#[concurrency_limit(3, ramp = ("1m 30s"))]
async fn written_ramp() -> u8 {
    7
}

#[concurrency_limit(1, key = number, total = 5, ramp = "1 ms")]
async fn ramp_of_keys(number: u8) -> u8 {
    number
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Tenant(String);

struct Request {
    tenant: Tenant,
    user: u64,
}

#[concurrency_limit(1, key = tenant)]
async fn keyed(tenant: Tenant) -> Tenant {
    tenant
}

#[concurrency_limit(1, key = request.tenant, total = 5)]
async fn keyed_by_a_field(request: Request) -> Request {
    request
}

#[concurrency_limit(1, key = (request.tenant, request.user), total = FEW * 2, max_wait = "1s")]
async fn keyed_by_several(request: &Request) -> Result<u64, Failure> {
    Ok(request.user)
}

#[concurrency_limit(1, key = text.to_owned())]
async fn keyed_by_a_value(text: &str) -> usize {
    text.len()
}

#[concurrency_limit(1, key = *number, priority = *number as u8)]
async fn keyed_by_what_is_behind_a_reference(number: &u32) -> u32 {
    *number
}

#[concurrency_limit(1, key = locked.lock().unwrap().user)]
async fn keyed_behind_a_lock(locked: &std::sync::Mutex<Request>) -> bool {
    // The guard is dropped before the await.
    locked.try_lock().is_ok()
}

#[concurrency_limit(1, max_waiting = 0, on_reject = |rejected| (number, rejected.kind() as u8))]
async fn handled(number: u8) -> (u8, u8) {
    (number, 9)
}

#[concurrency_limit(1, max_waiting = 0, on_reject = |_| {})]
async fn ignored() {}

#[concurrency_limit(1, max_waiting = 0, on_reject = |rejected: Rejected| {
    let text = text + "";
    tokio::task::yield_now().await;
    let name: u8 = rejected.limiter().len().to_string().parse()?;
    if name == 0 {
        return Ok(text);
    }
    Err(Failure::Busy(rejected))
})]
async fn handled_at_length(text: String) -> Result<String, Failure> {
    Ok(text)
}

#[concurrency_limit(2, permit = permit)]
async fn moved(number: u8) -> u8 {
    drop(permit);
    number
}

#[concurrency_limit(2, permit = _permit)]
async fn named_and_not_used() -> u8 {
    6
}

#[concurrency_limit(2, permit = r#type, max_waiting = 1)]
fn moved_in_a_block() -> impl Future<Output = Option<Permit>> {
    async move { Some(r#type) }
}

#[concurrency_limit(2, max_wait = "1s")]
fn boxed(number: u8) -> Pin<Box<dyn Future<Output = Result<u8, Failure>> + Send>> {
    let number = number + 1;
    Box::pin(async move {
        let more: u8 = "1".parse()?;
        Ok(number + more)
    })
}

#[concurrency_limit(2, max_wait = "1s", on_reject = |_| 0, key = number)]
fn boxed_and_handled(number: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
    Box::pin(async move { number })
}

#[async_trait::async_trait]
trait Store: Sync {
    #[concurrency_limit(2, max_wait = "1s", weight = u32::from(number), key = number)]
    async fn load(&self, number: u8) -> Result<u8, Failure> {
        let more: u8 = "1".parse()?;
        Ok(number + more)
    }

    #[concurrency_limit(2, max_waiting = 0, permit = permit, on_reject = |_| text.len())]
    async fn text(&self, text: &str) -> usize {
        drop(permit);
        text.len() + 1
    }
}

impl Store for Request {}

static KEYED: KeyedLimiter<Rejected> = Limiter::new("options-keyed", 1).max_waiting(0).keyed();
static BOUNDED: Limiter<Rejected> = Limiter::new("options-bounded", 1).max_waiting(0);
static PLAIN: Limiter = Limiter::new("options-plain", 1);

#[concurrency_limit(limiter = BOUNDED)]
async fn bounded() -> Alias<u8> {
    Ok(1)
}

#[concurrency_limit(limiter = &KEYED, key = tenant, permit = permit)]
async fn existing_keyed(tenant: Tenant) -> Option<(Permit, Tenant)> {
    Some((permit, tenant))
}

#[concurrency_limit(limiter = PLAIN, weight = 1, priority = 1, enabled = true, max_wait = "1s")]
async fn existing_with_all() -> Alias<u8> {
    Ok(3)
}

#[concurrency_limit(limiter = BOUNDED, on_reject = |rejected| rejected.in_use())]
async fn existing_handled() -> usize {
    4
}

#[concurrency_limit(2, max_waiting = 1)]
#[concurrency_limit(limiter = BOUNDED, permit = permit)]
#[concurrency_limit(PLAIN.limit().unwrap_or(1), weight = 1, on_reject = |_| Ok(9))]
async fn thrice() -> Alias<u8> {
    drop(permit);
    Ok(5)
}

macro_rules! made {
    ($name:ident, $permit:ident, $option:ident = $value:expr, $on_reject:expr) => {
        #[concurrency_limit(1, $option = $value, permit = $permit, on_reject = $on_reject)]
        async fn $name() -> u8 {
            drop($permit);
            7
        }
    };
}

made!(made_of_fragments, held, max_wait = "1h", |rejected| rejected.kind() as u8);
made!(made_of_others, held, max_waiting = FEW + 1, |_| 3);
made!(made_of_a_word, held, on_deadlock = refuse, |_| 3);

#[test]
fn functions_that_can_be_refused_return_what_they_would_without_a_limit() {
    run(async {
        assert_eq!(result("7").await.unwrap(), 7);
        assert!(matches!(result("x").await, Err(Failure::Odd)));
        assert!(matches!(result("10").await, Err(Failure::Odd)));
        assert_eq!(option(1).await, Some(2));
        assert_eq!(opaque().await.unwrap().sum::<u8>(), 6);
        assert_eq!(aliased("x").await.unwrap(), "x");
        assert_eq!(wait_of_an_argument(WINDOW).await.unwrap(), WINDOW);
        assert_eq!(wait_until().await.unwrap(), 5);
        assert_eq!(asked(&[1, 2], 3).await.unwrap(), 4);
        assert_eq!(moved_in_a_block().await.map(drop), Some(()));
        assert_eq!(boxed(1).await.unwrap(), 3);
        assert_eq!(boxed_and_handled(1).await, 1);
        assert_eq!(gives_way(7).await.unwrap() + gives_way_and_blocks(8).await, 15);
        let request = Request { tenant: Tenant(String::from("acme")), user: 3 };
        assert_eq!(request.load(1).await.unwrap(), 2);
        assert!(matches!(request.load(3).await, Err(Failure::Busy(_))));
        assert_eq!(request.text("ab").await, 3);
        assert_eq!(thrice().await.unwrap(), 5);
        assert_eq!((made_of_fragments().await, made_of_others().await), (7, 7));
        assert_eq!(made_of_a_word().await, 7);
    });
    let functions = [
        "result",
        "option",
        "opaque",
        "aliased",
        "wait_of_an_argument",
        "wait_until",
        "asked",
        "moved_in_a_block",
        "boxed",
        "boxed_and_handled",
        "gives_way",
        "gives_way_and_blocks",
        "load",
        "text",
        "thrice",
        "made_of_fragments",
        "made_of_others",
        "made_of_a_word",
    ];
    assert_limited(module_path!(), &functions);
}

#[test]
fn functions_that_cannot_be_refused_return_what_they_would_without_a_limit() {
    run(async {
        assert_eq!(priority().await + not_enabled().await + shadow().await, 6);
        assert_eq!(window().await + written_window().await, 9);
        assert_eq!(ramp().await + written_ramp().await + ramp_of_keys(8).await, 21);
        assert_eq!(moved(1).await + named_and_not_used().await + waits_on().await, 15);
    });
    let functions = [
        "priority",
        "not_enabled",
        "shadow",
        "window",
        "written_window",
        "ramp",
        "written_ramp",
        "ramp_of_keys",
        "moved",
        "waits_on",
    ];
    assert_limited(module_path!(), &functions);
}

#[test]
fn a_key_is_cloned_where_it_is_an_argument() {
    run(async {
        let tenant = Tenant(String::from("acme"));
        assert!(keyed(tenant.clone()).await == tenant);
        let request = Request { tenant, user: 3 };
        let request = keyed_by_a_field(request).await;
        assert_eq!(keyed_by_several(&request).await.unwrap(), 3);
        assert_eq!(keyed_by_a_value("ab").await, 2);
        assert_eq!(keyed_by_what_is_behind_a_reference(&4).await, 4);
        assert!(keyed_behind_a_lock(&std::sync::Mutex::new(request)).await);
    });
    let functions = [
        "keyed",
        "keyed_by_a_field",
        "keyed_by_several",
        "keyed_by_a_value",
        "keyed_by_what_is_behind_a_reference",
        "keyed_behind_a_lock",
    ];
    assert_limited(module_path!(), &functions);
}

#[test]
fn a_refused_call_gives_what_on_reject_says() {
    run(async {
        assert_eq!(handled(1).await, (1, 9));
        ignored().await;
        assert_eq!(handled_at_length(String::from("x")).await.unwrap(), "x");
        let limiter = |name| limit_runtime::find(&format!("{}::{}", module_path!(), name));
        limiter("handled").unwrap().set_limit(0);
        limiter("handled_at_length").unwrap().set_limit(0);
        assert_eq!(handled(2).await, (2, RejectedKind::QueueFull as u8));
        let refused = handled_at_length(String::from("x")).await;
        assert!(refused.unwrap_err().to_string().contains("handled_at_length"));
    });
}

#[test]
fn an_existing_limiter_may_be_of_any_kind() {
    run(async {
        assert_eq!(bounded().await.unwrap(), 1);
        let tenant = Tenant(String::from("acme"));
        let (held, tenant) = existing_keyed(tenant).await.expect("it is free");
        assert!(existing_keyed(tenant.clone()).await.is_none());
        drop(held);
        assert!(existing_keyed(tenant).await.is_some());
        assert_eq!(existing_with_all().await.unwrap(), 3);
        assert_eq!(existing_handled().await, 4);
        let held = BOUNDED.try_acquire().expect("it is free");
        assert_eq!(existing_handled().await, 1);
        assert!(bounded().await.is_err());
        let mut thrice = Box::pin(thrice());
        assert!(poll_once(thrice.as_mut()).await.expect("it does not wait").is_err());
        drop(held);
    });
}
