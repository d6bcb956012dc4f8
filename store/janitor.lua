-- Bring back what dead workers held, and make dead letters of messages that kill workers.
-- A worker is dead when its heartbeat stood still for ARGV[2] ms while somebody watched. Its
-- own clock is never read: a skewed one neither saves nor kills it. After a gap in watching,
-- as after an outage of Redis, watching starts anew: the workers get time to come back. So it does
-- when this clock was set back, as `since` would lie ahead.
-- KEYS: heartbeats, watch, deaths, why
-- ARGV: namespace, silence in ms, deaths that make a dead letter, queues ...
-- Returns {dead workers, messages brought back, dead letters made}.
local heartbeats, watch, deaths, why = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ns, silence_ms, max_deaths = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('time')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local swept_at = tonumber(redis.call('hget', watch, 'swept_at') or 0)
local watched = swept_at <= now and now - swept_at <= silence_ms / 2
local gone, back, buried = 0, 0, 0

local function is_dead(worker, heartbeat)
  local seen = redis.call('hget', watch, worker)
  local seen_heartbeat, since = string.match(seen or '', '^(%S+) (%S+)$')
  if watched and seen_heartbeat == heartbeat then return now - tonumber(since) >= silence_ms end
  -- It beat after the last sweep, if anybody watched then: count its silence from there.
  local since = watched and swept_at or now
  redis.call('hset', watch, worker, heartbeat .. ' ' .. string.format('%.0f', since))
  return false
end

local function bury(queue, id, message, count)
  redis.call('zadd', ns .. ':' .. queue .. '.XQ', now, id)
  redis.call('hset', ns .. ':' .. queue .. '.XQ.msgs', id, message)
  redis.call('hset', why, id, cjson.encode({
    reason = count .. ' workers died on it', error = '', retries = 0, deaths = count,
  }))
  redis.call('hdel', ns .. ':' .. queue .. '.msgs', id)
  redis.call('hdel', deaths, id)
  buried = buried + 1
end

-- The head of the line for what was interrupted, twice even, which chance may do; its end for what
-- more workers died on: many such must not keep the others waiting, restart after restart.
local function bring_back(name, id, count)
  redis.call(count > 2 and 'rpush' or 'lpush', ns .. ':' .. name, id)
  back = back + 1
end

local function empty(worker, queue, name, ran)
  local held = ns .. ':__acks__.' .. worker .. '.' .. name
  local ids = redis.call('smembers', held)
  -- What ran comes last, so that it stands before what was merely fetched.
  table.sort(ids, function(a, b) return not ran[a] and ran[b] or false end)
  for _, id in ipairs(ids) do
    local message = redis.call('hget', ns .. ':' .. name .. '.msgs', id)
    if message then
      local count = ran[id] and redis.call('hincrby', deaths, id, 1) or 0
      if count >= max_deaths then bury(queue, id, message, count) else bring_back(name, id, count) end
    end
  end
  redis.call('del', held)
end

local workers = redis.call('zrange', heartbeats, 0, -1, 'withscores')
for at = 1, #workers, 2 do
  local worker = workers[at]
  if is_dead(worker, workers[at + 1]) then
    local ran = {}
    for _, id in ipairs(redis.call('hvals', ns .. ':__running__.' .. worker)) do ran[id] = true end
    for queue = 4, #ARGV do
      empty(worker, ARGV[queue], ARGV[queue], ran)
      empty(worker, ARGV[queue], ARGV[queue] .. '.DQ', ran)
    end
    redis.call('del', ns .. ':__running__.' .. worker)
    redis.call('zrem', heartbeats, worker)
    redis.call('hdel', watch, worker)
    gone = gone + 1
  end
end
redis.call('hset', watch, 'swept_at', string.format('%.0f', now))
return {gone, back, buried}
