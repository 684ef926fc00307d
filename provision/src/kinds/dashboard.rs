//! The dashboard, ours by its name.

use std::sync::Arc;

use futures_util::future::try_join_all;
use serde_json::Value;

use super::{Answer, Ground, ResourceKind, Update};
use crate::aws::{CallError, call, call_delete};
use crate::resource::{Attributes, Found, Id, Kind, Resource};

pub(super) struct Dashboards(pub(super) Arc<Ground>);

impl Dashboards {
    async fn look(&self, id: &Id) -> Result<Option<Found>, CallError> {
        let asked = || self.0.session.cloudwatch.get_dashboard().dashboard_name(&id.name).send();
        let got = match CallError::if_there(call("cloudwatch:GetDashboard", id, asked).await) {
            // LocalStack's word for one that is not there. Our name is the only parameter, and a valid one.
            Err(error) if error.is(&["InvalidParameterValue"]) => None,
            got => got?,
        };
        let body = |body: Option<&str>| super::document(body.unwrap_or_default());
        Ok(got.map(|got| Found::ours(id.clone(), Attributes::from([("body".to_owned(), body(got.dashboard_body()))]))))
    }
}

impl ResourceKind for Dashboards {
    fn kind(&self) -> Kind {
        Kind::CloudwatchDashboard
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let found = try_join_all(candidates.iter().map(|candidate| self.look(&candidate.id))).await?;
            Ok(found.into_iter().flatten().collect())
        })
    }

    fn create<'a>(&'a self, id: &'a Id, wanted: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(async move {
            let body = wanted.get("body").unwrap_or(&Value::Null).to_string();
            let put = self.0.session.cloudwatch.put_dashboard().dashboard_name(&id.name).dashboard_body(body);
            call("cloudwatch:PutDashboard", id, || put.clone().send()).await.map(drop)
        })
    }

    fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()> {
        self.create(update.id, update.wanted)
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(async move {
            let id = &found.id;
            let send = || self.0.session.cloudwatch.delete_dashboards().dashboard_names(&id.name).send();
            call_delete("cloudwatch:DeleteDashboards", id, send).await
        })
    }
}
