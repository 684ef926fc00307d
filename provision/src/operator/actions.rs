//! What the commands call, in one table: the actions, and what they are called on.
//!
//! A test holds the table to the source: an action that is called and not here fails it, and so does one that is here
//! and not called.

/// What an action is called on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum On {
    /// Nothing in particular, in no region.
    Anything,
    /// Nothing in particular, in the region of the stack.
    Region,
    /// Nothing in particular, and by SNS in the caller's name.
    ThroughSns,
    /// The sender policy.
    Policy,
    /// The sender's user.
    User,
    /// The sender's user within its boundary.
    BoundUser,
    /// The sender's user, which gets no boundary any more.
    UnboundUser,
    /// The sender's user, which gets the sender policy.
    AttachedUser,
    /// The delivery-status role.
    Role,
    /// The delivery-status role within its boundary.
    BoundRole,
    /// The delivery-status role, which gets no boundary any more.
    UnboundRole,
    /// The delivery-status role, handed to SNS.
    PassedRole,
    /// The roles of the settings, which get the sender policy.
    AttachedRoles,
    /// The roles of the settings.
    Roles,
    /// Whoever has the sender policy.
    Detached,
    /// The log groups of delivery status and what is in them.
    LogGroups,
    /// The alarm topic.
    Topic,
    /// The alarms of the stack.
    Alarms,
    /// The dashboard.
    Dashboard,
    /// The queue and its dead-letter queue.
    Queues,
}

impl On {
    /// The statement that it goes into. What has no condition goes into one, for shortness: an action has resources of
    /// its own type only, so that it reaches no other for that.
    pub(super) fn statement(self) -> Statement {
        match self {
            Self::Anything => Statement::Anything,
            Self::Region => Statement::Region,
            Self::ThroughSns => Statement::ThroughSns,
            Self::BoundUser | Self::BoundRole => Statement::Bound,
            Self::UnboundUser | Self::UnboundRole => Statement::Unbound,
            Self::AttachedUser | Self::AttachedRoles => Statement::Attach,
            Self::Detached => Statement::Detach,
            Self::PassedRole => Statement::Pass,
            Self::Roles => Statement::Roles, // which are not ours to change
            _ => Statement::Own,
        }
    }
}

/// The statements, in their order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Statement {
    Anything,
    Region,
    ThroughSns,
    Own,
    Bound,
    Unbound,
    Pass,
    Roles,
    Attach,
    Detach,
}

impl Statement {
    pub(super) const ALL: [Self; 10] = [
        Self::Anything,
        Self::Region,
        Self::ThroughSns,
        Self::Own,
        Self::Bound,
        Self::Unbound,
        Self::Pass,
        Self::Roles,
        Self::Attach,
        Self::Detach,
    ];
}

/// All of them. `sms-voice` is what SNS calls to do what it is asked.
pub(super) const ACTIONS: &[(On, &[&str])] = &[
    (On::Anything, &["iam:ListPolicies", "sts:GetCallerIdentity"]),
    (
        On::Region,
        &[
            "cloudwatch:DescribeAlarms",
            "cloudwatch:GetMetricStatistics",
            "logs:DescribeLogGroups",
            "sns:CheckIfPhoneNumberIsOptedOut",
            "sns:CreateSMSSandboxPhoneNumber",
            "sns:DeleteSMSSandboxPhoneNumber",
            "sns:GetSMSAttributes",
            "sns:GetSMSSandboxAccountStatus",
            "sns:ListOriginationNumbers",
            "sns:ListPhoneNumbersOptedOut",
            "sns:ListSMSSandboxPhoneNumbers",
            "sns:OptInPhoneNumber",
            "sns:SetSMSAttributes",
            "sns:Unsubscribe",
            "sns:VerifySMSSandboxPhoneNumber",
        ],
    ),
    (
        On::ThroughSns,
        &[
            "sms-voice:CreateVerifiedDestinationNumber",
            "sms-voice:DeleteOptedOutNumber",
            "sms-voice:DeleteVerifiedDestinationNumber",
            "sms-voice:DescribeAccountAttributes",
            "sms-voice:DescribeOptedOutNumbers",
            "sms-voice:DescribePhoneNumbers",
            "sms-voice:DescribeSpendLimits",
            "sms-voice:DescribeVerifiedDestinationNumbers",
            "sms-voice:SendDestinationNumberVerificationCode",
            "sms-voice:SetTextMessageSpendLimitOverride",
            "sms-voice:VerifyDestinationNumber",
        ],
    ),
    (
        On::Policy,
        &[
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "iam:ListEntitiesForPolicy",
            "iam:ListPolicyVersions",
            "iam:TagPolicy",
            "iam:UntagPolicy",
        ],
    ),
    (
        On::User,
        &[
            "iam:CreateAccessKey",
            "iam:DeleteAccessKey",
            "iam:DeleteUser",
            "iam:GetAccessKeyLastUsed",
            "iam:GetLoginProfile",
            "iam:GetUser",
            "iam:ListAccessKeys",
            "iam:ListAttachedUserPolicies",
            "iam:ListGroupsForUser",
            "iam:ListMFADevices",
            "iam:ListSSHPublicKeys",
            "iam:ListSigningCertificates",
            "iam:ListUserPolicies",
            "iam:SimulatePrincipalPolicy",
            "iam:TagUser",
            "iam:UntagUser",
            "iam:UpdateAccessKey",
            "iam:UpdateUser",
        ],
    ),
    (On::BoundUser, &["iam:CreateUser", "iam:PutUserPermissionsBoundary"]),
    (On::UnboundUser, &["iam:DeleteUserPermissionsBoundary"]),
    (On::AttachedUser, &["iam:AttachUserPolicy"]),
    (
        On::Role,
        &[
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:DetachRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
            "iam:SimulatePrincipalPolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
        ],
    ),
    (On::BoundRole, &["iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]),
    (On::UnboundRole, &["iam:DeleteRolePermissionsBoundary"]),
    (On::PassedRole, &["iam:PassRole"]),
    (On::Roles, &["iam:GetRole", "iam:SimulatePrincipalPolicy"]),
    (On::AttachedRoles, &["iam:AttachRolePolicy"]),
    (On::Detached, &["iam:DetachGroupPolicy", "iam:DetachRolePolicy", "iam:DetachUserPolicy"]),
    (
        On::LogGroups,
        &[
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:DeleteMetricFilter",
            "logs:DescribeLogStreams",
            "logs:DescribeMetricFilters",
            "logs:ListTagsForResource",
            "logs:PutMetricFilter",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
            "logs:UntagResource",
        ],
    ),
    (
        On::Topic,
        &[
            "sns:CreateTopic",
            "sns:DeleteTopic",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "sns:ListTagsForResource",
            "sns:SetTopicAttributes",
            "sns:Subscribe",
            "sns:TagResource",
            "sns:UntagResource",
        ],
    ),
    (
        On::Alarms,
        &[
            "cloudwatch:DeleteAlarms",
            "cloudwatch:ListTagsForResource",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ],
    ),
    (On::Dashboard, &["cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard", "cloudwatch:PutDashboard"]),
    (
        On::Queues,
        &[
            "sqs:CreateQueue",
            "sqs:DeleteQueue",
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ListQueueTags",
            "sqs:SetQueueAttributes",
            "sqs:TagQueue",
            "sqs:UntagQueue",
        ],
    ),
];
