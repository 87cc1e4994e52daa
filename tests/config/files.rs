//! The files that can be watched, and the edits that leave the settings as they are.

use crate::turn;
use crate::watch::{INTERVAL, PATIENCE, edit, file, until, watch};
use limit_config::{Config, ConfigErrorKind};
use limit_runtime::Limiter;
use limit_runtime::settings::problem;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::{env, fs, thread};

/// Returns the error of a watch that does not begin. The error comes at once: the watch waits for nobody.
#[track_caller]
fn refusal(path: &Path) -> String {
    let (path, (say, said)) = (path.to_owned(), mpsc::channel());
    thread::spawn(move || say.send(Config::watch(path).start().err()));
    let error = said.recv_timeout(PATIENCE).expect("it waits for nobody");
    error.expect("it is no regular file").to_string()
}

#[cfg(unix)]
fn named_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.expect("it can be started").success());
}

#[cfg(unix)]
#[test]
fn only_regular_files_and_links_to_them_are_watched() {
    use std::os::fd::AsRawFd;
    use std::os::unix::{fs::symlink, net::UnixListener};

    let _turn = turn();
    let limiter = Limiter::new("files-regular", 1);
    let _ = limiter.snapshot();
    let (folder, path) = file("[files-regular]\nlimit = 3");
    let (pipe, socket) = (folder.path().join("pipe"), folder.path().join("socket"));
    named_pipe(&pipe);
    let _listener = UnixListener::bind(&socket).expect("its place is free");
    let open = fs::File::open(&path).expect("it is there");
    let descriptor = format!("/dev/fd/{}", open.as_raw_fd());
    let link_to_pipe = folder.path().join("link-to-pipe");
    symlink(&pipe, &link_to_pipe).expect("its place is free");
    for (path, what) in [
        (&*pipe, "a named pipe"),
        (&link_to_pipe, "a named pipe"),
        (&socket, "a socket"),
        (folder.path(), "a directory"),
        (Path::new("/dev/zero"), "a device"),
        (Path::new("/dev/stdin"), "a file descriptor"),
        (Path::new(&descriptor), "a file descriptor"),
        (Path::new(&format!("/proc/self/fd/{}", open.as_raw_fd())), "a file descriptor"),
    ] {
        let error = refusal(path);
        let wanted = format!("{}: cannot be watched: it is {what}", path.display());
        assert!(error.starts_with(&wanted), "{error}");
        assert!(error.contains("only regular files"), "{error}");
    }
    assert_eq!(limiter.limit(), Some(1));

    // Orchestrators mount files so: the file is a link into a folder, and the folder is a link that is
    // replaced.
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    for (folder, limit) in [(&old, 4), (&new, 5)] {
        fs::create_dir(folder).expect("its place is free");
        let text = format!("[files-regular]\nlimit = {limit}");
        fs::write(folder.join("limits.toml"), text).expect("it is written");
    }
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    symlink(&old, &data).expect("its place is free");
    let link = folder.path().join("mounted.toml");
    symlink("data/limits.toml", &link).expect("its place is free");
    let watcher = watch(&link);
    assert_eq!(limiter.limit(), Some(4));
    symlink(&new, &other).expect("its place is free");
    fs::rename(&other, &data).expect("it takes the place of the other");
    until("the other folder's file is applied", || limiter.limit() == Some(5));
    assert!(watcher.error().is_none());
}

#[cfg(unix)]
#[test]
fn whatever_takes_the_place_of_the_file_keeps_the_last_settings_and_is_told() {
    use std::os::unix::fs::symlink;

    let _turn = turn();
    let limiter = Limiter::new("files-replaced", 1);
    let _ = limiter.snapshot();
    let (folder, path) = file("[files-replaced]\nlimit = 3");
    let watcher = watch(&path);
    let replaced = |message: &str| {
        until(message, || watcher.error().is_some_and(|error| error.to_string().contains(message)));
        assert_eq!(limiter.limit(), Some(3), "{message}");
        assert!(watcher.applied().to_string().contains("limit 1 -> 3"));
    };
    let other = folder.path().join("other");
    named_pipe(&other);
    fs::rename(&other, &path).expect("it takes the place of the file");
    replaced("it is a named pipe");
    symlink(folder.path().join("nowhere"), &other).expect("its place is free");
    fs::rename(&other, &path).expect("it takes the place of the pipe");
    replaced("No such file");
    symlink(&path, &other).expect("its place is free");
    fs::rename(&other, &path).expect("it takes the place of the link");
    replaced("symbolic links");
    symlink("/dev/zero", &other).expect("its place is free");
    fs::rename(&other, &path).expect("it takes the place of the loop");
    replaced("it is a device");
    symlink(folder.path(), &other).expect("its place is free");
    fs::rename(&other, &path).expect("it takes the place of the link");
    replaced("it is a directory");
    // The text is the same as at first.
    edit(&path, "[files-replaced]\nlimit = 3");
    until("there is no error any more", || watcher.error().is_none());
    edit(&path, "[files-replaced]\nlimit = 4");
    until("the edit takes effect", || limiter.limit() == Some(4));
}

