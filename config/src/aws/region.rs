//! Which regions send SMS at all, as far as was known when this was written; and where the environment puts a region in the
//! place of a profile's.

use aws_config::profile::load;
use aws_types::os_shim_internal::{Env, Fs};

use super::environment;
use crate::Aws;

/// From the End User Messaging SMS guide's table of regions (2026) and the SNS endpoints of newer ones.
const SENDS_SMS: [&str; 34] = [
    "af-south-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-6",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// Whether the region is known to send SMS. The list ages: `false` is worth a warning and never an error. In a
/// region without SMS a good number is refused with the words for a bad one, which is why the warning matters.
pub fn sends_sms(region: &str) -> bool {
    SENDS_SMS.contains(&region)
}

/// The region of a profile that a variable of the environment comes before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegionAhead {
    /// The variable: `AWS_REGION`.
    pub variable: &'static str,
    /// The region that it names.
    pub region: String,
    /// The profile of the settings.
    pub profile: String,
    /// The other region, which that profile names.
    pub of_profile: String,
}

/// What the environment puts in the place of the region of the profile that the settings name; nothing where they name the
/// region, or no profile.
pub async fn ahead_of_a_region(settings: &Aws) -> Option<RegionAhead> {
    ahead(settings, &environment::env()).await
}

async fn ahead(settings: &Aws, env: &Env) -> Option<RegionAhead> {
    let profile = settings.profile.as_ref().filter(|_| settings.region.is_none())?;
    let (variable, region) = environment::first(env, &environment::REGION)?;
    let known = load(&Fs::real(), env, &Default::default(), None).await.ok()?;
    let of_profile = known.get_profile(profile)?.get("region").filter(|own| environment::is_region(own))?.to_owned();
    let ahead = RegionAhead { variable, region, profile: profile.clone(), of_profile };
    (ahead.region != ahead.of_profile).then_some(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_region_of_the_environment_comes_before_that_of_a_profile_and_not_before_that_of_the_settings() {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("config");
        std::fs::write(&config, "[profile a]\nregion = eu-west-1\n[profile b]\n[profile c]\nregion = SESAME\n")
            .unwrap();
        let file = ("AWS_CONFIG_FILE", config.to_str().unwrap());
        let way = |profile: &str| Aws { profile: Some(profile.to_owned()), ..Aws::default() };
        for variable in environment::REGION {
            let env = Env::from_slice(&[file, (variable, "us-east-1")]);
            let found = ahead(&way("a"), &env).await.unwrap();
            assert_eq!(
                (found.variable, found.region.as_str(), found.of_profile.as_str()),
                (variable, "us-east-1", "eu-west-1")
            );
            let named = Aws { region: Some("ap-south-1".to_owned()), ..way("a") };
            for other in [named, way("b"), way("c"), way("d"), Aws::default()] {
                assert_eq!(ahead(&other, &env).await, None);
            }
            assert_eq!(ahead(&way("a"), &Env::from_slice(&[file, (variable, "eu-west-1")])).await, None);
        }
        assert_eq!(ahead(&way("a"), &Env::from_slice(&[file])).await, None);
    }

    #[test]
    fn a_region_with_sns_and_without_sms_is_told_apart() {
        assert!(sends_sms("eu-central-1") && sends_sms("us-gov-west-1"));
        assert!(!sends_sms("ap-east-1") && !sends_sms("cn-north-1") && !sends_sms("moon-1"));
    }
}
