//! Reads what there is. In flow the kinds and the stack, out flows everything found under our names, and every read that
//! AWS refused. It only reads, all kinds at once.

use futures_util::future::join_all;

use crate::aws::{CallError, Fault};
use crate::kinds::ResourceKind;
use crate::resource::{Found, Kind};
use crate::stack::Stack;

/// What an account looks like.
#[derive(Debug, Default)]
pub struct Observed {
    /// In no order.
    pub found: Vec<Found>,
    /// The reads that were refused, by the kind that nothing is known of.
    pub refused: Vec<(Kind, CallError)>,
}

/// Reads the account.
///
/// # Errors
/// The first read that failed for another reason than a missing permission.
pub async fn observe(kinds: &[Box<dyn ResourceKind>], stack: &Stack) -> Result<Observed, CallError> {
    let reads = kinds.iter().map(|kind| async move {
        let candidates = stack.of(kind.kind());
        (kind.kind(), kind.read(&candidates).await)
    });
    let mut observed = Observed::default();
    for (kind, read) in join_all(reads).await {
        match read {
            Ok(found) => observed.found.extend(found),
            Err(error) if error.fault == Fault::Refused => observed.refused.push((kind, error)),
            Err(error) => return Err(error),
        }
    }
    Ok(observed)
}
