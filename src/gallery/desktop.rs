//! Starts the desktop's programs: the browser and the file manager.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Opens an address in the user's browser.
///
/// # Errors
/// When there is no program that opens addresses, or it fails.
pub fn open_address(address: &str) -> io::Result<()> {
    open(OsStr::new(address))
}

/// Shows a file in the user's file manager, and selects it where the desktop supports that.
///
/// # Errors
/// When there is no file manager, or it fails.
pub fn reveal(file: &Path) -> io::Result<()> {
    #[cfg(target_os = "macos")]
    return run(Command::new("open").arg("-R").arg(file));
    #[cfg(windows)]
    return run(Command::new("explorer").arg("/select,").arg(file));
    #[cfg(not(any(target_os = "macos", windows)))]
    {
        // The D-Bus interface that Nautilus, Dolphin, Nemo, Thunar and others implement.
        let items = format!("array:string:{}", file_address(file));
        let selected = run(Command::new("dbus-send").args([
            "--session",
            "--print-reply",
            "--reply-timeout=3000",
            "--dest=org.freedesktop.FileManager1",
            "/org/freedesktop/FileManager1",
            "org.freedesktop.FileManager1.ShowItems",
            &items,
            "string:",
        ]));
        selected.or_else(|_| open(file.parent().unwrap_or(file).as_os_str()))
    }
}

fn open(what: &OsStr) -> io::Result<()> {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    run(Command::new(opener).arg(what))
}

fn run(command: &mut Command) -> io::Result<()> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        let program = command.get_program().to_string_lossy();
        Err(io::Error::other(format!("{program} ends with {status}")))
    }
}

/// The file's `file:` address, with every byte percent-encoded that is special in an address, in D-Bus or in a list.
#[cfg(not(any(target_os = "macos", windows)))]
fn file_address(file: &Path) -> String {
    use std::fmt::Write as _;
    let mut address = "file://".to_owned();
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                address.push(char::from(*byte));
            }
            other => {
                let _ = write!(address, "%{other:02X}");
            }
        }
    }
    address
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn any_path_has_an_address() {
        let path = Path::new(OsStr::from_bytes(b"/a b/caf\xe9,%.jpg"));
        assert_eq!(file_address(path), "file:///a%20b/caf%E9%2C%25.jpg");
    }
}
