"""All that stands in an account and region, as JSON, told without what differs from run to run (ids, times).

In: the endpoint and the region. It reads what anybody reads, by AWS's own client, whoever made it.
"""

import json
import sys

import boto3

endpoint, region = sys.argv[1:]
session = boto3.session.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=region)


def client(service):
    return session.client(service, endpoint_url=endpoint)


iam, sns, sqs, logs, cloudwatch = (client(name) for name in ("iam", "sns", "sqs", "logs", "cloudwatch"))


def pages(of, operation, members, **arguments):
    return [one for page in of.get_paginator(operation).paginate(**arguments) for one in page[members]]


def tags(listed):
    return {tag["Key"]: tag["Value"] for tag in listed}


def attached(listed):
    return sorted(policy["PolicyName"] for policy in listed)


def boundary(principal):
    return principal.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")


def policy(listed):
    version = iam.get_policy_version(PolicyArn=listed["Arn"], VersionId=listed["DefaultVersionId"])["PolicyVersion"]
    return {
        "path": listed["Path"],
        "description": iam.get_policy(PolicyArn=listed["Arn"])["Policy"].get("Description"),
        "document": version["Document"],
        "tags": tags(iam.list_policy_tags(PolicyArn=listed["Arn"])["Tags"]),
    }


def user(listed):
    name = listed["UserName"]
    return {
        "path": listed["Path"],
        "boundary": boundary(iam.get_user(UserName=name)["User"]),
        "policies": attached(iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]),
        "inline": iam.list_user_policies(UserName=name)["PolicyNames"],
        "groups": iam.list_groups_for_user(UserName=name)["Groups"],
        "keys": len(iam.list_access_keys(UserName=name)["AccessKeyMetadata"]),
        "tags": tags(iam.list_user_tags(UserName=name)["Tags"]),
    }


def role(listed):
    name = listed["RoleName"]
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return {
        "path": listed["Path"],
        "boundary": boundary(iam.get_role(RoleName=name)["Role"]),
        "trust": listed["AssumeRolePolicyDocument"],
        "policies": attached(iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]),
        "inline": {one: iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in inline},
        "tags": tags(iam.list_role_tags(RoleName=name)["Tags"]),
    }


def metric_filter(listed):
    return {key: listed[key] for key in ("logGroupName", "filterPattern", "metricTransformations")}


def topic(arn):
    return {
        "policy": json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]),
        "subscriptions": sorted(
            (one["Protocol"], one["Endpoint"])
            for one in pages(sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn)
        ),
        "tags": tags(sns.list_tags_for_resource(ResourceArn=arn)["Tags"]),
    }


def alarm(listed):
    told = {
        key: value
        for key, value in listed.items()
        if key not in ("AlarmName", "AlarmArn") and not key.startswith(("State", "AlarmConfiguration")) and value != []
    }
    if "Metrics" in told:
        told["Metrics"] = {one.pop("Id"): one for one in told["Metrics"]}
    return {**told, "tags": tags(cloudwatch.list_tags_for_resource(ResourceARN=listed["AlarmArn"])["Tags"])}


def queue(url):
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    documents = {key: json.loads(attributes.pop(key)) for key in ("Policy", "RedrivePolicy") if key in attributes}
    plain = ("VisibilityTimeout", "MessageRetentionPeriod", "SqsManagedSseEnabled")
    return {**{key: attributes[key] for key in plain}, **documents, "tags": sqs.list_queue_tags(QueueUrl=url).get("Tags", {})}


def by(key, listed, told):
    return {one[key]: told(one) for one in listed}


print(
    json.dumps(
        {
            "policies": by("PolicyName", pages(iam, "list_policies", "Policies", Scope="Local"), policy),
            "users": by("UserName", pages(iam, "list_users", "Users"), user),
            "roles": by("RoleName", pages(iam, "list_roles", "Roles"), role),
            "instance_profiles": by(
                "InstanceProfileName",
                pages(iam, "list_instance_profiles", "InstanceProfiles"),
                lambda one: [role["RoleName"] for role in one["Roles"]],
            ),
            "log_groups": by(
                "logGroupName",
                pages(logs, "describe_log_groups", "logGroups"),
                lambda one: {
                    "retention": one.get("retentionInDays"),
                    "tags": logs.list_tags_log_group(logGroupName=one["logGroupName"])["tags"],
                },
            ),
            "metric_filters": by("filterName", pages(logs, "describe_metric_filters", "metricFilters"), metric_filter),
            "sms_attributes": sns.get_sms_attributes()["attributes"],
            "topics": {one["TopicArn"]: topic(one["TopicArn"]) for one in pages(sns, "list_topics", "Topics")},
            "alarms": by("AlarmName", pages(cloudwatch, "describe_alarms", "MetricAlarms"), alarm),
            "dashboards": {
                one["DashboardName"]: json.loads(
                    cloudwatch.get_dashboard(DashboardName=one["DashboardName"])["DashboardBody"]
                )
                for one in pages(cloudwatch, "list_dashboards", "DashboardEntries")
            },
            "queues": {url.rsplit("/", 1)[1]: queue(url) for url in sqs.list_queues().get("QueueUrls", [])},
        },
        indent=2,
        sort_keys=True,
        default=str,
    )
)
