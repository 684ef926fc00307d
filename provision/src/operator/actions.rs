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
    /// Whoever has the sender policy.
    Detached,
}

/// All of them. `sms-voice` is what SNS calls to do what it is asked.
pub(super) const ACTIONS: &[(On, &[&str])] = &[
    (On::Anything, &["iam:ListPolicies", "sts:GetCallerIdentity"]),
    (On::Region, &["sns:GetSMSAttributes", "sns:SetSMSAttributes"]),
    (On::ThroughSns, &["sms-voice:DescribeSpendLimits", "sms-voice:SetTextMessageSpendLimitOverride"]),
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
    (On::User, &["iam:DeleteUser", "iam:GetUser", "iam:TagUser", "iam:UntagUser", "iam:UpdateUser"]),
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
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
        ],
    ),
    (On::BoundRole, &["iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]),
    (On::UnboundRole, &["iam:DeleteRolePermissionsBoundary"]),
    (On::PassedRole, &["iam:PassRole"]),
    (On::AttachedRoles, &["iam:AttachRolePolicy"]),
    (On::Detached, &["iam:DetachGroupPolicy", "iam:DetachRolePolicy", "iam:DetachUserPolicy"]),
];
