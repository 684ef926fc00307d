//! The parts that run as long as the agent does: the dispatcher, the retention, the receipts, the timeline.
//!
//! One that panics would go unnoticed while the others go on and promise what it does not do.

use tokio::task::JoinSet;

/// Returns once one of them has panicked. One that ends by itself has nothing more to do.
pub(super) async fn until_one_panics(parts: &mut JoinSet<()>) {
    loop {
        match parts.join_next().await {
            Some(Err(ended)) if ended.is_panic() => return,
            Some(_) => {}
            None => return std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_part_that_panics_is_noticed_and_one_that_ends_is_not_taken_for_it() {
        let mut parts = JoinSet::new();
        let (go, gone) = oneshot::channel::<()>();
        parts.spawn(async {});
        parts.spawn(async move {
            drop(gone.await);
            panic!("a defect");
        });
        tokio::task::yield_now().await;
        assert!(until_one_panics(&mut parts).now_or_never().is_none(), "none has panicked");
        drop(go);
        until_one_panics(&mut parts).await;
    }

    #[tokio::test]
    async fn while_all_parts_have_ended_by_themselves_nothing_is_noticed() {
        let mut parts = JoinSet::new();
        parts.spawn(async {});
        tokio::task::yield_now().await;
        assert!(until_one_panics(&mut parts).now_or_never().is_none());
    }
}
