//! Another key in the place of the one that there is. Each step leaves what the next run can tell from the keys, their
//! dates, the mark and the file: it goes on from there.

use std::time::Duration;

use super::mark::Alone;
use super::{Key, KeysError, Made, SenderKeys, State};

/// What a rotation came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rotated {
    /// The key of the file.
    pub key: String,
    /// Whether this run made it; an earlier one, that was cut off, otherwise.
    pub made: bool,
    /// The key that is gone.
    pub retired: Option<String>,
}

/// What is told while a rotation goes on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Progress {
    /// What a person should know before there is a new key, in words: what it takes the place of, what is in its way.
    Warns(String),
    /// How long the old key has still.
    Waits(Duration),
}

impl SenderKeys<'_> {
    /// Makes a second key, writes it, proves it, and retires the first one `grace` after the second was made. `tell` is told
    /// what a person should know meanwhile, `wait` lets the rest of the grace pass.
    ///
    /// # Errors
    /// Both keys may be in use elsewhere; the new one is not accepted; the file; a call.
    pub async fn rotate(
        &self,
        grace: Duration,
        tell: impl Fn(Progress),
        wait: impl AsyncFn(Duration),
    ) -> Result<Rotated, KeysError> {
        let turn = Alone::in_place(&self.place).await;
        let mut state = self.ours().await?;
        if state.busy_elsewhere {
            return Err(KeysError::Busy(self.user().to_owned()));
        }
        self.tidy();
        if let Some(why) = self.obstacle(&state).filter(|_| state.stored.is_none()) {
            return Err(KeysError::NoPlace(why));
        }
        self.delete_orphans(&mut state).await?;
        let made = !self.is_under_way(&state)?;
        match made {
            true => {
                let warnings = [self.displaced(&state), self.hidden().await, self.unread()];
                warnings.into_iter().flatten().for_each(|warning| tell(Progress::Warns(warning)));
                let retires = state.all.first().map(|key| key.id.as_str());
                if self.make(&state, retires).await? == Made::Overtaken {
                    return Err(KeysError::Busy(self.user().to_owned()));
                }
            }
            false => self.settle(&state).await?,
        }
        let state = self.with_stored().await?;
        self.verify(&state).await?;
        // The file has the new key: other runs may go on while the old one waits for its end.
        drop(turn);
        let new = state.all.iter().find(|key| state.in_file(key));
        let old = state.all.iter().find(|key| !state.in_file(key));
        if let (Some(new), Some(old)) = (new, old) {
            let left = left_of(grace, new, &state);
            if !left.is_zero() {
                tell(Progress::Waits(left));
                wait(left).await;
            }
            // What was forgotten can be brought back for as long as it is only inactive.
            self.deactivate(&old.id).await?;
            self.delete(&old.id).await?;
        }
        self.retired(&state).await?;
        let key = new.map(|key| key.id.clone()).unwrap_or_default();
        Ok(Rotated { key, made, retired: old.map(|key| key.id.clone()) })
    }

    /// The state of a user that is there and ours.
    ///
    /// # Errors
    /// It is not; the file; a call.
    pub async fn ours(&self) -> Result<State, KeysError> {
        let state = self.state().await?;
        let user = || self.user().to_owned();
        match &state.tags {
            None => Err(KeysError::NoUser(user())),
            Some(_) if !state.is_of(&self.stack.names.stack) => Err(KeysError::NotOurs(user())),
            Some(_) => Ok(state),
        }
    }

    /// Whether an earlier run made the new key already.
    fn is_under_way(&self, state: &State) -> Result<bool, KeysError> {
        let [older, newer] = &state.all[..] else { return Ok(false) };
        let (user, file) = (self.user().to_owned(), self.file()?.path().display().to_string());
        // Made within the same second, there is no telling.
        let same_age = older.created.secs() == newer.created.secs();
        match (state.in_file(older), state.in_file(newer)) {
            (_, true) if state.retiring.as_ref() == Some(&older.id) => Ok(true),
            (_, true) => Err(KeysError::OlderElsewhere { user, file }),
            (true, _) if same_age => Ok(true),
            (true, _) => Err(KeysError::NewerElsewhere { user, file }),
            (false, false) => Err(KeysError::BothElsewhere { user, file }),
        }
    }
}

/// What is left of the grace, which begins when the new key was made.
fn left_of(grace: Duration, new: &Key, state: &State) -> Duration {
    let age = u64::try_from(state.now.secs() - new.created.secs()).unwrap_or(0);
    grace.saturating_sub(Duration::from_secs(age))
}
