//! A program that is not heard any more.

use crate::browser::Browser;
use crate::program::{Program, wait_until};
use limit_runtime::Limiter;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Returns the age of the figures in seconds, as the page says it.
const AGE: &str = "Number(/are ([0-9]+) s old/.exec(text('#trouble-age'))?.[1] ?? -1)";

#[test]
fn a_lost_connection_is_said_and_comes_back() {
    static LOST: Limiter = Limiter::new("connection::lost", 2);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let mut program = Program::writable();
    program.calls(&LOST, 3);
    browser.go(&program.url_of("connection::lost"));
    browser.until("!$('#detail-body').hidden && !$('#controls').disabled && $('#trouble').hidden");

    program.stop();
    browser.until("!$('#trouble').hidden && $('body').classList.contains('stale')");
    // The page may have heard nothing for some time before.
    browser.until_is(
        "[text('#trouble-words'), $('#controls').disabled, $('#trouble').matches('section[aria-label]')].join()",
        "Connection lost.,true,true",
    );
    browser.until(&format!("{AGE} >= 1"));
    let before = browser.value(AGE).as_u64().expect("an age");
    browser.until(&format!("{AGE} > {before}"));
    browser.is_accessible();
    browser.picture("stale");
    browser.dark(true);
    browser.picture("stale-dark");

    // The limiters are the same, and the queue is longer meanwhile.
    program.calls(&LOST, 5);
    assert_eq!(browser.value("$('#restart').hidden"), true);
    let known = "Number($('#charts .plot').getAttribute('aria-valuemax'))";
    let before = browser.value(known).as_u64().expect("a number of ticks");
    program.start();
    browser.until("$('#trouble').hidden && !$('body').classList.contains('stale')");
    browser.until("cells('connection::lost')[2] === '6' && !$('#controls').disabled");
    browser.until("text('#facts').includes('Waiting6')");
    // It is another run, whose history goes on from the history before.
    browser.until("!$('#restart').hidden && /^restarted [0-9:]+$/.test(text('#restart'))");
    browser.until(&format!("{known} > {before}"));
    assert_eq!(browser.value("/ran|run/.test($('#restart').title)"), true);
    let marks = "[...document.querySelectorAll('.plot')].filter(plot => plot.checkVisibility()).map(plot => plot.querySelectorAll('.mark').length)";
    browser.until(&format!("{marks}.length >= 2 && {marks}.every(marks => marks === 1)"));
    browser.is_accessible();
    browser.picture("restarted");
    browser.finish(&["net::ERR_"]);
}

#[test]
fn a_program_that_says_nothing_is_noticed() {
    static SILENT: Limiter = Limiter::new("connection::silent", 2);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::writable();
    program.calls(&SILENT, 1);
    browser.go(&program.url_of("connection::silent"));
    browser.until("!$('#detail-body').hidden && $('#trouble').hidden");
    let frozen = program.freeze();
    browser.until("!$('#trouble').hidden && $('#controls').disabled");
    assert_eq!(browser.value("text('#trouble-words')"), "Nothing heard from the program.");
    assert!(browser.value(AGE).as_u64().is_some_and(|age| age >= 3), "{}", browser.value(AGE));
    drop(frozen);
    browser.until("$('#trouble').hidden && !$('#controls').disabled");
    browser.finish(&[]);
}

#[test]
fn what_the_server_refuses_it_with_is_said() {
    static FULL: Limiter = Limiter::new("connection::full", 2);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    program.calls(&FULL, 1);
    let followers: Vec<_> = (0..64).map(|_| follower(&program)).collect();
    browser.go(&program.url());
    let words = "The server refuses: 64 follow already; close a page";
    browser.until_is("text('#trouble-words')", words);
    assert_eq!(browser.value("$('body').classList.contains('loading')"), true);
    browser.is_accessible();
    browser.picture("error");

    drop(followers);
    browser.until("$('#trouble').hidden && rows().includes('connection::full')");
    browser.finish(&["503"]);
}

