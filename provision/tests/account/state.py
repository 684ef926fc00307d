policies = iam.list_policies(Scope="Local")["Policies"]
document = lambda p: iam.get_policy_version(PolicyArn=p["Arn"], VersionId=p["DefaultVersionId"])["PolicyVersion"]["Document"]
tags = lambda p: sorted((t["Key"], t["Value"]) for t in p)
arns = [t["TopicArn"] for t in sns.list_topics()["Topics"]]
urls = sqs.list_queues().get("QueueUrls", [])
print(
    json.dumps(
        {
            "policies": sorted(
                [p["Arn"], document(p), tags(iam.list_policy_tags(PolicyArn=p["Arn"])["Tags"])] for p in policies
            ),
            "users": sorted(
                [
                    u["Arn"],
                    tags(iam.list_user_tags(UserName=u["UserName"])["Tags"]),
                    len(iam.list_access_keys(UserName=u["UserName"])["AccessKeyMetadata"]),
                    sorted(p["PolicyArn"] for p in iam.list_attached_user_policies(UserName=u["UserName"])["AttachedPolicies"]),
                ]
                for u in iam.list_users()["Users"]
            ),
            "roles": sorted(
                [
                    r["Arn"],
                    r["AssumeRolePolicyDocument"],
                    tags(iam.list_role_tags(RoleName=r["RoleName"])["Tags"]),
                    iam.list_role_policies(RoleName=r["RoleName"])["PolicyNames"],
                    sorted(p["PolicyArn"] for p in iam.list_attached_role_policies(RoleName=r["RoleName"])["AttachedPolicies"]),
                ]
                for r in iam.list_roles()["Roles"]
            ),
            "attributes": {k: v for k, v in sns.get_sms_attributes()["attributes"].items() if v},
            "topics": sorted([a, tags(sns.list_tags_for_resource(ResourceArn=a)["Tags"])] for a in arns),
            "subscriptions": sorted(s["Endpoint"] for s in sns.list_subscriptions()["Subscriptions"]),
            "alarms": sorted(a["AlarmName"] for a in cw.describe_alarms()["MetricAlarms"]),
            "dashboards": sorted(d["DashboardName"] for d in cw.list_dashboards()["DashboardEntries"]),
            "groups": sorted([g["logGroupName"], g.get("retentionInDays")] for g in logs.describe_log_groups()["logGroups"]),
            "filters": sorted(f["filterName"] for f in logs.describe_metric_filters()["metricFilters"]),
            "queues": sorted(urls),
        }
    )
)
