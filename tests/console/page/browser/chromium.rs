//! The browser's process, and the turns of the tests that use it.

use fantoccini::error::CmdError;
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use limit_tests::programs::find_program;
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Runtime;

/// Runs chromedriver until the shell's input ends, which is when the program of the tests does, however it ends. Then it kills
/// the driver and the browser, and removes the directory in which both write. A part of the browser may still write for a moment.
/// To the browser it is between noon and one o'clock, in the time zone where it is so: the page says a time of another day with
/// its date, and a test that runs at midnight would see both.
const DRIVER: &str = "TMPDIR=$(mktemp -d) && export TMPDIR || exit
    export TZ=Etc/GMT$(printf %+d $(($(date -u +%-H) - 12)))
    \"$0\" --port=0 &
    read -r end
    kill -KILL $! $(cat /proc/$!/task/*/children)
    for again in 1 2 3 4 5 6 7 8 9; do rm -rf \"$TMPDIR\"; sleep 1; [ -e \"$TMPDIR\" ] || exit; done";

/// The tests that have their turn at once: a test waits for seconds, and works little. A machine has few cores.
const AT_ONCE: usize = 2;

/// The browsers that no test uses now, and the turns that are free.
struct Pool {
    idle: Vec<Chromium>,
    turns: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { idle: Vec::new(), turns: AT_ONCE });
static TURN_IS_FREE: Condvar = Condvar::new();

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The turns that a test has, until it drops them.
pub(crate) struct Turn(usize);

impl Turn {
    fn take(turns: usize) -> Self {
        let is_too_early = |pool: &mut Pool| pool.turns < turns;
        let pool = TURN_IS_FREE.wait_while(pool(), is_too_early);
        pool.unwrap_or_else(PoisonError::into_inner).turns -= turns;
        Self(turns)
    }

    /// Waits for a turn. Another test may run beside it: its limiters are in the table too.
    pub(crate) fn one() -> Self {
        Self::take(1)
    }

    /// Waits until no other test has a turn.
    pub(crate) fn all() -> Self {
        Self::take(AT_ONCE)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        pool().turns += self.0;
        TURN_IS_FREE.notify_all();
    }
}

/// A browser and its driver. The tests of the program use them, one after another.
pub(crate) struct Chromium {
    pub(super) client: Client,
    pub(super) runtime: Runtime,
    /// A window that stays open: the browser ends with its last one.
    first: WindowHandle,
    _driver: Child,
}

impl Chromium {
    /// Returns a browser with a new window: one that is idle, or one that it starts. Returns `None` if there is no browser here.
    pub(super) fn with_window() -> Option<Self> {
        // A browser that has crashed takes no other test with it.
        let idle = std::iter::from_fn(|| pool().idle.pop());
        if let Some(chromium) = idle.into_iter().find(|chromium| chromium.open_window().is_ok()) {
            return Some(chromium);
        }
        let chromium = Self::start()?;
        chromium.open_window().expect("a window");
        Some(chromium)
    }

    /// Leaves the browser to the next test, if its windows can be closed.
    pub(super) fn leave(self) {
        if self.close_windows().is_ok() {
            pool().idle.push(self);
        }
    }

    /// Starts the browser. Returns `None` and prints a loud line if it is not installed.
    fn start() -> Option<Self> {
        let (Some(chromium), Some(driver)) =
            (find_program("chromium"), find_program("chromedriver"))
        else {
            eprintln!(
                "PASSED OVER: `chromium` and `chromedriver` are not both installed \
                 (apt-get install chromium chromium-driver)"
            );
            return None;
        };
        let mut command = Command::new("sh");
        command.args(["-c", DRIVER]).arg(driver);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().expect("chromedriver can be started");
        // The driver chooses a free port itself, and prints it.
        let output = driver.stdout.take().expect("its output is piped");
        let said = BufReader::new(output).lines();
        let port = said.map_while(Result::ok).find_map(|line| {
            line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok()
        });
        let port: u16 = port.expect("chromedriver says its port");

        let arguments = [
            "--headless=new",
            "--remote-debugging-pipe",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--force-color-profile=srgb",
            "--hide-scrollbars",
            // It is to speak with the page alone, and with nobody else at its start.
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-default-apps",
            "--disable-extensions",
            "--disable-sync",
        ];
        let options = json!({ "binary": chromium, "args": arguments });
        let capabilities =
            json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        let capabilities: Map<String, Value> = capabilities.as_object().expect("an object").clone();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let (client, first) = runtime.block_on(async {
            let client = ClientBuilder::new(HttpConnector::new())
                .capabilities(capabilities)
                .connect(&format!("http://127.0.0.1:{port}"))
                .await
                .expect("chromium starts");
            let first = client.window().await.expect("it has a window");
            (client, first)
        });
        Some(Self { client, runtime, first, _driver: driver })
    }

    /// Opens a window with a tab of its own: its size, its colours, its storage and its history are new.
    fn open_window(&self) -> Result<(), CmdError> {
        self.runtime.block_on(async {
            let window = self.client.new_window(false).await?;
            self.client.switch_to_window(window.handle).await
        })
    }

    /// Closes all windows but the first one.
    fn close_windows(&self) -> Result<(), CmdError> {
        self.runtime.block_on(async {
            for window in self.client.windows().await? {
                if window != self.first {
                    self.client.switch_to_window(window).await?;
                    self.client.close_window().await?;
                }
            }
            self.client.switch_to_window(self.first.clone()).await
        })
    }
}
