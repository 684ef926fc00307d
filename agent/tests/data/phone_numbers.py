"""Writes phone_numbers.tsv: what Google's libphonenumber, as ported to Python, says of some nine thousand numbers.

    python3 -m venv venv && venv/bin/pip install phonenumbers==9.0.43 && venv/bin/python phone_numbers.py > phone_numbers.tsv

Numbers are judged as written: `phonenumbers.parse` would drop a trunk prefix (`+49 0 30…`) and so judge another number
than the one that SNS would get, so the parsed form is put together here. Columns: number, answer (`-` cannot exist,
`?` can exist and is not assigned, else the region).
"""

import random

import phonenumbers
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberType,
    ValidationResult,
    example_number_for_non_geo_entity,
    example_number_for_type,
    invalid_example_number,
)

SEED = 20261124
TYPES = [kind for kind in PhoneNumberType.values() if kind != PhoneNumberType.UNKNOWN]
SIMULATOR = [f"1500555000{last}" for last in range(1, 9)] + ["12065550100", "15551234567"]


def calling_code(digits):
    """The calling code that the digits begin with; no code is the beginning of another."""
    return next((int(digits[:n]) for n in (1, 2, 3) if int(digits[:n] or 0) in COUNTRY_CODE_TO_REGION_CODE), None)


def as_written(digits):
    """The number with nothing added and nothing dropped, or None where its calling code is unknown."""
    code = calling_code(digits)
    national = digits[len(str(code)):] if code else ""
    if not national:
        return None
    zeros = min(len(national) - len(national.lstrip("0")), len(national) - 1)
    return PhoneNumber(
        country_code=code,
        national_number=int(national),
        italian_leading_zero=True if zeros else None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


def answer(digits):
    number = as_written(digits)
    if number is None or phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return "-"
    return phonenumbers.region_code_for_number(number) if phonenumbers.is_valid_number(number) else "?"


def digits_of(number):
    return f"{number.country_code}{phonenumbers.national_significant_number(number)}"


def examples():
    """Google's own example of every type for every region, and an example of what is not assigned there."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        yield from (example_number_for_type(region, kind) for kind in TYPES)
        yield invalid_example_number(region)
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        yield example_number_for_non_geo_entity(code)
        metadata = PhoneMetadata.metadata_for_nongeo_region(code, None)
        for desc in (metadata.toll_free, metadata.mobile, metadata.voip, metadata.voicemail, metadata.premium_rate):
            if desc is not None and desc.example_number:
                yield as_written(f"{code}{desc.example_number}")


def numbers(draw):
    known = [digits_of(number) for number in examples() if number is not None]
    yield from SIMULATOR
    yield from known
    # Around what is assigned: one digit missing, one too many, one changed.
    for digits in known:
        at = draw.randrange(len(digits))
        yield draw.choice([digits[:-1], digits + str(draw.randrange(10))])
        yield digits[:at] + str(draw.randrange(10)) + digits[at + 1:]
    # Every calling code with every length, and every beginning whether or not it is a calling code.
    for code in sorted(COUNTRY_CODE_TO_REGION_CODE):
        for length in range(1, 15 - len(str(code)) + 1):
            yield str(code) + "".join(draw.choices("0123456789", k=length))
    for beginning in range(1, 1000):
        yield str(beginning) + "".join(draw.choices("0123456789", k=draw.randrange(4, 13)))
    # A region whose example is another's number as well, by the order of regions, is looked for.
    for region in sorted(phonenumbers.SUPPORTED_REGIONS - {answer(digits) for digits in known}):
        example = digits_of(example_number_for_type(region, PhoneNumberType.FIXED_LINE))
        code = str(calling_code(example))
        for _ in range(20_000):
            digits = code + "".join(draw.choices("0123456789", k=len(example) - len(code)))
            if answer(digits) == region:
                yield digits
                break
    # The plans that several countries share, drawn densely: their area codes tell the country.
    for shared in sorted(code for code, regions in COUNTRY_CODE_TO_REGION_CODE.items() if len(regions) > 1):
        lengths = sorted(set(len(digits) for digits in known if calling_code(digits) == shared))
        for _ in range(400 if shared in (1, 7, 44) else 60):
            yield str(shared) + "".join(draw.choices("0123456789", k=draw.choice(lengths) - len(str(shared))))


def main():
    print(f"# phonenumbers {phonenumbers.__version__}, Python, seed {SEED}")
    chosen = {digits for digits in numbers(random.Random(SEED)) if digits[0] != "0" and len(digits) <= 15}
    for digits in sorted(chosen):
        print(f"+{digits}\t{answer(digits)}")


main()
