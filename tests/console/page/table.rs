//! All limiters, in a table.

use crate::browser::Browser;
use crate::program::Program;
use fantoccini::key::Key;
use limit_runtime::{KeyedLimiter, Limiter, Rejected};
use serde_json::json;

static BOTTLENECK: Limiter = Limiter::new("table::bottleneck", 1);
static BUSY: Limiter = Limiter::new("table::busy", 2);
static CALM: Limiter = Limiter::new("table::calm", 8);
static STRICT: Limiter<Rejected> = Limiter::new("table::strict", 1).max_waiting(0);

fn program() -> Program {
    let program = Program::read_only();
    program.calls(&BOTTLENECK, 30);
    program.calls(&BUSY, 7);
    program.calls(&CALM, 3);
    let permit = program.run(async { STRICT.try_acquire() }).expect("a free permit");
    program.again_and_again(move || {
        let _keeps_its_permit = &permit;
        let refused = STRICT.try_acquire();
        assert!(refused.is_err(), "it has one permit");
    });
    program
}

#[test]
fn the_worst_come_first_and_each_has_its_figures_in_one_line() {
    let Some(browser) = Browser::start(1440, 900) else { return };
    browser.hurry(3);
    let program = program();
    browser.go(&program.url());
    browser.fill("#filter", "table::");
    // Those that nobody leaves are stuck after some time: before the one that refuses calls.
    browser.until_is(
        "rows()",
        json!(["table::bottleneck", "table::busy", "table::strict", "table::calm"]),
    );
    browser
        .until("row('table::busy').matches('.stuck') && row('table::strict').matches('.refusing')");
    let figures = "rows().map(name => cells(name).slice(1, 3))";
    let wanted = json!([["1 / 1", "29"], ["2 / 2", "5"], ["1 / 1", "0"], ["3 / 8", "0"]]);
    browser.until_is(figures, wanted);
    let label = "row('table::busy').querySelector('.bars').getAttribute('aria-label')";
    assert_eq!(browser.value(label), "2 of 2 permits in use");
    // A rate and a share, a time of those that wait still, and the age of the oldest.
    browser.until(
        "/^[0-9.]+\\/s$/.test(cells('table::strict')[3]) && small('table::strict')[3] === '100 %'",
    );
    assert_eq!(browser.value("/no permits/.test(row('table::strict').cells[3].title)"), true);
    browser
        .until("/^[0-9]+ s$/.test(small('table::busy')[2]) && / s$/.test(cells('table::busy')[4])");
    browser.until("row('table::calm').querySelector('.spark path:last-child').getAttribute('d').includes('L')");
    // The line has room for the limit of 8 above the 3 in use.
    let line = "[...row('table::calm').querySelectorAll('.spark path')].map(path => path.getAttribute('d').match(/ ([0-9.]+)(H|$)/)[1])";
    assert_eq!(browser.value(line), json!(["1.0", "9.8"]));
    let heads = "[...document.querySelectorAll('#limiters thead th')].map(head => head.innerText.trim().split(/\\s/)[0])";
    assert_eq!(
        browser.value(heads),
        json!(["Limiter", "In", "Waiting", "Refused", "p99", "Admitted", "Last"])
    );
    assert_eq!(
        browser.value("[...document.querySelectorAll('#rows tr')].map(row => row.offsetHeight)"),
        json!([32, 32, 32, 32])
    );
    browser.is_accessible();
    browser.nothing_sticks_out();
    browser.picture("table");
    browser.dark(true);
    browser.picture("table-dark");
    browser.finish(&[]);
}

#[test]
fn a_stuck_limiter_says_who_holds_it_up_and_since_when() {
    static STUCK: Limiter = Limiter::new("stuck::imports::nightly", 1);
    let Some(browser) = Browser::start(1680, 900) else { return };
    let program = Program::read_only();
    program.calls(&STUCK, 4);
    browser.go(&program.url_of("stuck::imports::nightly"));
    browser.until("!$('#stuck').hidden");
    assert_eq!(browser.value("text('#stuck-words')"), "Stuck: calls wait, and none is admitted.");
    browser.until(
        "/^Nothing admitted for 1[0-9] s, oldest holder [0-9]+ s at program\\.rs:[0-9]+\\. It has been so since [0-9:]{8}\\.$/.test(text('#stuck-since'))",
    );
    browser.is_accessible();
    browser.picture("stuck");
    browser.click("#close");
    browser.fill("#filter", "stuck::");
    browser.until("row('stuck::imports::nightly').matches('.stuck')");
    browser.until("/^stuck::imports::nightly\\s*stuck [0-9]+ s\\s*held [0-9]+ s at program\\.rs:[0-9]+$/.test(cells('stuck::imports::nightly')[0])");
    browser.until("cells('stuck::imports::nightly')[4] !== '–'");
    // In less room the module of the name gives way before the note.
    browser.resize(1200, 440);
    let fits = "(note => note.checkVisibility() && note.scrollWidth <= note.clientWidth)(row('stuck::imports::nightly').querySelector('.why'))";
    browser.until(fits);
    browser.finish(&[]);
}

