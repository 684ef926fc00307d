//! Whatever is changed behind our back is found, and nothing else; `apply` mends it.

use crate::ALL;
use crate::account::{Account, Changed, DELIVERED, FAILED};

/// Changes the account by a script, and expects of the plan just this.
fn drift(script: &str, expected: &[Changed]) {
    let account = Account::start();
    account.apply(&ALL);
    account.python(&format!("{script}\nprint('null')"));
    let mut found = account.pending(&ALL);
    found.sort();
    let mut expected = expected.to_vec();
    expected.sort();
    let alike = found.len() == expected.len() && found.iter().zip(&expected).all(|(one, other)| one.is(other));
    assert!(alike, "found {found:#?}, expected {expected:#?}");
    account.apply(&ALL);
    assert_eq!(account.pending(&ALL), []);
}

fn update(kind: &str, name: &str, attributes: &[&str]) -> Changed {
    Changed::new("update", kind, name).of(attributes)
}

#[test]
fn drift_of_the_topic_and_its_subscriptions_is_found_and_mended() {
    drift(
        "
sns.set_topic_attributes(TopicArn=topic, AttributeName='Policy', AttributeValue=json.dumps({
    'Version': '2012-10-17',
    'Statement': [{'Sid': 'All', 'Effect': 'Allow', 'Principal': '*', 'Action': 'sns:Publish', 'Resource': topic}],
}))
sns.tag_resource(ResourceArn=topic, Tags=[{'Key': 'managed-by', 'Value': 'hand'}, {'Key': 'more', 'Value': '1'}])
sns.subscribe(TopicArn=topic, Protocol='email', Endpoint='stranger@example.org')
sns.subscribe(TopicArn=topic, Protocol='https', Endpoint='https://pager.example.org/')
[gone] = [one['SubscriptionArn'] for one in sns.list_subscriptions()['Subscriptions'] if one['Endpoint'] == 'ops@example.org']
sns.unsubscribe(SubscriptionArn=gone)",
        &[
            update("sns_topic", "sms-alarms", &["policy", "tags.managed-by", "tags.more"]),
            Changed::new("create", "sns_subscription", "ops@example.org"),
            Changed::new("delete", "sns_subscription", "stranger@example.org"),
        ],
    );
}

#[test]
fn drift_of_log_groups_and_metric_filters_is_found_and_mended() {
    let script = format!(
        "
delivered, failed = '{DELIVERED}', '{FAILED}'
logs.put_retention_policy(logGroupName=delivered, retentionInDays=7)
logs.delete_retention_policy(logGroupName=failed)
logs.tag_resource(resourceArn='arn:aws:logs:us-east-1:123456789012:log-group:' + delivered, tags={{'more': '1'}})
def change(name, pattern=None, **counted):
    [filter] = logs.describe_metric_filters(logGroupName=failed, filterNamePrefix=name)['metricFilters']
    logs.put_metric_filter(logGroupName=failed, filterName=name, filterPattern=pattern or filter['filterPattern'],
        metricTransformations=[filter['metricTransformations'][0] | counted])
change('sms-quota', pattern='quota')
change('sms-spam', metricName='Other')
change('sms-opted-out', metricNamespace='Other')
change('sms-unreachable', metricValue='2', defaultValue=0.0)
logs.delete_metric_filter(logGroupName=failed, filterName='sms-price')
logs.put_metric_filter(logGroupName=failed, filterName='old', filterPattern='x', metricTransformations=[
    {{'metricName': 'Old', 'metricNamespace': 'SMS/sms', 'metricValue': '1'}}])
logs.put_metric_filter(logGroupName=failed, filterName='sms-of-mine', filterPattern='x', metricTransformations=[
    {{'metricName': 'Mine', 'metricNamespace': 'Mine', 'metricValue': '1'}}])"
    );
    drift(
        &script,
        &[
            update("log_group", DELIVERED, &["retention_days", "tags.more"]),
            update("log_group", FAILED, &["retention_days"]),
            update("log_metric_filter", "sms-quota", &["pattern"]),
            update("log_metric_filter", "sms-spam", &["metric_name"]),
            update("log_metric_filter", "sms-opted-out", &["metric_namespace"]),
            update("log_metric_filter", "sms-unreachable", &["metric_default", "metric_value"]),
            Changed::new("create", "log_metric_filter", "sms-price"),
            Changed::new("delete", "log_metric_filter", "old"),
        ],
    );
}

#[test]
fn drift_of_alarms_is_found_and_mended() {
    drift(
        "
KEPT = ('AlarmName', 'AlarmDescription', 'ActionsEnabled', 'OKActions', 'AlarmActions', 'InsufficientDataActions',
    'MetricName', 'Namespace', 'Statistic', 'ExtendedStatistic', 'Dimensions', 'Period', 'Unit', 'EvaluationPeriods',
    'DatapointsToAlarm', 'Threshold', 'ComparisonOperator', 'TreatMissingData', 'Metrics')
def change(name, drop=(), **changed):
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])['MetricAlarms']
    kept = {key: alarm[key] for key in KEPT if alarm.get(key) not in (None, []) and key not in drop}
    cloudwatch.put_metric_alarm(**kept | changed)
