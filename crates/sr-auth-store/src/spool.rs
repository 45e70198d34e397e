//! What exists once, on the local disk while its commit travels to a backend elsewhere: successors,
//! and with the feature `partner` the credentials of companies.
//!
//! A file for each, named after what it is, sealed as the backend keeps it. It is written beside the
//! commit, never before it, and removed when the store has it or something newer. What is left when
//! the process dies is offered again by
//! [`Store::replay`](crate::Store::replay).

mod entry;
mod folder;
#[cfg(feature = "partner")]
mod partner;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use sr_auth_core::Fingerprint;
use sr_auth_core::store::GrantKey;

use crate::SpoolError;
pub(crate) use entry::Entry;
use folder::Folder;
#[cfg(feature = "partner")]
pub(crate) use partner::Credentials;

/// What is kept in a file of its own.
pub(crate) trait Spooled: Sized {
    /// What the name of a file of this kind ends with.
    const ENDING: &'static str;

    /// Names it: twice the same for the same.
    fn stem(&self) -> String;

    fn to_bytes(&self) -> Vec<u8>;

    /// Reads a file; `None` when it is not whole.
    fn parse(bytes: &[u8]) -> Option<Self>;
}

/// Keeps what exists once until it is durable elsewhere. Dropping it waits for what is being written.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: Arc<Folder>,
    kept: Arc<Kept>,
    thread: Option<JoinHandle<()>>,
    trouble: Arc<Mutex<Option<SpoolError>>>,
    work: Option<Sender<Work>>,
}

/// What is kept, or about to be, and whether it is durable elsewhere meanwhile.
type Kept = Mutex<BTreeMap<String, Arc<AtomicBool>>>;

#[derive(Debug)]
enum Work {
    Remove { name: String },
    Write { bytes: Vec<u8>, is_settled: Arc<AtomicBool>, name: String },
}

impl Spool {
    pub(crate) fn open(path: &Path) -> Result<Self, SpoolError> {
        let folder = Arc::new(Folder::open(path)?);
        let trouble = Arc::new(Mutex::new(None));
        let (work, to_do) = channel();
        let kept = Arc::new(Kept::default());
        let desk = (Arc::clone(&folder), Arc::clone(&kept), Arc::clone(&trouble));
        let thread = Builder::new()
            .name("sr-auth-spool".to_owned())
            .spawn(move || carry_out(&to_do, &desk.0, &desk.1, &desk.2))
            .map_err(SpoolError::new)?;
        Ok(Self { folder, kept, thread: Some(thread), trouble, work: Some(work) })
    }

    /// Begins to write a file, and waits for nothing.
    pub(crate) fn keep<T: Spooled>(&self, entry: &T) {
        let (name, is_settled) = (name(entry), Arc::new(AtomicBool::new(false)));
        // An offer that is repeated is on the disk already, or on its way there.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.contains_key(&name) {
            return;
        }
        kept.insert(name.clone(), Arc::clone(&is_settled));
        self.begin(Work::Write { bytes: entry.to_bytes(), is_settled, name });
    }

    /// Forgets a successor that is durable elsewhere; one that is not yet written never is.
    pub(crate) fn settle(&self, key: &GrantKey, fingerprint: Fingerprint) {
        self.settle_name(named::<Entry>(&entry::stem(key, fingerprint)));
    }

    /// Forgets what is durable elsewhere, or of no use there.
    #[cfg(feature = "partner")]
    pub(crate) fn settle_entry<T: Spooled>(&self, entry: &T) {
        self.settle_name(name(entry));
    }

    fn settle_name(&self, name: String) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(is_settled) = kept.remove(&name) {
            is_settled.store(true, Ordering::Release);
            self.begin(Work::Remove { name });
        }
    }

    /// Returns what was left behind, and how many files cannot be read.
    pub(crate) fn left_behind<T: Spooled>(&self) -> Result<(Vec<T>, usize), SpoolError> {
        self.folder.read_all()
    }

    /// Takes a file that was left behind as written, so that offering it writes it no second time,
    /// which could outlive its removal.
    pub(crate) fn hold<T: Spooled>(&self, entry: &T) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entry(name(entry)).or_default();
    }

    /// Removes a file that was left behind.
    pub(crate) fn remove<T: Spooled>(&self, entry: &T) -> Result<(), SpoolError> {
        let name = name(entry);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
        self.folder.remove(&name)
    }

    /// Returns why the last successor could not be written; `None` when it could.
    pub(crate) fn trouble(&self) -> Option<SpoolError> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begin(&self, work: Work) {
        if let Some(sender) = &self.work {
            // The thread ends with this value; without it nothing is kept, and nothing waits.
            drop(sender.send(work));
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn name<T: Spooled>(entry: &T) -> String {
    named::<T>(&entry.stem())
}

fn named<T: Spooled>(stem: &str) -> String {
    format!("{stem}.{}", T::ENDING)
}

fn carry_out(
    work: &Receiver<Work>,
    folder: &Folder,
    kept: &Kept,
    trouble: &Mutex<Option<SpoolError>>,
) {
    while let Ok(work) = work.recv() {
        let result = match work {
            Work::Remove { name } => folder.remove(&name),
            // The commit was faster than the disk.
            Work::Write { is_settled, .. } if is_settled.load(Ordering::Acquire) => continue,
            Work::Write { bytes, name, .. } => folder.write(&name, &bytes).inspect_err(|_| {
                // The next offer tries again.
                kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
            }),
        };
        *trouble.lock().unwrap_or_else(PoisonError::into_inner) = result.err();
    }
}
