-- wrk's part: each call sends one SMS to another of 10,000 numbers, to the agent or, with LOAD=mock, straight to the
-- mock of SNS; with LOAD=batch, a hundred of them. What came of it goes out as one line of JSON; times are in microseconds.
local text = "Your code is 123456"
local sent = 0
wrk.method = "POST"

local form
if os.getenv("LOAD") == "mock" then
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  form = "Action=Publish&Version=2010-03-31&PhoneNumber=%%2B1206555%04d&Message=" .. text:gsub(" ", "+")
else
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
  if os.getenv("LOAD") == "durable" then wrk.headers["Prefer"] = "respond-async" end
  form = '{"to":"+1206555%04d","body":"' .. text .. '"}'
end

-- Made beforehand: what is measured is not how fast a hundred messages are written here.
local batches = {}
if os.getenv("LOAD") == "batch" then
  for first = 0, 9900, 100 do
    local items = {}
    for offset = 0, 99 do items[#items + 1] = form:format(first + offset) end
    batches[#batches + 1] = '{"messages":[' .. table.concat(items, ",") .. ']}'
  end
end

function request()
  if #batches > 0 then
    sent = sent % #batches + 1
    return wrk.format(nil, wrk.path .. "/batch", nil, batches[sent])
  end
  sent = (sent + 1) % 10000
  return wrk.format(nil, nil, nil, form:format(sent))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(('\n{"answers":%d,"seconds":%f,"refused":%d,"broken":%d,"p50":%d,"p99":%d}\n'):format(
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50), latency:percentile(99)))
end
