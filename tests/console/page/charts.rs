//! The charts of a limiter.

use crate::browser::Browser;
use crate::program::Program;
use fantoccini::key::Key;
use futures::FutureExt;
use limit_runtime::{Limiter, Rejected};
use serde_json::json;

/// Has the page see ten minutes that `tick` makes up: it gives the figures of each of 600 ticks, the last one now.
fn make_up(browser: &Browser, tick: &str) {
    let script = "window.fetch = (real => async (url, options) => {
        const answer = await real(url, options);
        if (!String(url).includes('api/limiter?')) return answer;
        const body = await answer.json();
        const ticks = [...Array(600).keys()];
        const figures = ticks.map(TICK);
        const list = name => figures.map(figure => figure[name] ?? null);
        const zeros = ticks.map(() => 0);
        const rejected = Object.fromEntries(Object.keys(body.history.rejected).map(name => [name, zeros]));
        Object.assign(body, { tick: 0, history: {
            time: ticks.map(tick => body.time - (599 - tick) * 1000), in_use: list('in_use'), capacity: list('capacity'),
            waiting: list('waiting'), p50: list('p50'), p99: list('p99'), admitted: list('admitted'), rejected,
        } });
        return new Response(JSON.stringify(body));
    })(window.fetch)";
    browser.value(&format!("[{}].length", script.replace("TICK", tick)));
}

/// The page with a limiter open, and ten made-up minutes.
fn open(browser: &Browser, program: &Program, name: &str, tick: &str) {
    browser.go(&program.url());
    browser.until("rows().length > 0");
    make_up(browser, tick);
    browser.value(&format!("location.hash = 'name={}'", name.replace(':', "%3A")));
    browser.until(
        "!$('#detail-body').hidden && $('#charts .plot svg *') && text('.axis').includes('10 min')",
    );
}

/// The caption of each chart.
const CAPTIONS: &str = "[...document.querySelectorAll('#charts figcaption')].map(caption => caption.innerText.replace(/\\s+/g, ' ').trim())";

#[test]
fn one_spike_does_not_flatten_ten_minutes_and_empty_charts_say_so() {
    static SPIKE: Limiter = Limiter::new("charts::spike", 1000);
    let Some(browser) = Browser::start(1440, 1300) else { return };
    let program = Program::read_only();
    program.calls(&SPIKE, 1);
    let tick = "tick => ({ in_use: tick === 300 ? 900 : 4, capacity: 1000, waiting: 0, admitted: tick === 300 ? 5000 : 10 })";
    open(&browser, &program, "charts::spike", tick);
    let captions = browser.value(CAPTIONS);
    let caption = |at: usize| captions[at].as_str().expect("words").to_owned();
    assert!(
        caption(0).starts_with("In use permits in use 4 limit 1,000 cut at 8, peak 900 at "),
        "{captions}"
    );
    assert!(caption(0).ends_with("; the limit, 1,000, is above"), "{captions}");
    assert_eq!(caption(1), "Waiting calls none in 10 min");
    assert!(
        caption(2).starts_with("Admitted calls a second admitted 10 cut at 20, peak 5K at "),
        "{captions}"
    );
    assert_eq!(caption(3), "Refused calls a second none in 10 min");
    assert_eq!(caption(4), "Waits lately none in 10 min");
    let beside = "[text('#charts-title'), text('#moment')]";
    assert_eq!(browser.value(beside), json!(["The last ten minutes", ""]));
    // Four permits of an axis of eight are half of the height. The spike is marked at the top.
    assert_eq!(browser.value("document.querySelectorAll('#charts .cut').length"), 2);
    let height = "(box => box.height)($('#charts .in_use .area').getBBox())";
    browser.until(&format!("{height} > 60"));
    let line = "Number(/ ([0-9.]+)$/.exec($('#charts .in_use .stroke').getAttribute('d'))[1])";
    let middle = browser.value(line).as_f64().expect("a height");
    assert!((40.0..50.0).contains(&middle), "{middle}");
    browser.picture("spike");
    browser.dark(true);
    browser.picture("spike-dark");
    browser.finish(&[]);
}

#[test]
fn what_goes_on_now_is_no_spike() {
    static NOW: Limiter = Limiter::new("charts::now", 10);
    let Some(browser) = Browser::start(1440, 1300) else { return };
    let program = Program::read_only();
    program.calls(&NOW, 1);
    let tick = "tick => ({ in_use: 10, capacity: 10, waiting: tick > 595 ? 900 : 1, admitted: 1, p50: 0.001, p99: tick > 595 ? 2 : 0.001 })";
    open(&browser, &program, "charts::now", tick);
    assert_eq!(browser.value("text('#charts').includes('cut at')"), false);
    browser.until("text('#charts').includes('1,000') && text('#charts').includes('2 s')");
    browser.finish(&[]);
}

