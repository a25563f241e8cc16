//! An access token in a file that only its owner reads, put in place whole and never through a link.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::desktop::Environment;

/// Writes `bytes` to `path`: a new file beside it, 0600 from its first moment, renamed over what was there.
///
/// # Errors
/// In words, when the folder takes no file or something that is no plain file stands in the way.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    match path.symlink_metadata() {
        Ok(there) if there.is_symlink() => {
            return Err("a link stands there, and nothing is written through one".to_owned());
        }
        Ok(there) if !there.is_file() => return Err("something that is no file stands there".to_owned()),
        Ok(_) | Err(_) => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| error.to_string();
    let mut file =
        tempfile::Builder::new().prefix(".toktui-").rand_bytes(12).tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| error.error.to_string())?;
    Ok(())
}

/// Where programs of this user look for a bearer token (WLCG bearer token discovery): `BEARER_TOKEN_FILE`, else
/// `bt_uUID` in the folder of the session, else in `/tmp`.
#[must_use]
pub fn discovered(environment: &Environment, uid: u32) -> PathBuf {
    if let Some(file) = environment.variable("BEARER_TOKEN_FILE") {
        return PathBuf::from(file);
    }
    let session = environment.variable("XDG_RUNTIME_DIR").map(Path::new).filter(|folder| folder.is_dir());
    session.unwrap_or(Path::new("/tmp")).join(format!("bt_u{uid}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_its_owners_alone_and_replaced_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "something longer than the token").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("changed");
        write(&path, b"tok-1\n").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "tok-1\n");
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("a folder").count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn nothing_is_written_through_a_link_or_over_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::fs::write(&target, "theirs").expect("written");
        symlink(&target, &link).expect("linked");
        assert!(write(&link, b"tok-1").is_err());
        symlink(folder.path().join("nothing"), folder.path().join("dangling")).expect("linked");
        assert!(write(&folder.path().join("dangling"), b"tok-1").is_err());
        assert!(write(folder.path(), b"tok-1").is_err());
        assert_eq!(std::fs::read_to_string(&target).expect("there"), "theirs");
    }

    #[test]
    fn the_place_is_the_one_that_readers_look_at() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |variables: &[(&str, &str)]| discovered(&Environment::of(variables), 1221);
        let session = folder.path().to_str().expect("text");
        assert_eq!(at(&[]), Path::new("/tmp/bt_u1221"));
        assert_eq!(at(&[("XDG_RUNTIME_DIR", session)]), folder.path().join("bt_u1221"));
        assert_eq!(at(&[("XDG_RUNTIME_DIR", "/no/such/folder")]), Path::new("/tmp/bt_u1221"));
        assert_eq!(at(&[("XDG_RUNTIME_DIR", session), ("BEARER_TOKEN_FILE", "/x/y")]), Path::new("/x/y"));
    }
}
