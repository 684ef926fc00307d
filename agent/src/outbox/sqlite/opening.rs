//! Opens the outbox: what is refused, in which order, and what runs beside it from then on.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::ahead::Ahead;
use super::committer::Committer;
use super::damage::Damage;
use super::file::{self, OpenError};
use super::presence::{self, Presence};
use super::trouble::Trouble;
use super::untaken::Untaken;
use super::writer::Writer;
use super::{Options, Owner, SqliteOutbox, log, run};
use crate::clock::Machine;
use crate::tasks::Tasks;

impl SqliteOutbox {
    /// Opens the outbox in `folder`, or makes both. To be called inside a tokio runtime, which it uses to keep the
    /// write-ahead log short.
    ///
    /// # Errors
    /// The folder is another agent's, cannot be used, or holds something else or something damaged.
    pub fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_with(folder, options, None, None, Tasks::default())
    }

    /// The same, and the outbox keeps its own timeline by the clocks of `machine`: [`SqliteOutbox::clock`].
    ///
    /// # Errors
    /// As [`SqliteOutbox::open`].
    pub fn open_on(folder: &Path, options: Options, machine: Arc<dyn Machine>) -> Result<Self, OpenError> {
        Self::open_with(folder, options, Some(machine), None, Tasks::default())
    }

    /// The same, for the carrier of `owner` alone: the outbox belongs to the first one that it was opened for.
    ///
    /// # Errors
    /// As [`SqliteOutbox::open`], and the outbox belongs to another carrier or region.
    pub fn open_for(
        folder: &Path,
        options: Options,
        machine: Arc<dyn Machine>,
        owner: &Owner,
        tasks: Tasks,
    ) -> Result<Self, OpenError> {
        Self::open_with(folder, options, Some(machine), Some(owner), tasks)
    }

    fn open_with(
        folder: &Path,
        options: Options,
        machine: Option<Arc<dyn Machine>>,
        owner: Option<&Owner>,
        tasks: Tasks,
    ) -> Result<Self, OpenError> {
        let lock = file::own(folder)?;
        let path = folder.join("outbox.db");
        file::refuse_emptied(folder, &path)?;
        let held = file::hold(folder, &path)?;
        let damage = Damage::of(&path).map_err(|source| OpenError::Folder { path: path.clone(), source })?;
        let is_loss_accepted = owner.is_some() && run::refuse_without_log(&path)?;
        owner.map_or(Ok(()), |owner| owner.check(folder, &path))?;
        let log = Arc::<log::Log>::default();
        let open = || {
            let mut writer = Writer::open(&path, Arc::clone(&log), options, machine)?;
            let note = run::begin(&mut writer, &path, options, owner, is_loss_accepted)?;
            log.noted_in(note);
            Ok::<_, file::Cause>((writer, file::open_to_read(&path)?, file::open_to_read(&path)?))
        };
        let (mut writer, reader, history) = open().map_err(|source| OpenError::new(&path, source))?;
        let reader = Arc::new(Mutex::new(reader));
        let presence = Arc::new(Presence::of(&path, Arc::clone(&reader)));
        writer.watch(Arc::clone(&presence));
        let clock = writer.clock();
        let committer = Committer::new(writer, damage.clone(), tasks.clone());
        let ahead = Arc::new(Ahead::new(committer.clone(), &path, Arc::clone(&log), tasks.clone()));
        tasks.spawn("the watch on the outbox's files", presence::watch(Arc::downgrade(&presence)));
        let keeping = log::keep(path, committer.clone(), damage.clone(), log, log::Bounds::default());
        tasks.spawn("the keeper of the outbox's log", keeping);
        Ok(Self {
            committer,
            reader,
            history: Arc::new(tokio::sync::Mutex::new(history)),
            trouble: Arc::new(Trouble::of_one(damage.clone())),
            damage,
            untaken: Untaken::default(),
            readiness: Arc::default(),
            ahead,
            options,
            clock,
            presence,
            tasks,
            _locks: [lock, held],
        })
    }
}
