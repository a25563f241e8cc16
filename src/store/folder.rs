//! The store's folder: made for its owner alone, refused where somebody else could read or change it, and whether locks work in it.

use std::fs;
use std::io;
use std::path::Path;

use super::Error;
use super::disk::Paths;

/// Makes the folder and those in it.
pub(crate) fn make(paths: &Paths) -> Result<(), Error> {
    if let Some(above) = paths.folder().parent() {
        fs::create_dir_all(above).map_err(|error| failed("make", above, &error))?;
    }
    for folder in [paths.folder().to_owned(), paths.tokens(), paths.locks(), paths.damaged()] {
        make_one(&folder)?;
    }
    check(paths.folder()).map(drop)
}

/// Makes one folder, for its owner alone, where there is none.
pub(crate) fn make_one(folder: &Path) -> Result<(), Error> {
    match private().create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed("make", folder, &error)),
        _ => Ok(()),
    }
}

/// Whether the folder is there; an error where it is not ours alone.
pub(crate) fn check(folder: &Path) -> Result<bool, Error> {
    let found = match fs::symlink_metadata(folder) {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(false);
        }
        Err(error) => return Err(failed("read", folder, &error)),
    };
    let shown = crate::domain::untrusted::cleaned(&folder.to_string_lossy());
    if found.is_symlink() {
        let cure = "put its target's path into TOKTUI_HOME, or move the folder here";
        return Err(Error::Unsafe(format!("{shown} is a link to somewhere else: {cure}")));
    }
    if !found.is_dir() {
        return Err(Error::Unsafe(format!("{shown} is not a folder: move it away")));
    }
    owned(&found, &shown)?;
    Ok(true)
}

/// Whether an opened file of the store is its owner's alone.
#[cfg(unix)]
pub(crate) fn owned(found: &fs::Metadata, shown: &str) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt as _;
    let (mine, owner) = (rustix::process::geteuid().as_raw(), found.uid());
    if owner != mine {
        return Err(Error::Unsafe(format!(
            "{shown} belongs to user {owner}, and you are user {mine}: use a folder of your own (TOKTUI_HOME)"
        )));
    }
    let mode = found.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(Error::Unsafe(format!(
            "{shown} is open to others (mode {mode:04o}): chmod -R go= '{shown}'"
        )));
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn owned(_: &fs::Metadata, _: &str) -> Result<(), Error> {
    Ok(())
}

#[cfg(unix)]
fn private() -> fs::DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(not(unix))]
fn private() -> fs::DirBuilder {
    fs::DirBuilder::new()
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Error {
    let shown = crate::domain::untrusted::cleaned(&path.to_string_lossy());
    Error::Disk(format!("cannot {doing} {shown}: {}", words(error)))
}

/// What the system said, without its error number.
pub(crate) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Why locks in `folder` are not what they seem, where that is so.
#[cfg(target_os = "linux")]
pub(crate) fn fake_locks(folder: &Path) -> Option<String> {
    let whole = folder.canonicalize().ok()?;
    let mounts = fs::read("/proc/self/mountinfo").ok()?;
    faked(&String::from_utf8_lossy(&mounts), &whole.to_string_lossy())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn fake_locks(_: &Path) -> Option<String> {
    None
}

/// The same, by the table of mounts (proc(5)): `36 35 98:0 /root /at options tags - type source options`.
#[cfg(any(target_os = "linux", test))]
fn faked(mounts: &str, folder: &str) -> Option<String> {
    let mut nearest: Option<(usize, &str, String)> = None;
    for line in mounts.lines() {
        let Some((front, back)) = line.split_once(" - ") else { continue };
        let mut front = front.split(' ').skip(4);
        let (Some(at), Some(own)) = (front.next(), front.next()) else { continue };
        let at = unescaped(at);
        let inside =
            at == "/" || folder == at || folder.strip_prefix(&at).is_some_and(|rest| rest.starts_with('/'));
        // Of two mounts at the same place the later one is in force.
        if inside && nearest.as_ref().is_none_or(|(length, ..)| at.len() >= *length) {
            let mut back = back.split(' ');
            let kind = back.next().unwrap_or_default();
            nearest = Some((at.len(), kind, format!("{own},{}", back.nth(1).unwrap_or_default())));
        }
    }
    let (_, kind, options) = nearest?;
    let fakes = match kind {
        "nfs" | "nfs4" => &["nolock", "local_lock=all", "local_lock=flock"][..],
        "lustre" => &["localflock", "noflock"][..],
        _ => &[][..],
    };
    let named = options.split(',').find(|option| fakes.contains(option))?;
    Some(format!("{kind}, mounted with {named}"))
}

/// Spaces and the like stand as octal numbers in the table.
#[cfg(any(target_os = "linux", test))]
fn unescaped(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_mount_that_fakes_locks_is_found_by_its_options() {
        let table = "\
            22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n\
            90 22 0:50 / /home rw - nfs4 srv:/home rw,vers=4.2,local_lock=none\n\
            91 90 0:51 / /home/a\\040b rw shared:1 - nfs srv:/b rw,nolock,local_lock=all\n\
            92 22 0:52 / /work rw - lustre srv:/w rw,flock\n\
            93 22 0:53 / /scratch rw - lustre srv:/s rw,localflock\n\
            94 22 0:54 / /proj rw - nfs4 srv:/p rw,local_lock=flock\n\
            95 94 0:55 / /proj rw - tmpfs none rw";
        let faked = |folder: &str| super::faked(table, folder);
        assert_eq!(faked("/home/me/.local/state/toktui"), None);
        assert_eq!(faked("/homestead"), None);
        assert_eq!(faked("/home/a b/store").as_deref(), Some("nfs, mounted with nolock"));
        assert_eq!(faked("/work/me"), None);
        assert_eq!(faked("/scratch/me").as_deref(), Some("lustre, mounted with localflock"));
        assert_eq!(faked("/proj/me"), None);
    }
}