#[test]
fn the_error_of_the_file_is_that_of_the_source_until_it_is_mended_or_the_watch_ends() {
    let _turn = turn();
    let limiter = Limiter::new("files-problem", 1);
    let _ = limiter.snapshot();
    let (_folder, path) = file("[files-problem]\nlimit = 3");
    let watcher = watch(&path);
    assert_eq!(problem(), None);
    let broken = "[files-problem]\nlimit = -1";
    edit(&path, broken);
    let place = format!("{}:2:9: ", path.display());
    until("the error is told", || problem().is_some_and(|problem| problem.starts_with(&place)));
    edit(&path, "[files-problem]\nlimit = 4");
    until("it is mended", || problem().is_none());
    assert_eq!(limiter.limit(), Some(4));
    edit(&path, broken);
    until("the error is told again", || problem().is_some());
    drop(watcher);
    assert_eq!(problem(), None);
}

#[test]
fn a_file_that_is_empty_for_long_keeps_the_last_settings_and_says_so() {
    let _turn = turn();
    let limiter = Limiter::new("files-empty", 1);
    let _ = limiter.snapshot();
    let (_folder, path) = file("[files-empty]\nlimit = 3");
    let watcher = watch(&path);
    for blank in ["", " \n\t\n"] {
        edit(&path, blank);
        until("it says so", || {
            watcher
                .error()
                .is_some_and(|error| error.to_string().contains("limits.toml: it is empty"))
        });
        let kind = watcher.error().map(|error| error.kind());
        assert_eq!(kind, Some(ConfigErrorKind::Empty));
        assert_eq!(limiter.limit(), Some(3));
        edit(&path, "[files-empty]\nlimit = 3");
        until("there is no error any more", || watcher.error().is_none());
    }
    assert_eq!(limiter.snapshot().limit_changes.file, 1);
    edit(&path, "# nothing is set");
    until("all is given up", || limiter.limit() == Some(1));
    assert!(watcher.error().is_none());
}

#[test]
fn a_file_that_is_empty_from_the_start_sets_nothing() {
    let _turn = turn();
    let limiter = Limiter::new("files-new", 1);
    let _ = limiter.snapshot();
    let (_folder, path) = file("");
    let watcher = watch(&path);
    assert_eq!((limiter.limit(), watcher.error().is_none()), (Some(1), true));
    edit(&path, "[files-new]\nlimit = 2");
    until("the edit takes effect", || limiter.limit() == Some(2));
}

#[test]
fn a_relative_path_is_that_of_the_directory_in_which_the_watch_began() {
    /// Goes back to the former directory.
    struct Back(PathBuf);

    impl Drop for Back {
        fn drop(&mut self) {
            env::set_current_dir(&self.0).expect("it is still there");
        }
    }

    let _turn = turn();
    let limiter = Limiter::new("files-relative", 1);
    let _ = limiter.snapshot();
    let (folder, path) = file("[files-relative]\nlimit = 3");
    let (elsewhere, _) = file("[files-relative]\nlimit = 100");
    let _back = Back(env::current_dir().expect("there is one"));
    env::set_current_dir(folder.path()).expect("it is there");
    let begun = Config::watch("limits.toml").interval(INTERVAL);
    let watcher = begun.start().expect("it is right");
    env::set_current_dir(elsewhere.path()).expect("it is there");
    edit(&path, "[files-relative]\nlimit = 4");
    until("the edit takes effect", || limiter.limit() != Some(3));
    assert_eq!(limiter.limit(), Some(4));
    assert!(watcher.error().is_none());
    assert!(watcher.path().is_absolute() && watcher.path().ends_with("limits.toml"));
    let error = Config::watch("").start().expect_err("it is no path").to_string();
    assert!(error.contains("cannot be watched"), "{error}");
}

/// Returns the TOML snippets of a text in Markdown, whose lines may begin with `prefix`.
fn toml_snippets(text: &str, prefix: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.strip_prefix(prefix).unwrap_or(line).trim());
    let text = lines.collect::<Vec<_>>().join("\n");
    let snippets = text.split("```toml\n").skip(1);
    snippets.filter_map(|rest| rest.split_once("\n```")).map(|(toml, _)| toml.to_owned()).collect()
}

#[test]
fn the_settings_in_the_readme_and_the_guide_can_be_read() {
    let readme = toml_snippets(include_str!("../../README.md"), "");
    let guide = toml_snippets(include_str!("../../limit-runtime/src/guide.rs"), "//!");
    let (dependencies, settings): (Vec<_>, Vec<_>) =
        readme.iter().chain(&guide).partition(|toml| toml.contains("[dependencies]"));

    assert_eq!((dependencies.len(), settings.len()), (2, 2));
    for toml in settings {
        Config::from_toml(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"));
    }
}
