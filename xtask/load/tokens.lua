-- Asks for tokens with the bodies of a file, one after the other, and says how that went.

local requests = {}
local at = 0

function init(args)
  local form = { ["Content-Type"] = "application/x-www-form-urlencoded" }
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, form, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  print("rate " .. math.floor(summary.requests * 1000000 / summary.duration))
  print("p50 " .. math.floor(latency:percentile(50)))
  print("p99 " .. math.floor(latency:percentile(99)))
  print("failed " .. errors.status + errors.connect + errors.read + errors.write + errors.timeout)
end