#[test]
fn all_charts_share_the_time_axis_and_the_crosshair() {
    static SHARED: Limiter = Limiter::new("charts::shared", 10);
    let Some(browser) = Browser::start(1440, 1300) else { return };
    let program = Program::read_only();
    program.calls(&SHARED, 1);
    let tick = "tick => ({ in_use: 10, capacity: 10, waiting: tick, admitted: tick * 2, p50: tick / 1000, p99: tick / 100 })";
    open(&browser, &program, "charts::shared", tick);
    assert_eq!(browser.value("document.querySelectorAll('#charts .axis').length"), 1);
    let cursors = "[...document.querySelectorAll('#charts .cursor')].filter(cursor => cursor.getAttribute('visibility') === 'visible').map(cursor => cursor.getAttribute('x1'))";
    assert_eq!(browser.value(cursors), json!([]));
    // The pointer is over one of them. The values come from its place, the same in all of them.
    browser.value(
        "(box => [...document.querySelectorAll('#charts .plot')].at(1).dispatchEvent(new PointerEvent('pointermove',
            { clientX: box.left + 56 + (box.width - 66) / 2, clientY: box.top + 20 })))($('#charts .plot').getBoundingClientRect())",
    );
    browser.until(&format!("{cursors}.length === 4 && new Set({cursors}).size === 1"));
    let values = "[...document.querySelectorAll('#charts .legend li')].filter(item => item.checkVisibility()).map(item => item.textContent.trim())";
    // All are read at once: the next tick moves the charts under the pointer.
    let read = browser.value(&format!("[Number(text('#charts li.waiting b')), {values}]"));
    let at = read[0].as_f64().expect("a tick");
    assert!((295.0..305.0).contains(&at), "{at}");
    let read = read[1].to_string();
    for value in [format!("admitted {}", at * 2.0), format!("p50 {at} ms"), "limit 10".to_owned()] {
        assert!(read.contains(&value), "{value}: {read}");
    }
    browser.until("/^at [0-9:]+$/.test(text('#moment'))");
    browser.picture("crosshair");
    // So do the arrow keys, and each chart can be read out.
    browser.value("[...document.querySelectorAll('#charts .plot')].find(plot => plot.checkVisibility()).focus()");
    browser.press(&Key::Home.to_string());
    browser
        .until("text('#charts').includes('waiting 0') && text('#charts').includes('admitted 0')");
    browser.until(
        "[...document.querySelectorAll('#charts .plot')].filter(plot => plot.checkVisibility()).every(plot =>
            plot.getAttribute('aria-valuenow') === '0' && /^[0-9:]+: /.test(plot.getAttribute('aria-valuetext')))",
    );
    browser.value("document.activeElement.blur()");
    browser.until(&format!("{cursors}.length === 0 && text('#moment') === ''"));
    browser.finish(&[]);
}

#[test]
fn refused_calls_are_shown_by_reason() {
    static REFUSED: Limiter<Rejected> = Limiter::new("charts::refused", 1).max_waiting(0);
    let Some(browser) = Browser::start(1440, 1300) else { return };
    let program = Program::read_only();
    let permit = program.run(async { REFUSED.try_acquire() }).expect("a free permit");
    program.again_and_again(move || {
        let _keeps_its_permit = &permit;
        // One has no time to wait, and the other finds no room in the queue.
        assert!(REFUSED.try_acquire().is_err());
        assert!(REFUSED.acquire().now_or_never().is_some_and(|refused| refused.is_err()));
    });
    browser.go(&program.url_of("charts::refused"));
    let legend = "[...document.querySelectorAll('#charts figure')].filter(figure => figure.textContent.startsWith('Refused'))
        .flatMap(figure => [...figure.querySelectorAll('.legend li')]).filter(item => item.checkVisibility()).map(item => item.className)";
    browser.until_is(legend, json!(["no_permits", "queue_full"]));
    browser.until("!!$('#charts .no_permits path.stack') && !!$('#charts .queue_full path.stack')");
    browser.picture("refused-by-reason");
    browser.finish(&[]);
}

#[test]
fn there_are_no_holes_between_the_cards() {
    static FULL: Limiter = Limiter::new("charts::full", 2);
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let program = Program::read_only();
    program.calls(&FULL, 5);
    browser.go(&program.url_of("charts::full"));
    browser.until("!$('#detail-body').hidden && $('#holders-places').rows.length === 1");
    // In each line of cards, the last one ends where the line ends.
    let holes = "(end => {
        const lines = new Map();
        for (const card of document.querySelectorAll('.tables .card')) {
            if (!card.checkVisibility()) continue;
            const { top, right } = card.getBoundingClientRect();
            lines.set(Math.round(top), Math.max(lines.get(Math.round(top)) ?? 0, right));
        }
        return [...lines.values()].filter(right => Math.abs(right - end) > 1).length;
    })($('.tables').getBoundingClientRect().right)";
    for width in [390, 768, 1280, 1680] {
        browser.resize(width, 1000);
        browser.until(&format!("innerWidth === {width}"));
        browser.until_is(holes, 0);
        browser.nothing_sticks_out();
        browser.picture(&format!("cards-{width}"));
    }
    browser.finish(&[]);
}
