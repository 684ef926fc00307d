//! Tasks that run beside the requests, and whether one of them has ended with a defect.
//!
//! A task that panics would go unnoticed while the others go on and promise what it does not do. So whatever runs as long as
//! the agent, or moves messages on without anybody waiting for it, is started here; the agent then stops in order.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::watch;

/// The tasks of one agent. Clones share them.
#[derive(Clone, Debug)]
pub struct Tasks(Arc<watch::Sender<Option<&'static str>>>);

impl Default for Tasks {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Tasks {
    /// Runs a task of that part of the agent. It may end by itself: then it has nothing more to do. To be called inside a
    /// tokio runtime.
    pub fn spawn(&self, part: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let tasks = self.clone();
        tokio::spawn(async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tasks.fail(part);
            }
        });
    }

    /// A part has ended with a defect. The first one counts.
    pub fn fail(&self, part: &'static str) {
        let is_first = self.0.send_if_modified(|failed| {
            let is_first = failed.is_none();
            failed.get_or_insert(part);
            is_first
        });
        if is_first {
            tracing::error!(part, "a part of the agent ended with a defect of its own");
        }
    }

    /// Waits for the first defect, and tells of which part it is.
    pub async fn defect(&self) -> &'static str {
        let mut failed = self.0.subscribe();
        // The sender is here, so it does not end.
        let found = failed.wait_for(Option::is_some).await.ok().and_then(|part| *part);
        match found {
            Some(part) => part,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_noticed_and_one_that_ends_is_not_taken_for_it() {
        let tasks = Tasks::default();
        let (go, gone) = oneshot::channel::<()>();
        tasks.spawn("the one that ends", async {});
        tasks.spawn("the one that panics", async move {
            drop(gone.await);
            panic!("a defect");
        });
        tokio::task::yield_now().await;
        assert!(tasks.defect().now_or_never().is_none(), "none has panicked");
        drop(go);
        assert_eq!(tasks.defect().await, "the one that panics");
        tasks.fail("a later one");
        assert_eq!(tasks.defect().await, "the one that panics", "the first one counts");
    }
}