#[test]
fn keys_are_judged_by_the_worst_one_and_a_total_has_its_own_bar() {
    static KEYED: KeyedLimiter = Limiter::new("keys::tenants", 3).keyed().total(20);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    for (key, calls) in [("acme", 8), ("globex", 2), ("initech", 2)] {
        for _ in 0..calls {
            program.spawn(async move {
                let _permit = KEYED.key(key.to_owned()).acquire().await;
                std::future::pending::<()>().await;
            });
        }
    }
    browser.go(&program.url());
    browser.fill("#filter", "keys::");
    browser.until_is("cells('keys::tenants')[1]", "7 in use · acme 3/3, 5 waiting");
    // The bar of the worst key is full, and that of all keys is not: 7 of 20.
    let bars = "[...row('keys::tenants').querySelectorAll('.bar')].map(bar => [bar.hidden, bar.matches('.full'), bar.firstChild.style.transform])";
    assert_eq!(
        browser.value(bars),
        json!([[false, true, "scaleX(1)"], [false, false, "scaleX(0.35)"]])
    );
    let label = "row('keys::tenants').querySelector('.bars').getAttribute('aria-label')";
    assert_eq!(
        browser.value(label),
        "7 permits in use by 3 keys, at most 3 for each and 20 together; the worst key is acme 3/3, 5 waiting"
    );
    browser.click("[data-kind=full]");
    browser.until_is("rows()", json!(["keys::tenants"]));
    // A runtime has permits of many keys: more than the limit of one.
    browser.click("#rows a");
    browser.until("!$('#detail-body').hidden");
    assert_eq!(browser.value("$('#runtimes').rows[0].cells[1].textContent"), "7");
    // Each bar has its figure in words, and the chart the limit of all keys.
    let facts = "[...document.querySelectorAll('#facts div')].slice(0, 2).map(fact => fact.innerText.split('\\n'))";
    let wanted = json!([["All keys together", "7 / 20"], ["Worst key", "acme 3 / 3"]]);
    browser.until_is(facts, wanted);
    browser.until("text('#charts .legend .capacity').startsWith('limit of all keys 20')");
    browser.until("!!$('#charts .capacity path.dashed')");
    let settings = "[...$('#settings').rows].map(row => [...row.cells].map(cell => cell.textContent)).filter(row => row[0] === 'total' || row[0] === 'order')";
    let wanted =
        json!([["total", "20", "the program"], ["order", "first come, first served", "the code"]]);
    assert_eq!(browser.value(settings), wanted);
    browser.is_accessible();
    browser.finish(&[]);
}

#[test]
fn its_head_sorts_and_the_address_has_the_choices() {
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = program();
    browser.go(&program.url());
    browser.fill("#filter", "table::");
    browser.until("rows().length === 4");
    let sorted = "[...document.querySelectorAll('[aria-sort]')].map(head => [head.dataset.sort, head.ariaSort])";
    assert_eq!(browser.value(sorted), json!([]));
    assert_eq!(browser.value("$('#worst').ariaPressed"), "true");

    browser.click("[data-sort=name] button");
    let names = ["table::bottleneck", "table::busy", "table::calm", "table::strict"];
    browser.until_is("rows()", json!(names));
    assert_eq!(browser.value(sorted), json!([["name", "ascending"]]));
    // The keyboard works too.
    browser.press(&Key::Enter.to_string());
    let names = ["table::strict", "table::calm", "table::busy", "table::bottleneck"];
    browser.until_is("rows()", json!(names));
    assert_eq!(browser.value(sorted), json!([["name", "descending"]]));
    assert_eq!(browser.value("location.hash"), "#sort=-name&filter=table%3A%3A");

    browser.click("[data-sort=refused] button");
    browser.until("rows()[0] === 'table::strict'");
    // The third click brings the worst first again.
    browser.click("[data-sort=refused] button");
    browser.until_is("rows().at(-1)", "table::strict");
    browser.click("[data-sort=refused] button");
    browser.until_is(sorted, json!([]));
    assert_eq!(browser.value("$('#worst').ariaPressed"), "true");

    // Another reader of the address sees the same.
    browser.click("[data-sort=waiting] button");
    browser.click("[data-kind=refusing]");
    browser.click("[data-name='table::strict'] a");
    browser.until("!$('#detail-body').hidden");
    let address = "#name=table%3A%3Astrict&kind=refusing&sort=-waiting&filter=table%3A%3A";
    assert_eq!(browser.value("location.hash"), address);
    browser.go("about:blank");
    browser.go(&format!("{}{address}", program.url()));
    browser.until("text('#detail-name') === 'table::strict' && !$('#detail-body').hidden");
    browser.until_is("rows()", json!(["table::strict"]));
    assert_eq!(browser.value(sorted), json!([["waiting", "descending"]]));
    assert_eq!(
        browser.value("[$('#filter').value, $('[data-kind=refusing]').ariaPressed]"),
        json!(["table::", "true"])
    );
    browser.finish(&[]);
}

