use std::time::Duration;

use cookbook::Server;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::Result;
use crate::programs::event_loops::{fetch, fetch_all};

/// Makes an event loop whose clock leaps when there is nothing to do.
fn event_loop() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_time().start_paused(true).build()
}

/// Begins six calls, and runs them as far as they go before time passes. The calls go on when the
/// runtime runs again.
fn begin<F>(event_loop: &Runtime, server: &Server, call: fn(Server, u32) -> F) -> JoinSet<String>
where
    F: Future<Output = String> + Send + 'static,
{
    event_loop.block_on(async {
        let calls = (1..=6).map(|page| call(server.clone(), page)).collect();
        for _ in 0..10 {
            yield_now().await;
        }
        calls
    })
}

/// Makes the program's six calls. Returns an error if they wait for ever.
async fn all_six(server: &Server) -> std::result::Result<(), Elapsed> {
    timeout(Duration::from_hours(1), fetch_all(server, 1..=6)).await
}

#[test]
fn two_event_loops_have_permits_of_their_own_at_the_same_time() -> Result {
    let (first, second) = (event_loop()?, event_loop()?);
    let (on_first, on_second) = (Server::new(), Server::new());
    let calls = (begin(&first, &on_first, fetch), begin(&second, &on_second, fetch));
    assert_eq!((on_first.now(), on_second.now()), (2, 2));
    assert_eq!(first.block_on(calls.0.join_all()).len(), 6);
    assert_eq!(second.block_on(calls.1.join_all()).len(), 6);
    assert_eq!((on_first.most(), on_second.most()), (2, 2));
    Ok(())
}

#[test]
fn one_goes_on_while_the_other_holds_its_permits_and_does_not_run() -> Result {
    let (idle, busy) = (event_loop()?, event_loop()?);
    let (held, server) = (Server::new(), Server::new());
    let _calls = begin(&idle, &held, fetch);
    busy.block_on(all_six(&server))?;
    assert_eq!((held.now(), server.begun().len(), server.most()), (2, 6, 2));
    Ok(())
}

#[test]
fn a_static_semaphore_hangs_in_its_place() -> Result {
    static SEMAPHORE: Semaphore = Semaphore::const_new(2);
    async fn by_hand(server: Server, page: u32) -> String {
        let _permit = SEMAPHORE.acquire().await;
        server.get(page).await
    }
    let (idle, busy) = (event_loop()?, event_loop()?);
    let (held, server) = (Server::new(), Server::new());
    let _calls = begin(&idle, &held, by_hand);
    let call =
        busy.block_on(async { timeout(Duration::from_hours(1), by_hand(server.clone(), 1)).await });
    assert!(call.is_err(), "it waits for ever");
    assert!(server.begun().is_empty());
    Ok(())
}

#[test]
fn event_loops_of_two_threads_do_not_wait_for_each_other() -> Result {
    let (first, second) = (event_loop()?, event_loop()?);
    let servers = [Server::new(), Server::new()];
    std::thread::scope(|scope| {
        scope.spawn(|| first.block_on(all_six(&servers[0])));
        scope.spawn(|| second.block_on(all_six(&servers[1])));
    });
    for server in servers {
        let rounds = "after 0.0 s: 1, 2\nafter 0.1 s: 3, 4\nafter 0.2 s: 5, 6\nat most 2 at once";
        assert_eq!(server.to_string(), rounds);
    }
    Ok(())
}
