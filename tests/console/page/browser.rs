//! The page in a browser.

mod axe;
mod chromium;

pub(crate) use chromium::Turn;

use chromium::Chromium;
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::{WebDriverCompatibleCommand, WindowHandle};
use fantoccini::{Client, Locator};
use http::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use url::{ParseError, Url};

/// The longest time until a page shows what it should, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Stands in front of each script: the first element of a selector, its text, and the rows of the table: a limiter's row, the text
/// of its cells, the small figures in them, and the names of all rows.
const WORDS: &str = "const $ = css => document.querySelector(css);
    const text = css => $(css)?.textContent ?? '';
    const row = name => $(`#rows [data-name=\"${name}\"]`);
    const cells = name => [...row(name)?.cells ?? []].map(cell => (cell.matches('.number') ? cell.firstElementChild : cell).textContent.trim());
    const small = name => [...row(name)?.cells ?? []].map(cell => cell.querySelector('small')?.innerText.trim() ?? '');
    const rows = () => [...document.querySelectorAll('#rows tr')].map(row => row.dataset.name);";

/// The page in a window of the browser. The window ends with the test.
pub(crate) struct Browser {
    client: Client,
    runtime: Handle,
    chromium: Option<Chromium>,
    _turn: Turn,
}

impl Browser {
    /// Opens a page of that width, in px. Returns `None` and prints a loud line if there is no browser here.
    pub(crate) fn start(width: u32, height: u32) -> Option<Self> {
        Self::start_in(Turn::one(), width, height)
    }

    /// Opens a page while no other test has one.
    pub(crate) fn start_alone(width: u32, height: u32) -> Option<Self> {
        Self::start_in(Turn::all(), width, height)
    }

    fn start_in(turn: Turn, width: u32, height: u32) -> Option<Self> {
        let chromium = Chromium::with_window()?;
        let client = chromium.client.clone();
        let runtime = chromium.runtime.handle().clone();
        let browser = Self { client, runtime, chromium: Some(chromium), _turn: turn };
        browser.take_log();
        browser.devtools("Network.clearBrowserCookies", &json!({}));
        browser.resize(width, height);
        browser.dark(false);
        Some(browser)
    }

    pub(crate) fn go(&self, url: &str) {
        self.runtime.block_on(self.client.goto(url)).expect("the page is served");
    }

    /// Opens another tab in front of the one that is in front now. Returns the name of that one.
    pub(crate) fn open_tab(&self) -> WindowHandle {
        self.runtime.block_on(async {
            let before = self.client.window().await.expect("a tab");
            let tab = self.client.new_window(true).await.expect("another tab");
            self.client.switch_to_window(tab.handle).await.expect("it is there");
            before
        })
    }

    /// Brings a tab to the front.
    pub(crate) fn switch_to(&self, tab: WindowHandle) {
        self.runtime.block_on(self.client.switch_to_window(tab)).expect("it is there");
    }

    pub(crate) fn back(&self) {
        self.runtime.block_on(self.client.back()).expect("there is a page before");
    }

    /// Minimises the window, so that nobody sees the page. To the page it is as if another tab were in front.
    pub(crate) fn hide(&self) {
        self.runtime.block_on(self.client.minimize_window()).expect("it can be put away");
        self.until("document.hidden");
    }

    pub(crate) fn show(&self) {
        self.runtime.block_on(self.client.maximize_window()).expect("it can be seen");
        self.until("!document.hidden");
    }