#[test]
fn a_hidden_page_has_no_stream_and_a_page_that_is_shown_has_one() {
    static HIDDEN: Limiter = Limiter::new("connection::hidden", 2);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::writable();
    program.calls(&HIDDEN, 1);
    browser.go(&program.url_of("connection::hidden"));
    browser.until("!$('#detail-body').hidden && $('#trouble').hidden");
    // A limiter's events come in the same stream.
    browser.click("#follow");
    let events = |pattern: &str| {
        let heard = format!("{pattern}.test(text('#events'))");
        wait_until(|| {
            // Events from before the page follows are not heard.
            program.run(async { drop(HIDDEN.try_acquire()) });
            std::thread::sleep(Duration::from_millis(100));
            browser.value(&heard) == true
        });
    };
    events("/admitted/");
    wait_until(|| program.streams() == 1);

    browser.hide();
    wait_until(|| program.streams() == 0);
    program.calls(&HIDDEN, 1);
    // Longer than the silence that is trouble while the page is shown.
    let hidden = browser.value("Date.now()");
    wait_until(|| {
        assert_eq!(program.streams(), 0, "it stays so");
        browser.value(&format!("Date.now() - {hidden} > 5000")) == true
    });

    // The silence was no trouble, and the page goes on with the figures of now.
    browser.show();
    assert_eq!(browser.value("$('#trouble').hidden"), true);
    browser.until("cells('connection::hidden')[1] === '2 / 2' && !$('#controls').disabled");
    browser.until("!$('body').classList.contains('stale') && $('#follow').checked");
    events("/rejected[^]*the page was hidden[^]*admitted/");
    assert_eq!(program.streams(), 1);
    browser.click("#follow");
    browser.until("text('#events') === 'Not followed.'");
    wait_until(|| program.streams() == 1);
    browser.finish(&[]);
}

#[test]
fn a_page_that_is_left_has_no_stream_and_has_one_when_the_reader_comes_back() {
    static LEFT: Limiter = Limiter::new("connection::left", 2);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    program.calls(&LEFT, 1);
    browser.go(&program.url());
    browser.until("cells('connection::left')[1] === '1 / 2' && $('#trouble').hidden");
    wait_until(|| program.streams() == 1);
    browser.go("about:blank");
    wait_until(|| program.streams() == 0);
    program.calls(&LEFT, 1);
    browser.back();
    browser.until("cells('connection::left')[1] === '2 / 2' && $('#trouble').hidden");
    wait_until(|| program.streams() == 1);
    browser.finish(&[]);
}

#[test]
fn a_page_that_is_opened_where_nobody_sees_it_waits_until_it_is_shown() {
    static BEHIND: Limiter = Limiter::new("connection::behind", 2);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    program.calls(&BEHIND, 1);
    browser.hide();
    browser.go(&program.url());
    browser.until("document.hidden && document.readyState === 'complete' && $('#trouble').hidden");
    assert_eq!((program.streams(), browser.value("rows().length")), (0, 0.into()));
    browser.show();
    browser.until("cells('connection::behind')[1] === '1 / 2' && $('#trouble').hidden");
    assert_eq!(program.streams(), 1);
    browser.finish(&[]);
}

#[test]
fn six_open_tabs_do_not_keep_the_service_s_own_pages_from_loading() {
    static TABS: Limiter = Limiter::new("connection::tabs", 2);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    program.calls(&TABS, 1);
    browser.go(&program.url());
    browser.until("cells('connection::tabs')[1] === '1 / 2'");
    let first = browser.open_tab();
    for _ in 1..6 {
        browser.go(&program.url());
        browser.until("cells('connection::tabs')[1] === '1 / 2'");
        wait_until(|| program.streams() == 1);
        browser.open_tab();
    }
    // Over HTTP/1.1 a browser has six connections to a server.
    browser.go(&program.own_page());
    assert_eq!(browser.value("document.title"), "the shop");
    wait_until(|| program.streams() == 0);

    program.calls(&TABS, 1);
    browser.switch_to(first);
    browser.until("!document.hidden && cells('connection::tabs')[1] === '2 / 2'");
    wait_until(|| program.streams() == 1);
    browser.finish(&[]);
}

/// Follows the stream, as another page does.
fn follower(program: &Program) -> TcpStream {
    let url = program.url();
    let host = url.split('/').nth(2).expect("a host");
    let mut follower = TcpStream::connect(host).expect("it listens");
    let request = format!("GET /limits/api/stream HTTP/1.1\r\nHost: {host}\r\n\r\n");
    follower.write_all(request.as_bytes()).expect("it reads");
    let mut status = [0; 12];
    follower.read_exact(&mut status).expect("it answers");
    assert_eq!(&status, b"HTTP/1.1 200");
    follower
}
