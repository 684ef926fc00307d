//! What time it is at SQS: the header `Date` of its answer.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

use crate::message::WallTime;

/// The header is cut to the second: what is left of that second is taken as gone.
const A_SECOND_LESS: i64 = 999;

/// Reads it from one answer. Clones read the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct QueueDate(Arc<Mutex<Option<WallTime>>>);

impl QueueDate {
    /// The end of the second in which SQS answered, if it said so.
    pub(super) fn read(&self) -> Option<WallTime> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[dyn_dispatch_hint]
impl Intercept for QueueDate {
    fn name(&self) -> &'static str {
        "QueueDate"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|text| DateTime::from_str(text, Format::HttpDate).ok());
        let millis = date.and_then(|date| date.to_millis().ok());
        let date = millis.map(|millis| WallTime::from_millis(millis.saturating_add(A_SECOND_LESS)));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}
