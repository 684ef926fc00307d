//! Many accounts and regions at once.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use account::Account;

const REGIONS: [&str; 20] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "af-south-1",
];

fn settings(account: &Account, extra: &str) {
    let target = |region: &&str| format!("[[targets]]\nname = \"{region}\"\nregion = \"{region}\"\n");
    let targets: String = REGIONS.iter().map(target).collect();
    std::fs::write(account.home.path().join("sms.toml"), format!("{targets}{extra}")).unwrap();
}

#[test]
fn twenty_targets_are_set_up_side_by_side_and_each_has_its_key() {
    let account = Account::new();
    settings(&account, "");
    let apply = account.run(&["apply", "--all", "--yes"]).ended(0);
    for region in REGIONS {
        assert!(apply.out.contains(&format!("== {region}\n")), "{}", apply.out);
    }
    let plan = account.run(&["plan", "--all", "--parallel", "20", "--json", "--detailed-exitcode"]).ended(0);
    let targets = plan.json()["targets"].as_array().unwrap().clone();
    assert_eq!(targets.iter().map(|one| one["target"].as_str().unwrap()).collect::<Vec<_>>(), REGIONS);
    assert!(targets.iter().all(|one| one["changes"].as_array().unwrap().is_empty()), "{}", plan.out);
    let file = std::fs::read_to_string(account.credentials()).unwrap();
    for region in REGIONS {
        assert_eq!(file.matches(&format!("[{region}]\n")).count(), 1, "{region}");
    }
    assert_eq!(file.matches("aws_secret_access_key").count(), REGIONS.len());
}

#[test]
fn a_target_that_fails_stops_none_of_the_others() {
    let account = Account::new();
    settings(&account, "[[targets]]\nname = \"elsewhere\"\nregion = \"eu-west-1\"\naccount_id = \"210987654321\"\n");
    let plan = account.run(&["plan", "--all", "--json"]).ended(1);
    let targets = plan.json()["targets"].as_array().unwrap().clone();
    assert_eq!(targets.len(), REGIONS.len() + 1);
    assert!(targets.last().unwrap()["error"].as_str().unwrap().contains("210987654321"));
    assert!(targets.iter().take(REGIONS.len()).all(|one| one["changes"].as_array().unwrap().len() > 10));
    let table = account.run(&["plan", "--all"]).ended(1).out;
    assert!(table.lines().last().unwrap().starts_with("elsewhere"), "{table}");
}

#[test]
fn one_target_is_chosen_by_its_name() {
    let account = Account::new();
    settings(&account, "");
    let plan = account.run(&["plan", "--json", "--target", "eu-north-1"]).ended(0);
    assert_eq!(plan.json()["region"], "eu-north-1");
    let unknown = account.run(&["--target", "moon", "plan"]).ended(1);
    assert!(unknown.err.contains("there is no such target") && unknown.err.contains("eu-north-1"), "{}", unknown.err);
    account.run(&["plan", "--target", "eu-north-1", "--all"]).ended(1);
}

#[test]
fn where_there_are_targets_and_none_is_chosen_it_is_said_that_the_command_is_about_none_of_them() {
    let account = Account::new();
    settings(&account, "");
    let warning = "the settings have [[targets]], and neither --target nor --all is given";
    for arguments in [&["plan"][..], &["destroy", "--yes"]] {
        let ran = account.run(arguments).ended(0);
        assert!(ran.err.contains(warning), "{}", ran.err);
    }
    let chosen = account.run(&["plan", "--target", "us-east-1"]).ended(0);
    assert!(!chosen.err.contains(warning), "{}", chosen.err);
}

#[test]
fn no_key_is_touched_while_it_is_not_said_whose() {
    let account = Account::new();
    settings(&account, "");
    account.run(&["apply", "--yes", "--target", "us-east-1"]).ended(0);
    let before = std::fs::read_to_string(account.credentials()).unwrap();
    for command in [&["keys", "rotate"][..], &["keys", "revoke", "AKIAEXAMPLE", "--yes"]] {
        let ran = account.run(command).ended(1);
        assert!(ran.err.contains("--target NAME, or --all"), "{}", ran.err);
    }
    assert_eq!(std::fs::read_to_string(account.credentials()).unwrap(), before);
    account.run(&["keys", "rotate", "--target", "us-east-1"]).ended(0);
    assert_ne!(std::fs::read_to_string(account.credentials()).unwrap(), before);
}

