-- What stands before every script.
--
-- KEYS: what is known of the store; the rest. ARGV: the operation; the latest moment that was told;
-- the rest. What is not there is an empty text. Moments and numbers are decimal texts: a number of
-- Lua ends at 53 bits.
local store = KEYS[1]
local GREATEST = '9223372036854775807'

local function less(left, right)
  if #left ~= #right then return #left < #right end
  return left < right
end

local function later(left, right)
  if less(left, right) then return right end
  return left
end

local function text(number) return string.format('%.0f', number) end

-- The sum of two numbers, at most the greatest: digit by digit.
local function add(left, right)
  local digits, carry = {}, 0
  for place = 1, math.max(#left, #right) do
    local sum = carry + (tonumber(left:sub(-place, -place)) or 0)
      + (tonumber(right:sub(-place, -place)) or 0)
    table.insert(digits, 1, tostring(sum % 10))
    carry = math.floor(sum / 10)
  end
  local sum = (carry > 0 and '1' or '') .. table.concat(digits)
  if less(GREATEST, sum) then return GREATEST end
  return sum
end

-- The store's clock: that of the server, and never before what was told already.
local function moment()
  local time = redis.call('TIME')
  local now = text(time[1] * 1000 + math.floor(time[2] / 1000))
  return later(later(now, ARGV[2]), redis.call('HGET', store, 'moment') or '0')
end

-- The arguments from the third on, nothing for those that are empty.
local arguments = {}
for place = 3, #ARGV do
  if ARGV[place] ~= '' then arguments[place - 2] = ARGV[place] end
end

