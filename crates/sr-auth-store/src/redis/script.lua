-- Each operation, as one step of a server that does one after the other.
--
-- KEYS: what is known of the store; what is due; what has changed; who lives; the grant, if there
-- is one.
local due, changes, owners, grant = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
-- Signs of life of processes that are long gone: thirty days, in milliseconds.
local FORGOTTEN_AFTER = 2592000000
-- What stands in a ledger of a token that was put aside.
local PUT_ASIDE = '\8'

local COLUMNS = {
  'renewal', 'generation', 'health', 'not_before', 'unsettled',
  'access_value', 'access_fingerprint', 'access_renew_at', 'access_ends_at',
  'refresh_value', 'refresh_fingerprint', 'refresh_renew_at', 'refresh_ends_at',
  'sibling_from', 'sibling_value', 'sibling_fingerprint', 'sibling_renew_at', 'sibling_ends_at',
  'intent_owner', 'intent_number', 'intent_fingerprint', 'intent_attempt', 'intent_armed_at',
  'intent_quiet', 'refusals_count', 'refusals_status', 'refusals_first_at', 'ledger',
}

local function load()
  local record = {}
  for place, value in ipairs(redis.call('HMGET', grant, unpack(COLUMNS))) do
    record[COLUMNS[place]] = value or nil
  end
  return record.generation and record
end

local function may_present(record)
  return record.health == 'live' or record.health == 'last_leg' or record.health == 'suspect'
end

-- When somebody has to look at a grant though no caller asks.
local function due_at(record)
  if record.renewal == 'repeatable' or not may_present(record) then return nil end
  if record.intent_owner then return add(record.intent_armed_at, record.intent_quiet) end
  if record.refresh_value then return later(record.refresh_renew_at, record.not_before) end
end

