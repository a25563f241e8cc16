//! Looking at what is there: the list first, then the files behind it, then what others changed.

use std::collections::HashMap;
use std::sync::Arc;

use super::codec::Row;
use super::list::{self, Entry, News};
use super::lock::{LONGEST, Lock};
use super::shared::{Home, Mode, Shared, open_part};
use super::slot::{At, Known, Slot};
use super::turn::tell;
use super::{Error, SESSION_KEY};
use crate::domain::credential::{Credential, CredentialId};

/// So many credentials are read in full with the first list.
const AT_ONCE: usize = 64;

impl Shared {
    /// Reads the list, if nobody has yet. Whether it said anything that was not known.
    pub(super) fn list_once(&self) -> bool {
        let Some(home) = &self.home else { return false };
        let changed = {
            let mut seen = self.seen();
            if seen.listed {
                return false;
            }
            seen.listed = true;
            match list::news(&*home.disk, &home.paths, &mut seen.list) {
                Ok(Some(news)) if !news.damaged => {
                    drop(seen);
                    let heard = self.hear(home, news);
                    if self.misses_a_file(home) {
                        self.seen().compared = true;
                        self.compare(home) || heard
                    } else {
                        heard
                    }
                }
                _ => {
                    seen.compared = true;
                    drop(seen);
                    self.compare(home)
                }
            }
        };
        self.in_order();
        let unread = self.unread();
        if unread.len() <= AT_ONCE {
            for slot in unread {
                drop(self.load(&slot));
            }
        }
        self.seen().differs = false;
        changed
    }

    /// Looks at everything that may have changed. Whether anything differs.
    pub(super) fn look(&self) -> bool {
        let Some(home) = &self.home else { return false };
        let mut changed = self.look_at_keys();
        // What was locked or unlocked before the list was first read stands in what is old there.
        if !self.seen().listed {
            changed |= self.look_for_session();
        }
        changed |= self.list_once();
        let news = {
            let mut seen = self.seen();
            list::news(&*home.disk, &home.paths, &mut seen.list)
        };
        let mut compare = !std::mem::replace(&mut self.seen().compared, true);
        if let Ok(Some(news)) = news {
            compare |= news.damaged;
            if news.turned && !news.whole {
                changed |= self.look_for_session();
            }
            changed |= self.hear(home, news);
        }
        if compare {
            changed |= self.compare(home);
        }
        for slot in self.unread() {
            changed |= self.load(&slot).is_ok();
        }
        if changed {
            self.in_order();
        }
        changed | std::mem::take(&mut self.seen().differs)
    }

    /// Takes in what the list says. Whether anything was new.
    fn hear(&self, home: &Home, news: News) -> bool {
        let mut changed = false;
        let mut by_id: HashMap<CredentialId, Arc<Slot>> =
            self.slots().into_iter().map(|slot| (slot.id.clone(), slot)).collect();
        let mut new = Vec::new();
        for Entry { open, length, sure } in news.entries.into_iter().rev() {
            let id = CredentialId(open.id.clone());
            let slot = by_id.get(&id);
            if open.gone {
                if let Some(slot) = slot
                    && is_gone(home, slot)
                {
                    self.slots_mut().retain(|other| other.id != id);
                    changed = true;
                }
                continue;
            }
            let Some(row) = open.state else { continue };
            let at = At { number: open.n, end: length, file: 0, mend: false };
            if let Some(slot) = slot {
                changed |= self.hear_of(slot, row, at, sure);
                continue;
            }
            let known = Known {
                name: row.name.clone(),
                row: Some(row),
                under: open.under,
                at: Some(at),
                sure,
                ..Known::default()
            };
            let slot = Slot::new(id.clone(), known);
            by_id.insert(id, Arc::clone(&slot));
            new.push(slot);
        }
        changed |= !new.is_empty();
        self.slots_mut().extend(new);
        changed
    }

