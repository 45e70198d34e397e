-- Each operation on integrations, as one step of a server that does one after the other.
--
-- KEYS: what is known of the store; the records by company; the companies with anything that has
-- not ended, and those with an attempt; the owners of clients by digest; tokens by digest, by their
-- ends, and the digests of each owner; refusals by party, and by their ends; what has changed.
local records, open, attempts, clients = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local tokens, ends, issued = KEYS[6], KEYS[7], KEYS[8]
local refusals, refusal_ends, changes = KEYS[9], KEYS[10], KEYS[11]

-- What attempts and integrations have in common, the attempt's alone, the integration's alone, the
-- rest.
local SHARED = {
  'generation', 'id', 'tenant', 'client_id', 'scopes', 'secret', 'given_id', 'given_integration',
  'given_secret',
}
local OF_ATTEMPT = {
  'exchange', 'begun_at', 'used_at', 'phase', 'at', 'posts', 'quiet_until', 'until',
}
local OF_LIVE = { 'bound_at', 'verified' }
local OF_COMPANY = { 'ended_at', 'ended_cause', 'ended_generation', 'ledger' }

local COLUMNS = { 'generation' }
for _, column in ipairs(SHARED) do table.insert(COLUMNS, 'attempt_' .. column) end
for _, column in ipairs(OF_ATTEMPT) do table.insert(COLUMNS, 'attempt_' .. column) end
for _, column in ipairs(SHARED) do table.insert(COLUMNS, 'live_' .. column) end
for _, column in ipairs(OF_LIVE) do table.insert(COLUMNS, 'live_' .. column) end
for _, column in ipairs(OF_COMPANY) do table.insert(COLUMNS, column) end

-- What is to be written, once nothing can go wrong any more: without room, the first write fails,
-- and nothing is written.
local writes = {}

local function write(...) table.insert(writes, { ... }) end

-- What is there of a company is sorted as application and company are: no id has a space, which
-- comes before all that ids are made of.
local function key_of(app, company) return app .. ' ' .. company end

local function key_parts(key) return key:match('^(%S+) (%S+)$') end

local function owner_of(key, generation) return generation .. ' ' .. key end

-- Returns the record of a company, if it can be read.
local function load(key)
  local packed = redis.call('HGET', records, key)
  if not packed then return nil end
  local is_readable, record = pcall(cmsgpack.unpack, packed)
  if is_readable and type(record) == 'table' and record.generation and record.ledger then
    return record
  end
  return nil, true
end

-- The same, where it has to be readable.
local function read(key)
  local record, is_damaged = load(key)
  if is_damaged then error('the record cannot be read') end
  return record
end

local function save(key, record)
  write('HSET', records, key, cmsgpack.pack(record))
  if record.attempt_generation then
    write('ZADD', attempts, 0, key)
  else
    write('ZREM', attempts, key)
  end
  if record.attempt_generation or record.live_generation then
    write('ZADD', open, 0, key)
  else
    write('ZREM', open, key)
  end
end

local function tell(key, record)
  write('HINCRBY', store, 'partner_sequence', 1)
  write('RPUSH', changes, (record.live_generation or '') .. ' ' .. key)
  write('LTRIM', changes, -1024, -1)
end

-- Adds an entry to a ledger, of which the newest sixteen are kept.
local function note(record, now, event, generation, tenant)
  table.insert(record.ledger, event .. struct.pack('>I8', tonumber(now))
    .. struct.pack('>I8', tonumber(generation)) .. tenant)
  if #record.ledger > 16 then table.remove(record.ledger, 1) end
end

-- Tells whether the client of a generation may get tokens, and use them.
local function admits(record, now, generation)
  if record.live_generation == generation then return record.live_client ~= nil end
  if record.attempt_generation ~= generation or not record.attempt_client then return false end
  return record.attempt_phase == 'integrated'
    or record.attempt_phase == 'posting' and less(now, record.attempt_until)
end

