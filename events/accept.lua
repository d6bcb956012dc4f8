-- Accepts events: duplicate check, journal, and Dramatiq messages, all of it or nothing.
-- KEYS: journal, behaviour, journal:last, behaviour:draining.  Other keys follow from the clock
-- and the queues, so this needs one Redis, not Redis Cluster.
-- ARGV: queue, id and text of a drain message ("" each when no event is behaviour), then per event
--       fingerprint, type, envelope, "1" if behaviour, number of messages, and per message
--       queue, id, text before the journal id, text after it.
-- Gives: for each event + and its journal id, or = and the original's if it is a duplicate; in one
-- text, as clients read one much faster than a list.
local journal, behaviour, last_key, draining = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local DAY_S, DAYS = 86400, 4    -- a duplicate is known for 72 h at least
local DRAIN_WAIT_S = 60         -- after that another drain message may be queued

local clock = redis.call('time')
local now_s = tonumber(clock[1])
local now_ms = now_s * 1000 + math.floor(tonumber(clock[2]) / 1000)
local today = math.floor(now_s / DAY_S)

-- Both streams share one sequence of ids, so that an id names one event. It never goes back.
local ms, seq = now_ms, -1
local last_ms, last_seq = string.match(redis.call('get', last_key) or '', '^(%d+)-(%d+)$')
if last_ms and tonumber(last_ms) >= now_ms then ms, seq = tonumber(last_ms), tonumber(last_seq) end
local last_day = last_ms and math.floor(tonumber(last_ms) / 1000 / DAY_S)
local new_day = last_day ~= today

local seen = {}
for back = 0, DAYS - 1 do seen[back + 1] = string.format('journal:seen:%d', today - back) end
-- The clock may have been set back over midnight.
if last_day and last_day > today then seen[#seen + 1] = string.format('journal:seen:%d', today + 1) end

-- Asked for and noted many at a time: a call for each event is most of what a batch costs.
local MANY = 1000
local fingerprints, place, ends = {}, 3, #ARGV
while place < ends do
  fingerprints[#fingerprints + 1] = ARGV[place + 1]
  place = place + 5 + 4 * tonumber(ARGV[place + 5])
end

local original, fresh = {}, {}
for _, key in ipairs(seen) do
  for first = 1, #fingerprints, MANY do
    local last = math.min(first + MANY - 1, #fingerprints)
    for offset, id in ipairs(redis.call('hmget', key, unpack(fingerprints, first, last))) do
      local fingerprint = fingerprints[first + offset - 1]
      if id and not original[fingerprint] then original[fingerprint] = id end
    end
  end
end

-- What RedisBroker.enqueue leaves: see tests/events/test_dramatiq_contract.py.
local function enqueue(queue, id, text)
  redis.call('hset', 'dramatiq:' .. queue .. '.msgs', id, text)
  redis.call('rpush', 'dramatiq:' .. queue, id)
end

local drain_queue, drain_id, drain_text = ARGV[1], ARGV[2], ARGV[3]
local answer, behaved, at = {}, false, 3
local call, id_begins = redis.call, string.format('%.0f-', ms)

for number, fingerprint in ipairs(fingerprints) do
  local kind, envelope, messages = ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 5])
  local id = original[fingerprint]
  if id then
    answer[number] = '=' .. id
  else
    seq = seq + 1
    id = id_begins .. seq
    answer[number] = '+' .. id
    if messages > 0 then call('xadd', journal, id, 'type', kind, 'event', envelope) end
    if ARGV[at + 4] == '1' then
      call('xadd', behaviour, id, 'type', kind, 'event', envelope)
      behaved = true
    end
    for first = at + 6, at + 2 + 4 * messages, 4 do
      enqueue(ARGV[first], ARGV[first + 1], ARGV[first + 2] .. id .. ARGV[first + 3])
    end
    original[fingerprint] = id
    fresh[#fresh + 1], fresh[#fresh + 2] = fingerprint, id
  end
  at = at + 5 + 4 * messages
end

for first = 1, #fresh, 2 * MANY do
  redis.call('hset', seen[1], unpack(fresh, first, math.min(first + 2 * MANY - 1, #fresh)))
end
if #fresh > 0 then
  redis.call('set', last_key, string.format('%.0f-%.0f', ms, seq))
  if new_day then redis.call('expire', seen[1], DAYS * DAY_S) end
end
-- One drain message waits at most; the mark ends by itself, in case its message got lost.
if behaved and redis.call('set', draining, '1', 'nx', 'ex', DRAIN_WAIT_S) then
  enqueue(drain_queue, drain_id, drain_text)
end
return table.concat(answer, ' ')