    /// Somebody wrote a credential that is known here.
    fn hear_of(&self, slot: &Slot, row: Row, at: At, sure: u64) -> bool {
        {
            let mut known = slot.known();
            known.sure = known.sure.max(sure);
            let older = known.at.is_some_and(|known| known.number >= at.number);
            if older || known.unsaved.is_some() {
                return false;
            }
            known.name = row.name.clone();
            known.row = Some(row);
            known.at = Some(at);
            known.doubt = None;
            known.bad = None;
            if known.value.take().is_none() {
                return true;
            }
        }
        drop(self.reread(slot, false));
        true
    }

    /// Whether there is a file of which the list says nothing: whoever kept it was killed before that was told.
    fn misses_a_file(&self, home: &Home) -> bool {
        let known = self.by_name();
        let names = home.disk.list(&home.paths.tokens()).unwrap_or_default();
        names.iter().any(|name| super::is_name(name) && !known.contains_key(name))
    }

    /// Compares every file with what is known of it: the list may miss what a killed program did, and may be missing itself.
    fn compare(&self, home: &Home) -> bool {
        let Ok(names) = home.disk.list(&home.paths.tokens()) else { return false };
        let mut changed = false;
        let mut corrections = Vec::new();
        let by_name: HashMap<String, Arc<Slot>> = self.by_name();
        for name in names.iter().filter(|name| super::is_name(name)) {
            let length = home.disk.stamp(&home.paths.token(name)).ok().flatten().map(|stamp| stamp.length);
            let known = by_name.get(name).and_then(|slot| slot.known().at);
            if length.is_none() || length == known.map(|at| at.end) {
                continue;
            }
            changed = true;
            let Some(slot) = self.meet(home, name) else { continue };
            let known = slot.known();
            if let (Some(row), Some(at), None) = (&known.row, known.at, &known.bad) {
                let open = open_part(&slot.id, at.number, &known.under, "");
                corrections.push(Entry::of(&open, row, at.end, known.sure));
            }
        }
        for (name, slot) in by_name {
            let stands = slot.known().name == name && slot.known().at.is_some();
            if stands && !names.contains(&name) && is_gone(home, &slot) {
                let number = slot.known().at.map_or(0, |at| at.number);
                self.slots_mut().retain(|other| other.id != slot.id);
                corrections.push(Entry::gone(&slot.id.0, number + 1));
                changed = true;
            }
        }
        if !corrections.is_empty() && self.state().read_only.is_none() {
            tell(home, &corrections);
        }
        changed
    }

    fn by_name(&self) -> HashMap<String, Arc<Slot>> {
        let named = |slot: Arc<Slot>| {
            let name = slot.known().name.clone();
            (name, slot)
        };
        self.slots().into_iter().map(named).collect()
    }

    /// What is on disk, can be read now, and was not read in full yet.
    fn unread(&self) -> Vec<Arc<Slot>> {
        let open = self.is_open();
        let unread = |slot: &Arc<Slot>| {
            let known = slot.known();
            let readable = open || known.under == SESSION_KEY;
            readable && known.at.is_some() && known.value.is_none() && known.bad.is_none()
        };
        self.slots().into_iter().filter(unread).collect()
    }

    /// In the order it came.
    fn in_order(&self) {
        self.slots_mut().sort_by_cached_key(|slot| {
            let known = slot.known();
            let since = known.value.as_ref().map(|value| value.since);
            (since.or_else(|| known.row.as_ref().map(|row| row.since)), known.name.clone())
        });
    }

    /// The slot of this id; the list is read for it where that is needed.
    pub(super) fn known_by(&self, id: &CredentialId) -> Option<Arc<Slot>> {
        if let Some(slot) = self.slot(id) {
            return Some(slot);
        }
        self.list_once();
        self.slot(id)
    }

    /// Everything that is held and can be read, in full.
    pub(super) fn all_in_full(&self) -> Vec<Credential> {
        self.list_once();
        self.slots().iter().filter_map(|slot| self.load(slot).ok()).collect()
    }