-- In the order of their moments, then of what follows.
local function place(at, rest) return string.rep('0', 19 - #at) .. at .. rest end

local function token_of(digest)
  local packed = redis.call('HGET', tokens, digest)
  if not packed then return nil end
  local token = {}
  token.key, token.generation, token.expires_at, token.scopes, token.tenant =
    unpack(cmsgpack.unpack(packed))
  return token
end

-- The digests of an owner, as they are after this operation; the oldest first.
local lists = {}

local function list_of(owner)
  if not lists[owner] then
    local kept, list = redis.call('HGET', issued, owner) or '', {}
    for at = 1, #kept, 32 do table.insert(list, kept:sub(at, at + 31)) end
    lists[owner] = list
  end
  return lists[owner]
end

local function write_lists()
  for owner, list in pairs(lists) do
    if #list > 0 then
      write('HSET', issued, owner, table.concat(list))
    else
      write('HDEL', issued, owner)
    end
  end
end

local function unlist(owner, digest)
  local list = list_of(owner)
  for at = #list, 1, -1 do
    if list[at] == digest then table.remove(list, at) end
  end
end

local function forget(digest)
  local token = token_of(digest)
  if not token then return end
  unlist(owner_of(token.key, token.generation), digest)
  write('HDEL', tokens, digest)
  write('ZREM', ends, place(token.expires_at, digest))
end

local function forget_all(key, generation)
  local owner = owner_of(key, generation)
  for _, digest in ipairs({ unpack(list_of(owner)) }) do forget(digest) end
  lists[owner] = {}
end

-- No more tokens for the client of what an attempt or an integration was.
local function retire(record, of)
  local client = record[of .. 'client']
  if client then write('HDEL', clients, client) end
  record[of .. 'client'] = nil
end

-- Leaves no attempt. Its client goes with it, unless it has gone on to the integration.
local function settle(record)
  for _, column in ipairs(SHARED) do record['attempt_' .. column] = nil end
  for _, column in ipairs(OF_ATTEMPT) do record['attempt_' .. column] = nil end
  record.attempt_client = nil
end

-- Ends what there is of a record, or only what is of one generation; says whether there was any.
local function finish(now, key, record, only, cause, event, keeps_tokens)
  local has_ended = false
  local function ends_as(generation, tenant)
    note(record, now, event, generation, tenant)
    record.ended_at, record.ended_cause, record.ended_generation = now, cause, generation
    if keeps_tokens ~= '1' then forget_all(key, generation) end
    has_ended = true
  end
  local attempt, live = record.attempt_generation, record.live_generation
  if attempt and attempt == (only or attempt) then
    ends_as(attempt, record.attempt_tenant)
    retire(record, 'attempt_')
    settle(record)
  end
  if live and live == (only or live) then
    ends_as(live, record.live_tenant)
    retire(record, 'live_')
    for _, column in ipairs(SHARED) do record['live_' .. column] = nil end
    for _, column in ipairs(OF_LIVE) do record['live_' .. column] = nil end
  end
  if has_ended then
    save(key, record)
    tell(key, record)
  end
  return record
end

-- Instead of a record that cannot be read, one of a company whose integrations have ended. Each
-- attempt was a change, so no generation is greater than there are changes.
local function damaged(now, key, cause)
  local generation = redis.call('HGET', store, 'partner_sequence') or '0'
  local record = { generation = generation, ledger = {}, ended_at = now, ended_cause = cause,
    ended_generation = generation }
  save(key, record)
  tell(key, record)
  return record
end

local function answer(outcome, now, record, until_)
  local told = { outcome, now, until_ or false }
  for at, column in ipairs(COLUMNS) do told[at + 3] = record and record[column] or false end
  return told
end

local function told_token(outcome, now, token)
  if not token then return { outcome, now } end
  local app, company = key_parts(token.key)
  return { outcome, now, app, company, token.generation, token.expires_at, token.scopes,
    token.tenant }
end

local operations = {}

function operations.partner_activate()
  local app, company, id, verified, event = unpack(arguments, 1, 5)
  local key = key_of(app, company)
  local record, now = read(key), moment()
  if not record then return answer('Missing', now) end
  if record.live_id == id then return answer('Done', now, record) end
  if record.attempt_id ~= id or record.attempt_phase ~= 'integrated' then
    return answer('Superseded', now, record)
  end
  retire(record, 'live_')
  for _, column in ipairs(SHARED) do record['live_' .. column] = record['attempt_' .. column] end
  record.live_client = record.attempt_client
  record.live_bound_at, record.live_verified = now, verified
  note(record, now, event, record.live_generation, record.live_tenant)
  settle(record)
  save(key, record)
  tell(key, record)
  return answer('Done', now, record)
end

function operations.partner_arm()
  local app, company, id, exchange, post, quiet, provisional, event = unpack(arguments, 1, 8)
  local key = key_of(app, company)
  local record, now = read(key), moment()
  if not record then return answer('Missing', now) end
  local announced = record.attempt_posts or '0'
  if record.attempt_id ~= id or record.attempt_exchange ~= exchange
    or record.attempt_phase == 'integrated' or less(post, announced) then
    return answer('Superseded', now, record)
  end
  -- An offer that is repeated is sent later: its quiet period begins anew.
  record.attempt_phase, record.attempt_at, record.attempt_posts = 'posting', now, post
  record.attempt_quiet_until, record.attempt_until = add(now, quiet), add(now, provisional)
  if less(announced, post) then
    note(record, now, event, record.attempt_generation, record.attempt_tenant)
  end
  save(key, record)
  tell(key, record)
  return answer('Done', now, record)
end

function operations.partner_begin()
  local app, company, id, exchange, tenant, rebind, seen, prepared_for = unpack(arguments, 1, 8)
  local client, client_id, scopes, secret, voided, begun = unpack(arguments, 9, 14)
  local key = key_of(app, company)
  local record, now = read(key) or { generation = '0', ledger = {} }, moment()
  if record.attempt_id == id then
    return answer(record.attempt_exchange == exchange and 'Done' or 'Taken', now, record)
  end
  if record.live_id == id then return answer('Taken', now, record) end
  if record.generation ~= seen then return answer('Moved', now, record) end
  local elsewhere = record.live_tenant
  if elsewhere and elsewhere ~= tenant and elsewhere ~= rebind then
    return answer('BoundElsewhere', now, record)
  end
  if record.attempt_generation then
    local until_ = record.attempt_until
    if record.attempt_tenant == tenant then
      if record.attempt_phase == 'integrated' then until_ = '0' end
      if record.attempt_phase == 'posting' and less(record.attempt_quiet_until, until_) then
        until_ = record.attempt_quiet_until
      end
    end
    if less(now, until_) then return answer('Busy', now, record, until_) end
    forget_all(key, record.attempt_generation)
    note(record, now, voided, record.attempt_generation, record.attempt_tenant)
    retire(record, 'attempt_')
    settle(record)
  end
  record.generation = add(record.generation, '1')
  record.attempt_generation, record.attempt_id = record.generation, id
  record.attempt_tenant, record.attempt_exchange, record.attempt_begun_at = tenant, exchange, now
  record.attempt_client, record.attempt_client_id = client, client_id
  record.attempt_scopes, record.attempt_secret = scopes, secret
  record.attempt_phase, record.attempt_until = 'prepared', add(now, prepared_for)
  note(record, now, begun, record.generation, tenant)
  save(key, record)
  if client then write('HSET', clients, client, owner_of(key, record.generation)) end
  tell(key, record)
  return answer('Done', now, record)
end

function operations.partner_commit()
  local app, company, id, generation, confirm_within = unpack(arguments, 1, 5)
  local given_id, given_integration, given_secret, event = unpack(arguments, 6, 9)
  local key = key_of(app, company)
  local record, now = read(key), moment()
  if not record then return answer('Missing', now) end
  if record.live_id == id then
    -- The seal of the secret would not open under another generation.
    if record.live_generation == generation and record.live_given_id == given_id then
      record.live_given_secret = given_secret
      save(key, record)
    end
    return answer('Done', now, record)
  end
  if record.attempt_id ~= id or record.attempt_generation ~= generation then
    return answer('Superseded', now, record)
  end
  if record.attempt_phase == 'integrated' and record.attempt_given_id == given_id then
    -- The answer was lost, and the same credentials are offered again.
    record.attempt_given_secret = given_secret
    save(key, record)
    return answer('Done', now, record)
  end
  -- A late answer to an earlier request of the same attempt: the newer one counts.
  record.attempt_phase, record.attempt_at, record.attempt_posts = 'integrated', now, nil
  record.attempt_quiet_until, record.attempt_until = nil, add(now, confirm_within)
  record.attempt_given_id, record.attempt_given_integration = given_id, given_integration
  record.attempt_given_secret = given_secret
  note(record, now, event, generation, record.attempt_tenant)
  save(key, record)
  tell(key, record)
  return answer('Done', now, record)
end

-- The order of places, byte by byte: that of texts is the server's language.
local function is_before(left, right)
  for at = 1, math.min(#left, #right) do
    if left:byte(at) ~= right:byte(at) then return left:byte(at) < right:byte(at) end
  end
  return #left < #right
end

function operations.partner_count_refusal()
  local client, source, span, limit = unpack(arguments, 1, 4)
  local parties, held = { '0' .. client }, redis.call('HLEN', refusals)
  if source then table.insert(parties, '1' .. source) end
  local count, at = {}, {}
  for _, party in ipairs(parties) do
    local packed = redis.call('HGET', refusals, party)
    if packed then count[party], at[party] = unpack(cmsgpack.unpack(packed)) end
  end
  -- Those of which one may have to go.
  local first = {}
  for _, found in ipairs(redis.call('ZRANGE', refusal_ends, 0, 3)) do first[found] = true end
  local now = moment()
  for _, party in ipairs(parties) do
    if at[party] and less(now, at[party]) then
      count[party] = text(math.min(count[party] + 1, 4294967295))
    else
      local gone = at[party] and place(at[party], party)
      if not gone and held >= tonumber(limit) then
        -- The one that is over first counts least.
        for found in pairs(first) do
          if not gone or is_before(found, gone) then gone = found end
        end
        write('HDEL', refusals, gone:sub(20))
        at[gone:sub(20)] = nil
      elseif not gone then
        held = held + 1
      end
      if gone then
        write('ZREM', refusal_ends, gone)
        first[gone] = nil
      end
      count[party], at[party] = '1', add(now, span)
      write('ZADD', refusal_ends, 0, place(at[party], party))
      first[place(at[party], party)] = true
    end
    write('HSET', refusals, party, cmsgpack.pack({ count[party], at[party] }))
  end
  return { 'Counted', now }
end

function operations.partner_disable()
  local digest, cause, event = unpack(arguments, 1, 3)
  local token = token_of(digest)
  local record = token and read(token.key)
  local now = moment()
  if not record or not less(now, token.expires_at) then return told_token('Foreign', now) end
  local outcome = 'Stale'
  if token.generation == record.attempt_generation or token.generation == record.live_generation then
    outcome = 'Ended'
    finish(now, token.key, record, token.generation, cause, event, '1')
  elseif token.generation == record.ended_generation then
    outcome = 'AlreadyEnded'
  end
  return told_token(outcome, now, token)
end

function operations.partner_end()
  local app, company, only, cause, event, keeps_tokens = unpack(arguments, 1, 6)
  local key = key_of(app, company)
  local record, is_damaged = load(key)
  local now = moment()
  if is_damaged and not only then return answer('Done', now, damaged(now, key, cause)) end
  if is_damaged then read(key) end
  if not record then return answer('Missing', now) end
  return answer('Done', now, finish(now, key, record, only, cause, event, keeps_tokens))
end

function operations.partner_end_all()
  local cause, event, keeps_tokens = unpack(arguments, 1, 3)
  local keys = redis.call('ZRANGE', open, 0, -1)
  local now = moment()
  for _, key in ipairs(keys) do
    local record = load(key)
    if record then
      finish(now, key, record, nil, cause, event, keeps_tokens)
    else
      -- What cannot be read must not keep the others alive.
      damaged(now, key, cause)
    end
  end
  return { 'AllEnded', now, text(#keys) }
end

function operations.partner_find_client()
  local client, source, per_client, per_source = unpack(arguments, 1, 4)
  local owner = redis.call('HGET', clients, client)
  local generation, key
  if owner then generation, key = owner:match('^(%d+) (.+)$') end
  local record = key and read(key)
  local counted = { redis.call('HGET', refusals, '0' .. client) }
  counted[2] = source and redis.call('HGET', refusals, '1' .. source)
  local now, limits, until_ = moment(), { per_client, per_source }, nil
  for at, packed in pairs(counted) do
    local count, ends_at = '0', '0'
    if packed then count, ends_at = unpack(cmsgpack.unpack(packed)) end
    if less(now, ends_at) and not less(count, limits[at]) then
      until_ = later(until_ or '0', ends_at)
    end
  end
  if until_ then return { 'Throttled', now, until_ } end
  if not record or not admits(record, now, generation) then return { 'Missing', now, false } end
  local of = record.live_generation == generation and 'live_' or 'attempt_'
  local app, company = key_parts(key)
  return { 'Client', now, false, app, company, generation, record[of .. 'scopes'] or '',
    record[of .. 'secret'] }
end

function operations.partner_identify()
  local token = token_of(arguments[1])
  local record = token and read(token.key)
  local now = moment()
  if not record or not less(now, token.expires_at) then return told_token('Foreign', now) end
  local is_current = admits(record, now, token.generation)
  return told_token(is_current and 'Current' or 'Past', now, token)
end

function operations.partner_issue()
  local client, generation, life, digest, limit = unpack(arguments, 1, 5)
  local owner = redis.call('HGET', clients, client)
  local of, key
  if owner then of, key = owner:match('^(%d+) (.+)$') end
  local record = of == generation and read(key)
  local now = moment()
  if not record or not admits(record, now, generation) then return { 'Missing', now } end
  local expires_at, of_part = add(now, life), 'live_'
  if record.live_generation ~= generation then
    of_part = 'attempt_'
    if not record.attempt_used_at then
      record.attempt_used_at = now
      save(key, record)
    end
  end
  -- What is over goes: all that is this client's, and some of the others.
  local over = redis.call('ZRANGEBYLEX', ends, '-', '[' .. place(now, '\255'), 'LIMIT', 0, 256)
  for _, ended in ipairs(over) do forget(ended:sub(20)) end
  for _, own in ipairs({ unpack(list_of(owner)) }) do
    local token = token_of(own)
    if not token or not less(now, token.expires_at) then
      forget(own)
      unlist(owner, own)
    end
  end
  -- One that is kept again keeps its place.
  local was = token_of(digest)
  if was then write('ZREM', ends, place(was.expires_at, digest)) end
  if was and owner_of(was.key, was.generation) ~= owner then
    unlist(owner_of(was.key, was.generation), digest)
  end
  local list, is_listed = list_of(owner), false
  for _, own in ipairs(list) do is_listed = is_listed or own == digest end
  if not is_listed then table.insert(list, digest) end
  if #list > tonumber(limit) then forget(list[1]) end
  write('HSET', tokens, digest, cmsgpack.pack({
    key, generation, expires_at, record[of_part .. 'scopes'] or '', record[of_part .. 'tenant'],
  }))
  write('ZADD', ends, 0, place(expires_at, digest))
  return { 'Issued', now, expires_at }
end

function operations.partner_load()
  local app, company = unpack(arguments, 1, 2)
  local record = read(key_of(app, company))
  return answer(record and 'Loaded' or 'Missing', moment(), record)
end

function operations.partner_pulse()
  local since, remembered = unpack(arguments, 1, 2)
  local known = redis.call('HMGET', store, 'partner_sequence', 'identity')
  local sequence = tonumber(known[1] or '0')
  local kept = math.min(redis.call('LLEN', changes), remembered)
  local first = math.max(tonumber(since) - (sequence - kept), 0)
  local told = {}
  -- Beyond the last one there are none; a range there is no range.
  if first < kept then told = redis.call('LRANGE', changes, text(first - kept), -1) end
  local apps, companies, lives = {}, {}, {}
  for at, change in ipairs(told) do
    local live, key = change:match('^(%d*) (.+)$')
    apps[at], companies[at] = key_parts(key)
    lives[at] = live ~= '' and live
  end
  return { 'News', moment(), text(sequence), known[2], apps, companies, lives }
end

function operations.partner_unsettled()
  local apps, companies = {}, {}
  for at, key in ipairs(redis.call('ZRANGEBYLEX', attempts, '-', '+', 'LIMIT', 0, arguments[1])) do
    apps[at], companies[at] = key_parts(key)
  end
  return { 'Keys', moment(), apps, companies }
end

function operations.partner_void()
  local app, company, id, event = unpack(arguments, 1, 4)
  local key = key_of(app, company)
  local record, now = read(key), moment()
  if not record then return answer('Missing', now) end
  if record.attempt_id ~= id then return answer('Done', now, record) end
  note(record, now, event, record.attempt_generation, record.attempt_tenant)
  forget_all(key, record.attempt_generation)
  retire(record, 'attempt_')
  settle(record)
  save(key, record)
  tell(key, record)
  return answer('Done', now, record)
end

local told = operations[ARGV[1]]()
write_lists()
if #writes > 0 then
  -- A moment that was told with a change is not gone back behind.
  redis.call('HSET', store, 'moment', told[2])
  for _, command in ipairs(writes) do redis.call(unpack(command)) end
end
return told
