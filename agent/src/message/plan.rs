//! Numbering plans: which numbers can exist, which are assigned, and to which country.
//!
//! In flow the digits of a number without its plus sign; out flow its calling code, the lengths that are possible and
//! its region. The plans are Google's libphonenumber metadata, cut down by `plans.py` to what these questions need,
//! and the answers are Google's own (`agent/adr/0001-phone-number-metadata.md`). A pattern is compiled when a number
//! first needs it, so that a process pays for the countries that it sends to.

use std::fmt;
use std::sync::{LazyLock, OnceLock};

use regex_lite::Regex;

static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| include_str!("plans.tsv").lines().filter_map(read).collect());

/// What plans call a region that is no country: satellite phones, international freephone.
const NO_COUNTRY: &str = "001";

/// A number taken apart at the end of its calling code.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) calling_code: &'a str,
    national: &'a str,
    /// Of the region that the calling code is first of all.
    main: &'static Plan,
    /// Of every region that shares the calling code, the main one first.
    plans: &'static [Plan],
}

impl<'a> Parts<'a> {
    /// Finds the calling code that the digits begin with; none is the beginning of another.
    pub(super) fn of(digits: &'a str) -> Option<Self> {
        (1..=3).find_map(|length| {
            let (calling_code, national) = digits.split_at_checked(length)?;
            let plans = plans_of(calling_code.parse().ok()?);
            plans.first().map(|main| Self { calling_code, national, main, plans })
        })
    }

    /// How long the rest of the number may be, as the main region has it.
    pub(super) fn lengths(&self) -> Lengths {
        self.main.lengths
    }

    /// Whether the rest of the number has one of those lengths.
    pub(super) fn is_possible(&self) -> bool {
        self.lengths().contain(self.national)
    }

    /// The region whose plan assigns the number. Where regions share a calling code, the first digits settle which one
    /// it is, whether or not that region assigns the number; a region without such digits has whatever it assigns.
    pub(super) fn region(&self) -> Option<&'static str> {
        let plan = self.plans.iter().find(|plan| match &plan.leading {
            Some(leading) => leading.matches(self.national),
            None => plan.assigns(self.national),
        })?;
        (plan.leading.is_none() || plan.assigns(self.national)).then_some(plan.region)
    }

    /// The country whose plan assigns the number, if it is a country's.
    pub(super) fn country(&self) -> Option<&'static str> {
        self.region().filter(|&region| region != NO_COUNTRY)
    }
}

/// The lengths that a number may have after its calling code: bit `n` stands for `n` digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lengths(u32);

impl Lengths {
    fn contain(self, national: &str) -> bool {
        u32::try_from(national.len()).is_ok_and(|length| self.0.checked_shr(length).unwrap_or(0) & 1 == 1)
    }
}

/// `7, 9 or 10`.
impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths: Vec<u32> = (0..u32::BITS).filter(|&length| self.0 >> length & 1 == 1).collect();
        for (index, length) in lengths.iter().enumerate() {
            let before = match lengths.len() - index {
                _ if index == 0 => "",
                1 => " or ",
                _ => ", ",
            };
            write!(f, "{before}{length}")?;
        }
        Ok(())
    }
}

struct Plan {
    calling_code: u16,
    region: &'static str,
    lengths: Lengths,
    leading: Option<Pattern>,
    general: Pattern,
    types: Pattern,
}

impl Plan {
    fn assigns(&self, national: &str) -> bool {
        self.lengths.contain(national) && self.general.matches(national) && self.types.matches(national)
    }
}

/// What the digits of a number look like.
struct Pattern {
    written: &'static str,
    /// What ends the expression: nothing, or `$` where no more digits may follow.
    end: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    fn beginning(written: &'static str) -> Self {
        Self { written, end: "", compiled: OnceLock::new() }
    }

    fn whole(written: &'static str) -> Self {
        Self { written, end: "$", compiled: OnceLock::new() }
    }

    /// A test compiles every pattern there is, so that none fails here.
    fn compiled(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Regex::new(&format!("^(?:{}){}", self.written, self.end)).ok()).as_ref()
    }

    fn matches(&self, national: &str) -> bool {
        self.compiled().is_some_and(|regex| regex.is_match(national))
    }
}

fn plans_of(calling_code: u16) -> &'static [Plan] {
    let first = PLANS.partition_point(|plan| plan.calling_code < calling_code);
    let end = PLANS.partition_point(|plan| plan.calling_code <= calling_code);
    PLANS.get(first..end).unwrap_or_default()
}

/// One line of `plans.tsv`; its columns are explained in `plans.py`.
fn read(line: &'static str) -> Option<Plan> {
    let mut columns = line.split('\t');
    let mut next = || columns.next();
    Some(Plan {
        calling_code: next()?.parse().ok()?,
        region: next()?,
        lengths: Lengths(
            next()?.split(',').filter_map(|length| length.parse::<u32>().ok()).fold(0, |all, n| all | 1 << n),
        ),
        leading: next().filter(|digits| !digits.is_empty()).map(Pattern::beginning),
        general: Pattern::whole(next()?),
        types: Pattern::whole(next()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_plan_and_every_pattern_compiles() {
        let lines = include_str!("plans.tsv").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(PLANS.len(), lines);
        for plan in PLANS.iter() {
            let patterns = [Some(&plan.general), Some(&plan.types), plan.leading.as_ref()];
            assert!(patterns.into_iter().flatten().all(|pattern| pattern.compiled().is_some()), "{}", plan.region);
            assert_ne!(plan.lengths, Lengths(0), "{}", plan.region);
        }
    }

    #[test]
    fn the_plans_are_as_the_search_needs_them() {
        assert!(PLANS.is_sorted_by_key(|plan| plan.calling_code));
        let shared = |plan: &Plan| plans_of(plan.calling_code).len() > 1;
        assert!(PLANS.iter().all(|plan| plan.leading.is_none() || shared(plan)), "first digits settle nothing alone");
    }

    #[test]
    fn lengths_read_as_a_person_would_say_them() {
        let said = [1 << 10, 1 << 9 | 1 << 10, 1 << 7 | 1 << 9 | 1 << 10].map(|bits| Lengths(bits).to_string());
        assert_eq!(said, ["10", "9 or 10", "7, 9 or 10"]);
    }
}