#[test]
fn it_is_filtered_and_opened_by_the_keyboard() {
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = program();
    browser.go(&program.url());
    browser.until("rows().length >= 4");
    browser.press("/");
    assert_eq!(browser.value("document.activeElement.id"), "filter");
    browser.press("LE::c");
    browser.until_is("rows()", json!(["table::calm"]));
    assert!(browser.value("text('#count')").as_str().is_some_and(|text| text.starts_with("1 of ")));
    browser.press("xyz");
    browser.until("$('#limiters').hidden && !$('#no-match').hidden");
    assert_eq!(browser.value("text('#no-match')"), "No limiter's name contains “LE::cxyz”.");
    browser.press(&Key::Escape.to_string());
    browser.until("rows().includes('table::busy')");
    browser.press("table::b");
    browser.until_is("rows()", json!(["table::bottleneck", "table::busy"]));

    for _ in 0..20 {
        if browser.value("!!document.activeElement.closest('#rows')") == json!(true) {
            break;
        }
        browser.press(&Key::Tab.to_string());
    }
    let focus =
        "document.activeElement.closest('#rows tr')?.dataset.name ?? document.activeElement.id";
    assert_eq!(browser.value(focus), "table::bottleneck");
    browser.press(&Key::Down.to_string());
    assert_eq!(browser.value(focus), "table::busy");
    browser.press(&Key::Enter.to_string());
    browser.until_is(focus, "detail-name");
    assert_eq!(
        browser.value("[text('#detail-name'), location.hash]"),
        json!(["table::busy", "#name=table%3A%3Abusy&filter=table%3A%3Ab"])
    );
    browser.press(&Key::Escape.to_string());
    browser.until("$('#detail').hidden");
    assert_eq!(browser.value(focus), "table::busy");
    assert_eq!(browser.value("location.hash"), "#filter=table%3A%3Ab");
    browser.finish(&[]);
}

#[test]
fn rows_stay_where_they_are_while_the_pointer_or_the_focus_is_in_the_table() {
    static FIRST: Limiter = Limiter::new("steady::first", 1);
    static SECOND: Limiter = Limiter::new("steady::second", 1);
    let Some(browser) = Browser::start_alone(1440, 900) else { return };
    browser.hurry(5);
    let program = Program::read_only();
    program.calls(&FIRST, 5);
    program.calls(&SECOND, 2);
    browser.go(&program.url());
    browser.fill("#filter", "steady::");
    browser.until_is("rows()", json!(["steady::first", "steady::second"]));
    let tops =
        "[...document.querySelectorAll('#rows tr')].map(row => row.getBoundingClientRect().top)";
    let before = browser.value(tops);

    browser.point("[data-name='steady::first'] .use");
    browser.until("$('#held').matches('.said')");
    program.calls(&SECOND, 60);
    browser.until("cells('steady::second')[2] === '61'");
    // For longer than the time after which rows are put in order.
    browser.value("[window.ticks = new Set()].length");
    browser.until("ticks.add(text('#clock')).size > 2");
    assert_eq!(browser.value("rows()"), json!(["steady::first", "steady::second"]));
    // Neither the note nor the verdict has moved a row.
    assert_eq!(browser.value(tops), before);
    browser.point_nowhere();
    browser.until_is("rows()", json!(["steady::second", "steady::first"]));
    browser.until("!$('#held').matches('.said')");

    browser.value("$('#rows a').focus()");
    program.calls(&FIRST, 300);
    browser.until("cells('steady::first')[2] === '304'");
    browser.value("[window.ticks = new Set()].length");
    browser.until("ticks.add(text('#clock')).size > 2");
    assert_eq!(browser.value("rows()"), json!(["steady::second", "steady::first"]));
    assert_eq!(browser.value("$('#held').matches('.said')"), true);
    browser.value("document.activeElement.blur()");
    browser.until_is("rows()", json!(["steady::first", "steady::second"]));
    browser.finish(&[]);
}

#[test]
fn a_limiter_that_is_gone_keeps_its_row_while_the_pointer_is_in_the_table() {
    static BELOW: Limiter = Limiter::new("leave::b_stays", 1);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    let short = Limiter::named("leave::a_goes".to_owned(), 1);
    drop(program.run(async { short.try_acquire() }));
    drop(program.run(async { BELOW.try_acquire() }));
    browser.go(&program.url());
    browser.fill("#filter", "leave::");
    browser.until_is("rows()", json!(["leave::a_goes", "leave::b_stays"]));
    browser.point("[data-name='leave::b_stays'] .use");
    browser.until("$('#held').matches('.said')");
    drop(short);
    browser.until("row('leave::a_goes').matches('.gone')");
    browser.is_accessible();
    assert_eq!(browser.value("rows()"), json!(["leave::a_goes", "leave::b_stays"]));
    browser.point_nowhere();
    browser.until_is("rows()", json!(["leave::b_stays"]));
    browser.finish(&[]);
}
