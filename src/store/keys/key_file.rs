//! A file that holds a key: one line of text, readable by its owner only.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::{fs, io};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::super::Error;
use super::super::seal::Key;

/// What such a file begins with: whoever finds it should know what it is.
const MARK: &str = "toktui key file 1: ";
/// No key file is longer.
const LONGEST: u64 = 256;

/// The key in the file at `path`.
///
/// # Errors
/// [`Error::Disk`] where it cannot be read, [`Error::Unsafe`] where others may read or change it, [`Error::Damaged`].
pub(super) fn read(path: &Path) -> Result<Key, Error> {
    // A pipe in its place must not keep us waiting.
    let file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(|error| failed("read", path, &error))?;
    let about = file.metadata().map_err(|error| failed("read", path, &error))?;
    let name = path.display();
    if !about.is_file() {
        return Err(Error::Unsafe(format!("the key file {name} is not a plain file")));
    }
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Err(Error::Unsafe(format!("the key file {name} belongs to somebody else")));
    }
    if about.mode() & 0o077 != 0 {
        return Err(Error::Unsafe(format!("others may read the key file {name}: `chmod 600 {name}`")));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(512));
    file.take(LONGEST).read_to_end(&mut text).map_err(|error| failed("read", path, &error))?;
    parse(&text).ok_or_else(|| Error::Damaged(format!("{name} is not a key file of toktui")))
}

/// Writes a new key to `path`, on disk when this returns; or takes the one that is there already, because another store may depend on it.
///
/// # Errors
/// [`Error::Disk`], and all of [`read`].
pub(super) fn make(path: &Path) -> Result<Key, Error> {
    let key = Key::random()?;
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return read(path),
        Err(error) => return Err(failed("make", path, &error)),
    };
    let mut text = Zeroizing::new(String::with_capacity(128));
    text.push_str(MARK);
    STANDARD.encode_string(key.expose(), &mut text);
    text.push('\n');
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(folder)?.sync_all()
    });
    if let Err(error) = written {
        // Half a key file is worse than none: it would be taken for the real one.
        let _ = fs::remove_file(path);
        return Err(failed("write", path, &error));
    }
    Ok(key)
}

fn parse(text: &[u8]) -> Option<Key> {
    let text = std::str::from_utf8(text).ok()?;
    let text = text.strip_prefix(MARK)?.trim_end_matches(['\r', '\n']);
    let mut bytes = Zeroizing::new([0; 48]);
    let length = STANDARD.decode_slice(text, bytes.as_mut_slice()).ok()?;
    Key::from_bytes(bytes.get(..length)?)
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Error {
    Error::Disk(format!("cannot {doing} the key file {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_file_is_for_its_owner_only_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(read(&path).unwrap().expose(), key.expose());
        assert_eq!(make(&path).unwrap().expose(), key.expose());
        for mode in [0o640, 0o604, 0o620, 0o660, 0o644, 0o666, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read(&path), Err(Error::Unsafe(_))), "{mode:o}");
            assert!(matches!(make(&path), Err(Error::Unsafe(_))), "{mode:o}");
        }
    }

    #[test]
    fn what_is_no_key_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(matches!(read(&path), Err(Error::Disk(_))));
        let right = format!("{MARK}{}", STANDARD.encode([7; 32]));
        assert!(parse(right.as_bytes()).is_some());
        let wrong = [
            String::new(),
            "x".repeat(9000),
            MARK.to_owned(),
            format!("{right}A"),
            right.replace("1:", "2:"),
        ];
        for text in wrong {
            fs::write(&path, &text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(make(&path), Err(Error::Damaged(_))), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert!(matches!(read(folder.path()), Err(Error::Unsafe(_))));
        assert!(matches!(make(&folder.path().join("no/such/folder")), Err(Error::Disk(_))));
    }
}