    /// The same, only what has replaced a value; with `mytokens` all of those too.
    pub(super) fn all_with_a_past(&self, mytokens: bool) -> Vec<Credential> {
        use super::codec::Giver;
        self.list_once();
        let wanted = |slot: &Slot| match slot.known().row.as_ref().map(|row| &row.giver) {
            Some(Giver::Login { replaced, .. }) => *replaced,
            Some(Giver::Mytoken { replaced, .. }) => *replaced || mytokens,
            Some(Giver::Bare) => false,
            None => true,
        };
        self.slots().iter().filter(|slot| wanted(slot)).filter_map(|slot| self.load(slot).ok()).collect()
    }

    /// The lock of a credential among all programs; `None` where it is in memory only, or nothing can be written.
    pub(super) async fn file_lock(&self, slot: &Slot) -> Result<Option<Arc<Lock>>, Error> {
        let Some(home) = &self.home else { return Ok(None) };
        {
            let known = slot.known();
            if known.at.is_none() {
                return Ok(None);
            }
            if let Some(kept) = &known.kept {
                return Ok(Some(Arc::clone(kept)));
            }
        }
        let handed = self.handed().take_if(|(id, _)| *id == slot.id);
        if let Some((_, lock)) = handed {
            return Ok(Some(Arc::new(lock)));
        }
        match home.asking(&slot.id.0).within(LONGEST).await {
            Ok(lock) => Ok(Some(Arc::new(lock))),
            Err(Error::ReadOnly(why)) => {
                self.state_mut().read_only.get_or_insert(why);
                Ok(None)
            }
            Err(error @ Error::FakeLocks(_)) => {
                self.state_mut().no_locks = Some(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// In the turn: what others made of it in the meantime is taken over.
    pub(super) fn catch_up(&self, slot: &Slot, locked: bool) -> Result<(), Error> {
        let Some(home) = &self.home else { return Ok(()) };
        self.extend_session(home);
        self.list_once();
        if slot.known().unsaved.is_some() {
            return Ok(());
        }
        let (name, at, here) = {
            let known = slot.known();
            (known.name.clone(), known.at, known.value.is_some())
        };
        let stamp = home.disk.stamp(&home.paths.token(&name)).ok().flatten();
        let same = stamp
            .zip(at)
            .is_some_and(|(stamp, at)| at.file != 0 && (stamp.length, stamp.file) == (at.end, at.file));
        if same && here && slot.known().doubt.is_none() {
            return Ok(());
        }
        match self.reread(slot, true) {
            Ok(()) => {
                if locked {
                    self.mend(slot);
                }
                Ok(())
            }
            Err(Error::Gone) => self.follow(home, slot),
            // It can still be forgotten.
            Err(Error::Damaged(_) | Error::SessionOver | Error::ReadOnly(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// It is not where it was: renamed, or gone.
    fn follow(&self, home: &Home, slot: &Slot) -> Result<(), Error> {
        for name in home.disk.list(&home.paths.tokens()).unwrap_or_default() {
            if super::shared::read_file(home, &name).is_ok_and(|(found, _)| found.state.id() == slot.id) {
                slot.known().name = name;
                return self.reread(slot, true);
            }
        }
        self.slots_mut().retain(|other| other.id != slot.id);
        Err(Error::Gone)
    }

    /// Bytes that do not read are set aside at once, and what they leave in doubt is written down.
    fn mend(&self, slot: &Slot) {
        let value = {
            let known = slot.known();
            known.value.clone().filter(|_| known.at.is_some_and(|at| at.mend))
        };
        if let Some(credential) = value {
            // Where nothing can be written it stays as it is: nothing newer is in memory than on disk.
            drop(self.put_down_quietly(slot, &credential));
        }
    }

    /// Somebody made a store here, or took it away.
    fn look_at_keys(&self) -> bool {
        let before = self.state().mode.clone();
        if before == Mode::NoStore && self.find_keys().is_ok() {
            return self.state().mode != before;
        }
        false
    }
}

/// Whether a credential that was on disk is not any more.
fn is_gone(home: &Home, slot: &Slot) -> bool {
    let (name, kept) = {
        let known = slot.known();
        (known.name.clone(), known.unsaved.is_some() || known.at.is_none())
    };
    let there = super::shared::read_file(home, &name).is_ok_and(|(found, _)| found.state.id() == slot.id);
    !kept && !there
}