#[test]
fn two_targets_that_are_one_stack_are_refused_before_anything_is_changed() {
    let account = Account::new();
    settings(&account, "[[targets]]\nname = \"copied\"\nregion = \"us-east-1\"\n");
    let before = account.state();
    for command in [&["plan"][..], &["apply", "--yes"], &["keys", "rotate"], &["destroy", "--yes"], &["status"]] {
        let ran = account.run(&[command, &["--all"]].concat()).ended(1);
        assert!(ran.err.contains("the targets us-east-1 and copied are the same account"), "{}", ran.err);
    }
    assert_eq!(account.state(), before);
    account.run(&["plan", "--target", "copied"]).ended(0);
}

/// As every SDK does it; whoever has followed the quick start has the variable in the shell.
#[test]
fn a_region_of_the_environment_that_comes_before_those_of_profiles_is_warned_of() {
    let account = Account::new();
    std::fs::create_dir(account.home.path().join(".aws")).unwrap();
    let keys = "aws_access_key_id = testing\naws_secret_access_key = testing\n";
    std::fs::write(account.credentials(), format!("[one]\n{keys}[two]\n{keys}")).unwrap();
    let config = "[profile one]\nregion = eu-west-1\n[profile two]\nregion = ap-south-1\n";
    std::fs::write(account.home.path().join(".aws/config"), config).unwrap();
    let targets = "[[targets]]\nname = \"eu\"\nprofile = \"one\"\n[[targets]]\nname = \"asia\"\nprofile = \"two\"\naccount.name = \"asia\"\n\
        [[targets]]\nname = \"named\"\nprofile = \"two\"\nregion = \"us-west-2\"\n";
    std::fs::write(account.home.path().join("sms.toml"), targets).unwrap();
    let warned = "warning: AWS_REGION comes before the regions of profiles, so that us-east-1 is the region of eu (its profile one \
        has eu-west-1), asia (its profile two has ap-south-1). Set region in each target, or unset AWS_REGION\n";
    let plan = account.run(&["plan", "--all"]).ended(0);
    assert!(plan.err.contains(warned) && plan.out.contains("region us-east-1, stack asia"), "{plan:?}");
    let one = account.run(&["plan", "--target", "asia"]).ended(0);
    assert!(one.err.contains("the region of asia (its profile two has ap-south-1). Set"), "{one:?}");
    assert!(!account.run(&["plan", "--target", "named"]).ended(0).err.contains("warning"));
    let mut unset = account.command(account.moto.endpoint(), &["plan", "--all"]);
    unset.env_remove("AWS_REGION");
    let plan = Account::ran(unset).ended(0);
    assert!(!plan.err.contains("warning") && plan.out.contains("region ap-south-1, stack asia"), "{plan:?}");
}

/// The second target's key is made while the first one's old key still has its grace.
#[test]
fn the_graces_of_several_targets_pass_at_the_same_time() {
    let account = Account::new();
    let targets =
        ["us-east-1", "eu-west-1"].map(|region| format!("[[targets]]\nname = \"{region}\"\nregion = \"{region}\"\n"));
    std::fs::write(account.home.path().join("sms.toml"), targets.concat()).unwrap();
    account.run(&["apply", "--yes", "--all"]).ended(0);
    account.run(&["keys", "rotate", "--all", "--parallel", "1", "--grace", "20s"]).ended(0);
    let apart = account.boto(
        "keys = [iam.list_access_keys(UserName=f'sms-sender-{region}')['AccessKeyMetadata'] for region in ('us-east-1', 'eu-west-1')]\n\
         assert [len(key) for key in keys] == [1, 1], keys\n\
         print(int(abs(keys[0][0]['CreateDate'] - keys[1][0]['CreateDate']).total_seconds()))",
    );
    assert!(apart.trim().parse::<u32>().unwrap() < 20, "{apart}");
}
