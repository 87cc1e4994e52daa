//! A file of settings that cannot be applied.

use crate::browser::Browser;
use crate::program::Program;
use limit_config::Config;
use limit_runtime::Limiter;
use std::fs;
use std::time::Duration;

#[test]
fn a_broken_file_is_shown_with_its_line_until_it_is_mended() {
    static FILED: Limiter = Limiter::new("file::filed", 5);
    let Some(browser) = Browser::start_alone(1440, 900) else { return };
    let program = Program::read_only();
    program.calls(&FILED, 1);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("service.toml");
    let edit = |text: &str| {
        // In one step, so that nobody reads half of it.
        let other = path.with_extension("new");
        fs::write(&other, text).expect("it can be written");
        fs::rename(&other, &path).expect("it takes the place of the other");
    };
    edit("[\"file::filed\"]\nlimit = 4\n");
    let watcher = Config::watch(&path).interval(Duration::from_millis(20)).start();
    let watcher = watcher.expect("the file is right");
    browser.go(&program.url_of("file::filed"));
    browser.until("cells('file::filed')[1] === '1 / 4' && $('#settings-problem').hidden");
    edit("[\"file::filed\"]\nlimit = 4\nlimt = 3\n");
    browser.until("!$('#settings-problem').hidden");
    let words = browser.value("text('#settings-problem-words')");
    let line = "service.toml:3:1: unknown field `limt`";
    assert!(words.as_str().is_some_and(|words| words.contains(line)), "{words}");
    assert_eq!(browser.value("!!$('#settings-problem [role=alert]')"), true);
    assert_eq!(FILED.limit(), Some(4));
    browser.nothing_sticks_out();
    browser.is_accessible();
    browser.picture("file");
    edit("[\"file::filed\"]\nlimit = 3\n");
    browser.until("$('#settings-problem').hidden && cells('file::filed')[1] === '1 / 3'");
    drop(watcher);
    browser.finish(&[]);
}
