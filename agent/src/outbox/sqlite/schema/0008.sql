-- Earlier versions stored what the carrier said of a failure, which may quote the request with its session token, the
-- phone number or the text. The code stays.
UPDATE message
SET error_detail = 'What the carrier said is no longer kept.'
WHERE error_code IN
    ('carrier_rejected', 'carrier_unauthorized', 'carrier_error', 'carrier_throttled', 'carrier_unavailable', 'outcome_unknown');