    /// Sets whether the reader wants a dark page.
    pub(crate) fn dark(&self, dark: bool) {
        let wanted = if dark { "dark" } else { "light" };
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [{ "name": "prefers-color-scheme", "value": wanted }] }),
        );
    }

    /// Lets the time of each page that is opened from now on go by so many times as fast. Pages have their time from the program's
    /// messages.
    pub(crate) fn hurry(&self, times: u32) {
        let script = format!(
            "EventSource.prototype.addEventListener = (real => function (kind, hear) {{
                const later = (whole, time) => `\"time\":${{(window.begun ??= +time) + (time - begun) * {times}}}`;
                return real.call(this, kind, message => hear(message.data === undefined ? message
                    : {{ data: message.data.replace(/\"time\":([0-9]+)/, later) }}));
            }})(EventSource.prototype.addEventListener)"
        );
        self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    }

    /// Has the pages that are opened from now on believe that it is tomorrow.
    pub(crate) fn believe_in_tomorrow(&self) {
        let script = "window.Date = class extends Date {
            constructor(...parts) { super(...(parts.length > 0 ? parts : [Date.now() + 86_400_000])); }
        }";
        self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    }

    /// Returns the value of an expression in the page.
    pub(crate) fn value(&self, expression: &str) -> Value {
        let script = format!("{WORDS} return ({expression});");
        self.runtime
            .block_on(self.client.execute(&script, Vec::new()))
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until an expression in the page has that value.
    #[track_caller]
    pub(crate) fn until_is(&self, expression: &str, wanted: impl Into<Value>) {
        let wanted = wanted.into();
        let begun = Instant::now();
        loop {
            let value = self.value(expression);
            if value == wanted {
                return;
            }
            if begun.elapsed() > PATIENCE {
                self.picture("failed");
                panic!("`{expression}` is {value}, not {wanted}, after {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until an expression in the page is true.
    #[track_caller]
    pub(crate) fn until(&self, expression: &str) {
        self.until_is(&format!("!!({expression})"), true);
    }

    fn find(&self, css: &str) -> Element {
        self.runtime
            .block_on(self.client.find(Locator::Css(css)))
            .unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    /// Waits until an element can be used, and returns it. The page shows itself bit by bit, and a program that is
    /// not heard in time cannot be changed until it is.
    #[track_caller]
    fn usable(&self, css: &str) -> Element {
        let element = json!(css);
        self.until(&format!(
            "$({element})?.checkVisibility() && !$({element}).matches(':disabled')"
        ));
        self.find(css)
    }

    #[track_caller]
    pub(crate) fn click(&self, css: &str) {
        let element = self.usable(css);
        self.runtime.block_on(element.click()).unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Types a text in place of the one that is there.
    #[track_caller]
    pub(crate) fn fill(&self, css: &str, text: &str) {
        let element = self.usable(css);
        let keys = Key::Control + "a" + &Key::Null.to_string() + &Key::Delete.to_string() + text;
        self.runtime
            .block_on(element.send_keys(&keys))
            .unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Moves the pointer into the middle of an element.
    #[track_caller]
    pub(crate) fn point(&self, css: &str) {
        let element = self.usable(css);
        let (x, y, width, height) = self
            .runtime
            .block_on(element.rectangle())
            .unwrap_or_else(|error| panic!("{css}: {error}"));
        let (x, y) = (x + width / 2.0, y + height / 2.0);
        let moved = json!({ "type": "mouseMoved", "x": x, "y": y });
        self.devtools("Input.dispatchMouseEvent", &moved);
    }

    /// Moves the pointer out of everything, into the upper left corner.
    pub(crate) fn point_nowhere(&self) {
        self.devtools("Input.dispatchMouseEvent", &json!({ "type": "mouseMoved", "x": 1, "y": 1 }));
    }

    /// Sets the width and the height of the page, in px.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 }),
        );
    }

    /// Presses keys, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        self.runtime.block_on(async {
            let focus = self.client.active_element().await.expect("something has the focus");
            focus.send_keys(keys).await.expect("keys can be pressed");
        });
    }

    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", json!({ "cmd": command, "params": parameters }))
    }

    fn post(&self, path: &'static str, body: Value) -> Value {
        self.runtime
            .block_on(self.client.issue_cmd(Post { path, body }))
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Leaves a picture of the page beside the build.
    pub(crate) fn picture(&self, name: &str) {
        // The program is in `target/PROFILE/deps`, or in `examples` beside that.
        let program = std::env::current_exe().expect("it knows its program");
        let target = program.ancestors().nth(3).expect("the build's directory");
        let file = target.join("console").join(format!("{name}.png"));
        std::fs::create_dir_all(file.parent().expect("it is in one"))
            .expect("a directory for pictures");
        self.picture_at(&file);
    }

    /// Writes a picture of the page to a file.
    pub(crate) fn picture_at(&self, file: &Path) {
        let picture = self.runtime.block_on(self.client.screenshot()).expect("a picture");
        std::fs::write(file, picture).expect("a place for it");
    }

    /// Checks that all controls and pictures have a name for readers who cannot see them.
    pub(crate) fn everything_has_a_name(&self) {
        let tree = self.devtools("Accessibility.getFullAXTree", &json!({}));
        let roles = [
            "button",
            "checkbox",
            "image",
            "link",
            "searchbox",
            "slider",
            "spinbutton",
            "table",
            "textbox",
        ];
        let nameless = |node: &&Value| {
            roles.iter().any(|role| node["role"]["value"] == *role)
                && node["ignored"] != true
                && node["name"]["value"].as_str().unwrap_or_default().trim().is_empty()
        };
        let nodes = tree["nodes"].as_array().expect("a tree");
        let nameless: Vec<_> = nodes.iter().filter(nameless).collect();
        assert!(nodes.len() > 20 && nameless.is_empty(), "without a name: {nameless:#?}");
    }

    /// Checks that the page is no wider than the window.
    #[track_caller]
    pub(crate) fn nothing_sticks_out(&self) {
        let widths = self.value("[document.documentElement.scrollWidth, innerWidth]");
        assert!(widths[0].as_u64() <= widths[1].as_u64(), "{widths}");
    }

    /// Returns what the browser's log has of all windows since this was asked for last.
    fn take_log(&self) -> Vec<Value> {
        let log = self.post("se/log", json!({ "type": "browser" }));
        log.as_array().expect("a list").clone()
    }

    /// Ends the test: checks that the browser's log has no errors but those with these words, and that the page
    /// kept its policy.
    #[track_caller]
    pub(crate) fn finish(self, expected: &[&str]) {
        let log = self.take_log();
        let surprises: Vec<_> = log
            .iter()
            .filter(|entry| {
                let message = entry["message"].as_str().unwrap_or_default();
                !expected.iter().any(|expected| message.contains(expected))
            })
            .collect();
        assert!(surprises.is_empty(), "{surprises:#?}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.chromium.take().into_iter().for_each(Chromium::leave);
    }
}

/// A command that chromedriver understands beyond the standard.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
