//! Finds and reads the file that is watched.

use super::ConfigError;
use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read};
use std::path::{self, Path, PathBuf};

/// The most that is read, in bytes: a larger file is not meant.
const LARGEST: u64 = 16 << 20;

/// Where descriptors have paths. Later the same number can be that of another file, and what was read of
/// a pipe once is gone.
const DESCRIPTORS: [&str; 4] = ["/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr"];

/// The path from the root, so that it leads to the same file when the program changes its directory.
/// Links are not followed yet: they may lead elsewhere later, and are meant to.
pub(super) fn locate(path: &Path) -> Result<PathBuf, ConfigError> {
    let located = path::absolute(path).map_err(ConfigError::watch).and_then(|path| {
        if is_descriptor(&path) { Err(not_watched("a file descriptor")) } else { Ok(path) }
    });
    located.map_err(|error| error.of_file(path))
}

fn is_descriptor(path: &Path) -> bool {
    let of_process = path.strip_prefix("/proc").is_ok_and(|path| {
        // `/proc/self/fd/3`, `/proc/17/task/18/fd/3`.
        path.parent().is_some_and(|folder| folder.ends_with("fd"))
    });
    of_process || DESCRIPTORS.iter().any(|descriptors| path.starts_with(descriptors))
}

/// Reads a regular file, or the one that a link leads to.
pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    let text = open(path).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(ConfigError::read)?;
        // It may have grown since it was opened, and some files do not know how long they are.
        not_too_large(bytes.len() as u64)?;
        String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            ConfigError::not_utf8(&String::from_utf8_lossy(valid))
        })
    });
    text.map_err(|error| error.of_file(path))
}

fn open(path: &Path) -> Result<File, ConfigError> {
    // Before it is opened: that waits at a named pipe until somebody writes, and does something to devices.
    check(&fs::metadata(path).map_err(ConfigError::read)?)?;
    let file = File::open(path).map_err(ConfigError::read)?;
    // Again: something else may have taken its place. (A pipe that does so just between the two keeps
    // the thread that watches waiting, and nobody else.)
    check(&file.metadata().map_err(ConfigError::read)?)?;
    Ok(file)
}

fn check(metadata: &Metadata) -> Result<(), ConfigError> {
    if !metadata.is_file() {
        return Err(not_watched(kind(metadata.file_type())));
    }
    not_too_large(metadata.len())
}

fn not_too_large(length: u64) -> Result<(), ConfigError> {
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
fn kind(file: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    match file {
        file if file.is_dir() => "a directory",
        file if file.is_fifo() => "a named pipe",
        file if file.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn kind(file: FileType) -> &'static str {
    if file.is_dir() { "a directory" } else { "no regular file" }
}