-- In the order of their moments, then of their keys.
local function place(at)
  return string.rep('0', 19 - #at) .. at .. grant
end

-- Writes what has changed. Without room, the first write fails, and nothing is written.
local function save(now, before, after)
  local set, del = {}, {}
  for _, column in ipairs(COLUMNS) do
    if after[column] ~= before[column] then
      if after[column] then
        table.insert(set, column)
        table.insert(set, after[column])
      else
        table.insert(del, column)
      end
    end
  end
  redis.call('HSET', store, 'moment', now)
  if #set > 0 then redis.call('HSET', grant, unpack(set)) end
  if #del > 0 then redis.call('HDEL', grant, unpack(del)) end
  local was, is = due_at(before), due_at(after)
  if was ~= is then
    if was then redis.call('ZREM', due, place(was)) end
    if is then redis.call('ZADD', due, 0, place(is)) end
  end
end

-- Tells the others; the key is the last, for it is the longest.
local function tell(record, owner, key)
  redis.call('HINCRBY', store, 'sequence', 1)
  local change = { record.generation, record.health, owner, key }
  redis.call('RPUSH', changes, cmsgpack.pack(change))
  redis.call('LTRIM', changes, -1024, -1)
end

local function note(record, now, event, fingerprint, owner)
  local flags = (fingerprint and 1 or 0) + (owner and 2 or 0)
  local none = string.rep('\0', 16)
  local entry = event .. string.char(flags)
    .. struct.pack('>I8', tonumber(now)) .. struct.pack('>I8', tonumber(record.generation))
    .. (fingerprint or none) .. (owner or none)
  record.ledger = (record.ledger or ''):sub(-750) .. entry
end

local function noted(record, event, fingerprint)
  for at = 1, #record.ledger, 50 do
    local flags = record.ledger:byte(at + 1)
    if record.ledger:sub(at, at) == event and flags % 2 == 1
      and record.ledger:sub(at + 18, at + 33) == fingerprint then return true end
  end
  return false
end

local function copy(record)
  local copied = {}
  for column, value in pairs(record) do copied[column] = value end
  return copied
end

local function settle(record)
  for _, column in ipairs({ 'owner', 'number', 'fingerprint', 'attempt', 'armed_at', 'quiet' }) do
    record['intent_' .. column] = nil
  end
end

local function put(record, of, value, fingerprint, renew_at, ends_at)
  record[of .. '_value'], record[of .. '_fingerprint'] = value, fingerprint
  record[of .. '_renew_at'], record[of .. '_ends_at'] = renew_at, ends_at
end

local function answer(outcome, now, record, seen)
  local told = { outcome, now, seen or false }
  for place, column in ipairs(COLUMNS) do
    told[place + 3] = record and record[column] or false
  end
  return told
end

local operations = {}

function operations.adopt(now, old)
  local key, only_if_missing, event, renewal = unpack(arguments, 1, 4)
  local access, refresh, refresh_ends_at = arguments[6], arguments[10], arguments[12]
  if old then
    local is_same = old.health == 'live' and old.refresh_fingerprint == refresh
      and old.access_fingerprint == access
    local was_adopted = old.refresh_fingerprint ~= refresh and refresh and may_present(old)
      and (noted(old, event, refresh) or noted(old, PUT_ASIDE, refresh))
    if is_same or was_adopted then return answer('Done', now, old) end
    -- What is there may have been given later, and this one told late: a process stood still.
    local outlasts = may_present(old) and refresh and old.refresh_value
      and less(refresh_ends_at, old.refresh_ends_at)
    if only_if_missing == '1' or outlasts then return answer('Moved', now, old) end
  end
  local record = {
    renewal = renewal, generation = add(old and old.generation or '0', '1'), health = 'live',
    not_before = '0', unsettled = '0', refusals_count = '0', refusals_status = '0',
    refusals_first_at = '0', ledger = old and old.ledger,
  }
  put(record, 'access', unpack(arguments, 5, 8))
  put(record, 'refresh', unpack(arguments, 9, 12))
  note(record, now, event, refresh, nil)
  save(now, old or {}, record)
  tell(record, '', key)
  return answer('Done', now, record)
end

function operations.arm(now, old)
  local generation, owner, number, fingerprint, quiet = unpack(arguments, 2, 6)
  local over_owner, over_number, even_if_alive, event = unpack(arguments, 7, 10)
  if not old then return answer('Missing', now) end
  if old.intent_owner == owner and old.intent_number == number then
    return answer('Armed', now, old)
  end
  if old.generation ~= generation then return answer('Moved', now, old) end
  if not may_present(old) then return answer('Ended', now, old) end
  local record = copy(old)
  if old.intent_owner then
    local is_over = old.intent_owner == over_owner and old.intent_number == over_number
    local seen
    if old.intent_owner ~= owner and not (is_over and even_if_alive == '1') then
      seen = redis.call('ZSCORE', owners, old.intent_owner)
      seen = seen and text(seen)
    end
    local quiet_until = add(later(old.intent_armed_at, seen or '0'), old.intent_quiet)
    if not is_over or less(now, quiet_until) then return answer('Busy', now, old, seen) end
  end
  if less(now, old.not_before) then return answer('NotDue', now, old) end
  if old.intent_owner then
    record.unsettled = text(math.min(old.unsettled + 1, 4294967295))
    note(record, now, event, fingerprint, owner)
  end
  record.intent_owner, record.intent_number = owner, number
  record.intent_fingerprint, record.intent_quiet = fingerprint, quiet
  record.intent_attempt = text(math.min(record.unsettled + 1, 4294967295))
  record.intent_armed_at = now
  save(now, old, record)
  redis.call('ZADD', owners, now, owner)
  return answer('Armed', now, record)
end

function operations.bury(now, old)
  local key, generation, owner, health, event, refused = unpack(arguments, 1, 6)
  if not old then return answer('Missing', now) end
  if old.generation ~= generation or old.refresh_fingerprint ~= refused then
    return answer('Moved', now, old)
  end
  if old.health == health then return answer('Done', now, old) end
  if not may_present(old) then return answer('Ended', now, old) end
  local record = copy(old)
  record.health = health
  settle(record)
  note(record, now, event, old.refresh_fingerprint, owner)
  save(now, old, record)
  tell(record, owner, key)
  return answer('Done', now, record)
end

function operations.commit(now, old)
  local key, generation, owner, event = unpack(arguments, 1, 4)
  local access, refresh = arguments[6], arguments[10]
  if not old then return answer('Missing', now) end
  local record = copy(old)
  put(record, 'access', unpack(arguments, 5, 8))
  if refresh then put(record, 'refresh', unpack(arguments, 9, 12)) end
  -- After the restoration of a backup an end may count as the generation that is committed.
  if old.generation ~= generation or old.health == 'disabled' or old.health == 'revoked' then
    local is_ours = old.generation == add(generation, '1') and old.access_fingerprint == access
      and (not refresh or old.refresh_fingerprint == refresh)
    if not is_ours then return answer('Moved', now, old) end
    -- The same tokens, sealed anew perhaps.
    save(now, old, record)
    return answer('Done', now, record)
  end
  local has_successor = refresh or old.renewal == 'repeatable'
  -- The old token stays, and another process is presenting it: its intent stands.
  if not has_successor and old.intent_owner and old.intent_owner ~= owner then
    return answer('Moved', now, old)
  end
  record.health = has_successor and 'live' or 'last_leg'
  record.generation, record.not_before, record.unsettled = add(generation, '1'), '0', '0'
  record.refusals_count, record.refusals_status, record.refusals_first_at = '0', '0', '0'
  settle(record)
  -- A sibling that is promoted is no sibling any more.
  if old.sibling_fingerprint and old.sibling_fingerprint == record.refresh_fingerprint then
    put(record, 'sibling')
    record.sibling_from = nil
  end
  note(record, now, event, record.refresh_fingerprint, owner)
  save(now, old, record)
  tell(record, owner, key)
  return answer('Done', now, record)
end

function operations.disarm(now, old)
  local owner, number, not_before, count, status, first_at = unpack(arguments, 2, 7)
  if not old then return answer('Missing', now) end
  -- Somebody else's intent stays; ours is gone either way.
  if old.intent_owner ~= owner or old.intent_number ~= number then
    return answer('Done', now, old)
  end
  local record = copy(old)
  settle(record)
  record.not_before = later(old.not_before, not_before)
  record.refusals_count, record.refusals_status = count, status
  record.refusals_first_at = first_at
  if count ~= '0' and old.health == 'live' then record.health = 'suspect' end
  save(now, old, record)
  return answer('Done', now, record)
end

function operations.due()
  local until_, limit = arguments[1], arguments[2]
  -- No key has the byte that is greater than all others.
  local last = '[' .. string.rep('0', 19 - #until_) .. until_ .. '\255'
  local found = redis.call('ZRANGEBYLEX', due, '-', last, 'LIMIT', 0, limit)
  -- After the look, so that nothing in the answer is later than the answer.
  return { 'Due', moment(), found }
end

function operations.end_grant(now, old)
  local key, generation, health, event = unpack(arguments, 1, 4)
  if not old then return answer('Missing', now) end
  if old.health == health then return answer('Done', now, old) end
  if generation and old.generation ~= generation then return answer('Moved', now, old) end
  local record = copy(old)
  record.generation, record.health, record.unsettled = add(old.generation, '1'), health, '0'
  put(record, 'access')
  put(record, 'refresh')
  put(record, 'sibling')
  record.sibling_from = nil
  settle(record)
  note(record, now, event, old.refresh_fingerprint, nil)
  save(now, old, record)
  tell(record, '', key)
  return answer('Done', now, record)
end

function operations.escrow(now, old)
  local key, owner, event, from = unpack(arguments, 1, 4)
  local fingerprint, ends_at = arguments[6], arguments[8]
  if not old then return answer('Missing', now) end
  local is_same = old.sibling_from == from and old.sibling_fingerprint == fingerprint
  local is_newer = not old.sibling_from or less(old.sibling_from, from)
    or (old.sibling_from == from and less(old.sibling_ends_at, ends_at))
  if not is_newer and not is_same then return answer('Done', now, old) end
  local record = copy(old)
  record.sibling_from = from
  put(record, 'sibling', unpack(arguments, 5, 8))
  -- The same token may be sealed anew.
  if not is_same then note(record, now, event, fingerprint, owner) end
  save(now, old, record)
  if not is_same then tell(record, owner, key) end
  return answer('Done', now, record)
end

function operations.load(now, old)
  return answer(old and 'Loaded' or 'Missing', now, old)
end

function operations.open()
  redis.call('HSETNX', store, 'identity', arguments[1])
  redis.call('HSETNX', store, 'version', arguments[2])
  return redis.call('HGET', store, 'version')
end

function operations.pulse(now)
  local owner, since, alive, remembered, life = unpack(arguments, 1, 5)
  if alive == '1' then
    redis.call('HSET', store, 'moment', now)
    redis.call('ZADD', owners, now, owner)
    redis.call('ZREMRANGEBYSCORE', owners, '-inf', '(' .. text(now - FORGOTTEN_AFTER))
  end
  local after = now - life
  local lives = redis.call('ZCOUNT', owners, '(' .. text(after), '+inf')
  local own = redis.call('ZSCORE', owners, owner)
  if own and tonumber(own) > after then lives = lives - 1 end
  local known = redis.call('HMGET', store, 'sequence', 'identity')
  local sequence = tonumber(known[1] or '0')
  local kept = math.min(redis.call('LLEN', changes), remembered)
  local first = math.max(tonumber(since) - (sequence - kept), 0)
  local told = {}
  -- Beyond the last one there are none; a range there is no range.
  if first < kept then told = redis.call('LRANGE', changes, text(first - kept), -1) end
  local unpacked = {}
  for place, change in ipairs(told) do
    local generation, health, of, key = unpack(cmsgpack.unpack(change))
    table.insert(unpacked, text(sequence - #told + place))
    table.insert(unpacked, key)
    table.insert(unpacked, generation)
    table.insert(unpacked, health)
    table.insert(unpacked, of)
  end
  return { 'Pulse', now, text(sequence), text(lives), known[2], unpacked }
end

local operation = operations[ARGV[1]]
-- A record is read before the clock.
local old = grant and load() or nil
return operation(moment(), old)
