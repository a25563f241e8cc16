//! Whose the folder is, and what everything in it may be read by.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::super::*;
use super::world::{World, mytoken, rotate};

fn modes(folder: &Path, found: &mut Vec<(String, u32)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let about = std::fs::symlink_metadata(&path).expect("there");
        found.push((path.display().to_string(), about.mode() & 0o777));
        if about.is_dir() {
            modes(&path, found);
        }
    }
}

#[tokio::test]
async fn everything_in_the_folder_is_its_owners_alone() {
    let world = World::new();
    let store = world.made().await;
    let credential = mytoken("toar", "mt-1", 1);
    let id = credential.id.clone();
    store.add(credential).await.expect("kept");
    rotate(&store, &id, "mt-2").await;
    let mut found = Vec::new();
    modes(&world.place().folder, &mut found);
    assert!(found.len() > 8, "{found:?}");
    for (path, mode) in found {
        let wanted = if Path::new(&path).is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{path}");
    }
}

#[tokio::test]
async fn a_folder_that_others_could_read_or_that_is_elsewhere_is_refused_with_the_cure() {
    let world = World::new();
    drop(world.made().await);
    let folder = world.place().folder;
    for mode in [0o755, 0o710, 0o707, 0o770, 0o1777] {
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).expect("ours");
        let Err(Error::Unsafe(words)) = Store::open(world.place()) else { panic!("mode {mode:o}") };
        assert!(words.contains("chmod -R go= '"), "{words}");
        assert!(fast::at_hand(&folder, "toar", &*world.session, &*world.clock).is_err());
    }
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).expect("ours");
    Store::open(world.place()).expect("ours alone again");
    let elsewhere = world.folder.path().join("elsewhere");
    std::fs::rename(&folder, &elsewhere).expect("moved");
    std::os::unix::fs::symlink(&elsewhere, &folder).expect("linked");
    let Err(Error::Unsafe(words)) = Store::open(world.place()) else { panic!("a link") };
    assert!(words.contains("is a link"), "{words}");
    std::fs::remove_file(&folder).expect("a link");
    std::fs::write(&folder, b"").expect("written");
    assert!(matches!(Store::open(world.place()), Err(Error::Unsafe(_))));
}

#[test]
fn a_file_of_somebody_else_is_refused() {
    let world = World::new();
    let path = world.folder.path().join("foreign");
    std::fs::create_dir(&path).expect("made");
    if !rustix::process::geteuid().is_root() {
        return;
    }
    std::os::unix::fs::chown(&path, Some(65_534), None).expect("root may");
    let Err(Error::Unsafe(words)) = super::super::folder::check(&path) else { panic!("not ours") };
    assert!(words.contains("belongs to user 65534"), "{words}");
}

#[tokio::test]
async fn a_link_in_the_place_of_a_file_is_not_followed() {
    let world = World::new();
    let store = world.made().await;
    store.add(mytoken("toar", "mt-1", 1)).await.expect("kept");
    let outside = world.folder.path().join("outside");
    std::fs::rename(world.file("toar"), &outside).expect("moved");
    std::os::unix::fs::symlink(&outside, world.file("toar")).expect("linked");
    let store = world.store();
    let id = store.find("toar");
    assert!(id.is_none_or(|id| store.get(&id).is_err()));
    assert_eq!(fast::at_hand(&world.place().folder, "toar", &*world.session, &*world.clock), Ok(None));
}
