//! All that the store does to the file system goes through here, so that a test can watch it, cut the power in it, and make it fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What a file looks like from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Its length in bytes.
    pub(crate) length: u64,
    /// Which file it is: another one under the same name has another number (0 where the system has none).
    pub(crate) file: u64,
}

/// The effects. Every file is one of our own, 0600; no call follows a link in the last part of a path.
pub(crate) trait Disk: Send + Sync {
    /// All bytes of a file from `at`; `None`: it is not there.
    fn read(&self, path: &Path, at: u64) -> io::Result<Option<Vec<u8>>>;
    /// How a file stands; `None`: it is not there.
    fn stamp(&self, path: &Path) -> io::Result<Option<Stamp>>;
    /// The names in a folder, without those that begin with a dot.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Makes a file exactly `at` bytes long, which cuts a torn tail off, and appends. With `sync` it is on disk when this returns.
    fn append(&self, path: &Path, at: u64, bytes: &[u8], sync: bool) -> io::Result<()>;
    /// Writes a whole file, in the place of an older one, and syncs it. For temporary names: nobody may be reading it.
    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Gives a file another name; one that has it goes.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes a file away.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Puts the names in a folder on disk.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Makes a file of `length` bytes whose blocks are taken.
    fn reserve(&self, path: &Path, length: u64) -> io::Result<()>;
}

/// Writes a file anew so that at any instant its name stands for the old bytes or the new ones: two syncs.
pub(crate) fn replace(disk: &dyn Disk, temporary: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    disk.put(temporary, bytes)?;
    disk.rename(temporary, path)?;
    disk.sync_folder(parent(path))
}

/// The folder that a file is in.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn read(&self, path: &Path, at: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(mut file) = there(again(|| options().read(true).open(path)))? else { return Ok(None) };
        let length = file.metadata()?.len();
        let mut bytes = Vec::with_capacity(usize::try_from(length.saturating_sub(at)).unwrap_or(0) + 1);
        if at > 0 {
            file.seek(SeekFrom::Start(at))?;
        }
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn stamp(&self, path: &Path) -> io::Result<Option<Stamp>> {
        let Some(found) = there(again(|| fs::symlink_metadata(path)))? else { return Ok(None) };
        Ok(Some(Stamp { length: found.len(), file: number(&found) }))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let Some(entries) = there(fs::read_dir(folder))? else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for entry in entries {
            if let Ok(name) = entry?.file_name().into_string()
                && !name.starts_with('.')
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn append(&self, path: &Path, at: u64, bytes: &[u8], sync: bool) -> io::Result<()> {
        let mut file = again(|| options().write(true).create(true).truncate(false).open(path))?;
        let length = file.metadata()?.len();
        if length < at {
            // Zeros would stand in between.
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file has become shorter"));
        }
        if length > at {
            file.set_len(at)?;
        }
        file.seek(SeekFrom::Start(at))?;
        let written = file.write_all(bytes);
        let written = if sync { written.and_then(|()| file.sync_data()) } else { written };
        if written.is_err() {
            // Half a line does no harm, but its room is wanted.
            drop(file.set_len(at));
        }
        written
    }

    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // Not truncated: a file that is there under a temporary name is nobody's, and might be more than a file.
        there(fs::remove_file(path))?;
        let mut file = options().write(true).create_new(true).open(path)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        if written.is_err() {
            drop(fs::remove_file(path));
        }
        written
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        there(fs::remove_file(path)).map(drop)
    }

    #[cfg(unix)]
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    #[cfg(not(unix))]
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn reserve(&self, path: &Path, length: u64) -> io::Result<()> {
        let mut file = options().write(true).create(true).truncate(true).open(path)?;
        let taken = take_blocks(&mut file, length);
        if taken.is_err() {
            drop(fs::remove_file(path));
        }
        taken
    }
}

/// Writes it out: also file systems that know no reservation then have the blocks, and a quota counts them.
fn take_blocks(file: &mut File, length: u64) -> io::Result<()> {
    // Not zeros: some file systems keep those without taking room.
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    super::random(&mut bytes).map_err(io::Error::other)?;
    file.write_all(&bytes)?;
    file.sync_data()
}

/// A file that is not there is an answer and no failure.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// ESTALE means that the server has another file under this name now: open again.
fn again<T>(open: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let first = open();
    match &first {
        Err(error) if error.kind() == io::ErrorKind::StaleNetworkFileHandle => open(),
        _ => first,
    }
}

/// 0600 whatever the umask allows: the mode is given at creation, so there is no moment at which it is wider.
#[cfg(unix)]
pub(super) fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.mode(0o600).custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
    options
}

#[cfg(not(unix))]
pub(super) fn options() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(unix)]
fn number(found: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

#[cfg(not(unix))]
fn number(_: &fs::Metadata) -> u64 {
    0
}

/// Where everything in a store's folder is.
#[derive(Clone, Debug)]
pub(crate) struct Paths(PathBuf);

impl Paths {
    pub(crate) fn of(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    pub(crate) fn list(&self) -> PathBuf {
        self.0.join("list")
    }

    pub(crate) fn reserve(&self) -> PathBuf {
        self.0.join("reserve")
    }

    pub(crate) fn tokens(&self) -> PathBuf {
        self.0.join("tokens")
    }

    pub(crate) fn token(&self, name: &str) -> PathBuf {
        self.0.join("tokens").join(name)
    }

    pub(crate) fn clients(&self) -> PathBuf {
        self.0.join("clients")
    }

    pub(crate) fn locks(&self) -> PathBuf {
        self.0.join("locks")
    }

    pub(crate) fn damaged(&self) -> PathBuf {
        self.0.join("damaged")
    }

    /// The place where `what` is written before it gets its name. Whoever writes it holds a lock, so nobody else does.
    pub(crate) fn temporary(&self, what: &str) -> PathBuf {
        self.0.join(format!(".new-{what}"))
    }
}