change('sms-spend-80', Threshold=5.0, AlarmDescription='mine')
change('sms-spend-100', Unit='Count', ActionsEnabled=False, EvaluationPeriods=3, DatapointsToAlarm=2)
change('sms-quota-exhausted', drop=('Statistic',), ExtendedStatistic='p99', TreatMissingData='breaching')
change('sms-queue-age', Dimensions=[{'Name': 'QueueName', 'Value': 'other'}], OKActions=[topic],
    InsufficientDataActions=[topic])
change('sms-dead-letters', AlarmActions=[], ComparisonOperator='GreaterThanThreshold', Period=60)
[failures] = cloudwatch.describe_alarms(AlarmNames=['sms-failures'])['MetricAlarms']
for part in failures['Metrics']:
    if part['Id'] == 'rate':
        part['Expression'] = '100 * failed / (failed + delivered)'
change('sms-failures', Metrics=failures['Metrics'])
arn = 'arn:aws:cloudwatch:us-east-1:123456789012:alarm:'
cloudwatch.tag_resource(ResourceARN=arn + 'sms-spend-80', Tags=[{'Key': 'more', 'Value': '1'}])
spare = dict(MetricName='x', Namespace='y', Statistic='Sum', Period=60, EvaluationPeriods=1, Threshold=1.0,
    ComparisonOperator='GreaterThanThreshold')
ours = [{'Key': 'sms:stack', 'Value': 'sms'}]
cloudwatch.put_metric_alarm(AlarmName='sms-spend-42', Tags=ours, **spare)
cloudwatch.put_metric_alarm(AlarmName='sms-spend-43', **spare)
cloudwatch.put_metric_alarm(AlarmName='sms-mine', Tags=ours, **spare)",
        &[
            update("cloudwatch_alarm", "sms-spend-80", &["description", "tags.more", "threshold"]),
            update(
                "cloudwatch_alarm",
                "sms-spend-100",
                &["actions_enabled", "datapoints_to_alarm", "evaluation_periods", "metrics"],
            ),
            update("cloudwatch_alarm", "sms-quota-exhausted", &["metrics", "missing_data"]),
            update("cloudwatch_alarm", "sms-queue-age", &["insufficient_data_actions", "metrics", "ok_actions"]),
            update("cloudwatch_alarm", "sms-dead-letters", &["alarm_actions", "comparison", "metrics"]),
            update("cloudwatch_alarm", "sms-failures", &["metrics"]),
            Changed::new("delete", "cloudwatch_alarm", "sms-spend-42"),
        ],
    );
}

#[test]
fn drift_of_the_dashboard_is_found_and_mended() {
    drift(
        "
body = json.loads(cloudwatch.get_dashboard(DashboardName='sms-us-east-1')['DashboardBody'])
body['widgets'][0]['properties']['title'] = 'Mine'
cloudwatch.put_dashboard(DashboardName='sms-us-east-1', DashboardBody=json.dumps(body))",
        &[update("cloudwatch_dashboard", "sms-us-east-1", &["body"])],
    );
}

#[test]
fn drift_of_queues_is_found_and_mended() {
    drift(
        "
queue, dead = (sqs.get_queue_url(QueueName=name)['QueueUrl'] for name in ('sms-outbox', 'sms-outbox-dead'))
# moto forgets a policy that is not said again.
policy = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['All'])['Attributes']['Policy']
sqs.set_queue_attributes(QueueUrl=queue, Attributes={'Policy': policy,
    'VisibilityTimeout': '30', 'MessageRetentionPeriod': '3600', 'SqsManagedSseEnabled': 'false',
    'RedrivePolicy': json.dumps({
        'deadLetterTargetArn': 'arn:aws:sqs:us-east-1:123456789012:sms-outbox-dead', 'maxReceiveCount': 3}),
})
sqs.set_queue_attributes(QueueUrl=dead, Attributes={'Policy': json.dumps({
    'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': '*', 'Action': 'sqs:*', 'Resource': '*'}]})})
sqs.tag_queue(QueueUrl=queue, Tags={'more': '1'})
sqs.untag_queue(QueueUrl=dead, TagKeys=['managed-by'])",
        &[
            update(
                "sqs_queue",
                "sms-outbox",
                &["redrive_policy", "retention_seconds", "sqs_managed_sse", "tags.more", "visibility_seconds"],
            ),
            update("sqs_queue", "sms-outbox-dead", &["policy", "tags.managed-by"]),
        ],
    );
}

#[test]
fn what_is_gone_is_made_again() {
    let script = format!(
        "
logs.delete_log_group(logGroupName='{DELIVERED}')
cloudwatch.delete_alarms(AlarmNames=['sms-failures'])
cloudwatch.delete_dashboards(DashboardNames=['sms-us-east-1'])
sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName='sms-outbox')['QueueUrl'])
sns.delete_topic(TopicArn=topic)"
    );
    drift(
        &script,
        &[
            Changed::new("create", "log_group", DELIVERED),
            Changed::new("create", "sns_topic", "sms-alarms"),
            Changed::new("create", "sns_subscription", "night@example.org"),
            Changed::new("create", "sns_subscription", "ops@example.org"),
            Changed::new("create", "cloudwatch_alarm", "sms-failures"),
            Changed::new("create", "cloudwatch_dashboard", "sms-us-east-1"),
            Changed::new("create", "sqs_queue", "sms-outbox"),
        ],
    );
}
