//! How much of an answer is read: AWS's have their sizes, and whoever stands in its place may send without end.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use http_body_util::Limited;

/// Cuts every answer off after so many bytes; what is longer counts as one that cannot be read.
#[derive(Clone, Copy, Debug)]
pub struct Incoming(pub usize);

#[dyn_dispatch_hint]
impl Intercept for Incoming {
    fn name(&self) -> &'static str {
        "Incoming"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        *body = SdkBody::from_body_1_x(Limited::new(std::mem::replace(body, SdkBody::taken()), self.0));
        Ok(())
    }
}
