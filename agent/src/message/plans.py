"""Writes plans.tsv: of Google's libphonenumber metadata, what tells whether a number can exist, is assigned, and where.

    python3 -m venv venv && venv/bin/pip install phonenumbers==9.0.43 && venv/bin/python plans.py > plans.tsv

A line is the numbering plan of one region: calling code, region (`001`: no country), the lengths that a national number
may have, the digits it begins with where a calling code is shared, what every number there looks like, and what the
numbers of all types look like. The first line of a calling code is its main region. Then write the numbers of
tests/data/phone_numbers.tsv anew, with the same version.
"""

import re._parser as sre

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

TYPES = [
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
]


def widths(parsed):
    """The lengths of all that a parsed pattern matches."""
    total = {0}
    for kind, value in parsed:
        match kind:
            case sre.LITERAL | sre.IN:
                own = {1}
            case sre.SUBPATTERN:
                own = widths(value[3])
            case sre.BRANCH:
                own = set().union(*(widths(branch) for branch in value[1]))
            case sre.MAX_REPEAT:
                least, most, once = value[0], value[1], widths(value[2])
                own = step = {0}
                own = set() if least else {0}
                for count in range(1, most + 1):
                    step = {a + b for a in step for b in once}
                    own |= step if count >= least else set()
            case _:
                raise ValueError(f"{kind} in a pattern: plan.rs and this script know nothing of it")
        total = {a + b for a in total for b in own}
    return total


def patterns(metadata):
    for name in TYPES:
        desc = getattr(metadata, name)
        if desc is None or not desc.national_number_pattern:
            continue
        # Google checks a type's lengths and its pattern. One check does where the pattern allows no other lengths.
        lengths = set(desc.possible_length or metadata.general_desc.possible_length)
        extra = widths(sre.parse(desc.national_number_pattern)) - lengths
        if extra:
            raise ValueError(f"{metadata.id} {name}: the pattern allows lengths {extra} that the type does not")
        yield desc.national_number_pattern


def main():
    print(f"# Google libphonenumber metadata {phonenumbers.__version__}, Apache-2.0, written by plans.py")
    for code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items()):
        for region in regions:
            if region == "001":
                metadata = PhoneMetadata.metadata_for_nongeo_region(code)
            else:
                metadata = PhoneMetadata.metadata_for_region(region)
            general = metadata.general_desc
            print(
                code,
                region,
                ",".join(map(str, general.possible_length)),
                metadata.leading_digits or "",
                general.national_number_pattern,
                "|".join(dict.fromkeys(patterns(metadata))),
                sep="\t",
            )


main()
