//! Finds and reads the file that is watched.

use crate::error::ConfigError;
use crate::position::Position;
use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read};
use std::path::{self, Path, PathBuf};

/// The size of the largest file that is read, in bytes. A larger file is probably the wrong one.
const LARGEST: u64 = 16 << 20;

/// The paths of descriptors. They are not watched: a number can belong to another file later, and a pipe
/// gives its content only once.
const DESCRIPTORS: [&str; 4] = ["/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr"];

/// Returns the path from the root, so that it leads to the same file when the program changes its directory.
/// Links are not followed yet: they may lead elsewhere later, and that is an edit.
pub(crate) fn locate(path: &Path) -> Result<PathBuf, ConfigError> {
    let located = path::absolute(path).map_err(ConfigError::watch).and_then(|path| {
        if is_descriptor(&path) { Err(not_watched("a file descriptor")) } else { Ok(path) }
    });
    located.map_err(|error| error.in_file(path))
}

fn is_descriptor(path: &Path) -> bool {
    let is_of_process = path.strip_prefix("/proc").is_ok_and(|path| {
        // `/proc/self/fd/3`, `/proc/17/task/18/fd/3`.
        path.parent().is_some_and(|folder| folder.ends_with("fd"))
    });
    is_of_process || DESCRIPTORS.iter().any(|descriptors| path.starts_with(descriptors))
}

/// Reads a regular file, or the regular file that a link leads to.
pub(crate) fn read(path: &Path) -> Result<String, ConfigError> {
    let text = open(path).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(ConfigError::read)?;
        // The file may have grown since it was opened, and some files report no length.
        check_length(bytes.len() as u64)?;
        String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let position = Position::locate(valid.len(), &String::from_utf8_lossy(valid));
            ConfigError::parse("this is not UTF-8").at(Some(position))
        })
    });
    text.map_err(|error| error.in_file(path))
}

fn open(path: &Path) -> Result<File, ConfigError> {
    // Before the file is opened: to open a named pipe waits for a writer, and to open a device can act on it.
    check(&fs::metadata(path).map_err(ConfigError::read)?)?;
    let file = File::open(path).map_err(ConfigError::read)?;
    // Again: another file may have taken its place. (If a pipe takes the place between the check and the
    // opening, only the thread of the watch waits for a writer.)
    check(&file.metadata().map_err(ConfigError::read)?)?;
    Ok(file)
}

fn check(metadata: &Metadata) -> Result<(), ConfigError> {
    if !metadata.is_file() {
        return Err(not_watched(describe(metadata.file_type())));
    }
    check_length(metadata.len())
}

fn check_length(length: u64) -> Result<(), ConfigError> {
    if length > LARGEST {
        let larger = io::Error::other(format!("it is larger than {LARGEST} bytes"));
        return Err(ConfigError::read(larger));
    }
    Ok(())
}

fn not_watched(what: &str) -> ConfigError {
    let error = format!("it is {what}, and only regular files and links to them are");
    ConfigError::watch(io::Error::new(io::ErrorKind::InvalidInput, error))
}

#[cfg(unix)]
fn describe(file: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    match file {
        file if file.is_dir() => "a directory",
        file if file.is_fifo() => "a named pipe",
        file if file.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn describe(file: FileType) -> &'static str {
    if file.is_dir() { "a directory" } else { "no regular file" }
}
