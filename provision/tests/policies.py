"""Lints policies: in, a line each of name, tab, document; out, a line of JSON for each finding of parliament or cloudsplaining."""

import json
import sys

from cloudsplaining.scan.policy_document import PolicyDocument
from parliament import analyze_policy_string

RISKS = (
    "allows_data_exfiltration_actions",
    "allows_privilege_escalation",
    "credentials_exposure",
    "infrastructure_modification",
    "permissions_management_without_constraints",
    "service_wildcard",
)

for line in sys.stdin:
    name, _, document = line.rstrip("\n").partition("\t")
    for finding in analyze_policy_string(document, include_community_auditors=True).findings:
        where = finding.detail or finding.location
        print(json.dumps([name, finding.issue, json.dumps(where, sort_keys=True, default=str)]))
    policy = PolicyDocument(json.loads(document))
    for risk in RISKS:
        for found in getattr(policy, risk):
            print(json.dumps([name, risk, json.dumps(found, sort_keys=True, default=str)]))
print("linted")
