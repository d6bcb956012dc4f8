-- Commit a batch of records of one list, all or nothing, in one step.
-- KEYS: records, by_email, by_crm_id, dirty, intents, state, creating, run, lease, asked,
--       history, history_by_record, refused, history_moved, deleted,
--       following, suppressed:changes
-- ARGV: token ("" for no fence), change of the number of live records,
--       rows, run fields to set, run counters to move, state fields to set, records that the
--       history is looked up by (how many of each), who did it, what was done ("" for nothing
--       to tell), how often somebody was forgotten when it was looked who is ("" for not at
--       all), then those in that order:
--   row: id, expected, blob, dirty, email out, email in, crm id out, crm id in, intents, asked,
--        refused, deleted, following
--     expected: 8 bytes of the version that was read, "" if the record must not exist
--     blob: "" removes, but is in conflict where intents are left: SugarCRM may have it by then; dirty, asked, refused, deleted, following: "1" marks, "0" clears, "" leaves
--     intents: "" leaves, "-" removes
--   run field, state field: name, value; run counter: name, difference; record: its id
-- Returns {status, ids in conflict}; nothing is written unless the status is "ok".
local WIDTH, FIRST = 13, 11
local token, rows = ARGV[1], tonumber(ARGV[3])
if token ~= '' and redis.call('get', KEYS[9]) ~= token then return {'fenced'} end
if ARGV[10] ~= '' and (redis.call('get', KEYS[17]) or '0') ~= ARGV[10] then return {'conflict'} end

-- A SugarCRM id is one record's: who would be the second to have it is in conflict, too.
local left = {}
for row = 0, rows - 1 do left[ARGV[FIRST + row * WIDTH + 6]] = true end

local clash, taken = {'conflict'}, {}
for row = 0, rows - 1 do
  local at = FIRST + row * WIDTH
  local id, comes = ARGV[at], ARGV[at + 7]
  local blob = redis.call('hget', KEYS[1], id)
  local version = blob and string.sub(blob, 2, 9) or ''
  local bound = taken[comes]
  if comes ~= '' and not left[comes] then bound = bound or redis.call('hget', KEYS[3], comes) end
  local untold = ARGV[at + 2] == '' and ARGV[at + 8] == ''
    and redis.call('hexists', KEYS[5], id) == 1
  if version ~= ARGV[at + 1] or (bound and bound ~= id) or untold then clash[#clash + 1] = id end
  if comes ~= '' then taken[comes] = id end
end
if #clash > 1 then return clash end

local function mark(index, how, id)
  if how == '1' then redis.call('sadd', index, id) end
  if how == '0' then redis.call('srem', index, id) end
end

for row = 0, rows - 1 do
  local at = FIRST + row * WIDTH
  local id, blob, dirty, intents = ARGV[at], ARGV[at + 2], ARGV[at + 3], ARGV[at + 8]
  if blob == '' then redis.call('hdel', KEYS[1], id) else redis.call('hset', KEYS[1], id, blob) end
  if ARGV[at + 4] ~= '' then redis.call('zrem', KEYS[2], ARGV[at + 4] .. '\0' .. id) end
  if ARGV[at + 5] ~= '' then redis.call('zadd', KEYS[2], 0, ARGV[at + 5] .. '\0' .. id) end
  if ARGV[at + 6] ~= '' and redis.call('hget', KEYS[3], ARGV[at + 6]) == id then
    redis.call('hdel', KEYS[3], ARGV[at + 6])
  end
  if ARGV[at + 7] ~= '' then
    redis.call('hset', KEYS[3], ARGV[at + 7], id)
    redis.call('hdel', KEYS[7], ARGV[at + 7])
  end
  if dirty == '1' then
    redis.call('zadd', KEYS[4], redis.call('hincrby', KEYS[6], 'changes', 1), id)
  elseif dirty == '0' then
    redis.call('zrem', KEYS[4], id)
  end
  mark(KEYS[10], ARGV[at + 9], id)
  mark(KEYS[13], ARGV[at + 10], id)
  mark(KEYS[15], ARGV[at + 11], id)
  mark(KEYS[16], ARGV[at + 12], id)
  if intents == '-' then
    redis.call('hdel', KEYS[5], id)
  elseif intents ~= '' then
    redis.call('hset', KEYS[5], id, intents)
  end
end
local at = FIRST + rows * WIDTH
for _ = 1, tonumber(ARGV[4]) do
  redis.call('hset', KEYS[8], ARGV[at], ARGV[at + 1])
  at = at + 2
end
for _ = 1, tonumber(ARGV[5]) do
  redis.call('hincrby', KEYS[8], ARGV[at], ARGV[at + 1])
  at = at + 2
end
for _ = 1, tonumber(ARGV[6]) do
  redis.call('hset', KEYS[6], ARGV[at], ARGV[at + 1])
  at = at + 2
end
if ARGV[2] ~= '0' then redis.call('hincrby', KEYS[6], 'live', ARGV[2]) end
if ARGV[9] ~= '' then
  -- What was moved is beside the stream: an entry of a stream cannot be made to forget anybody.
  local entry = redis.call('xadd', KEYS[11], '*', 'by', ARGV[8])
  redis.call('hset', KEYS[14], entry, ARGV[9])
  for _ = 1, tonumber(ARGV[7]) do
    redis.call('zadd', KEYS[12], 0, ARGV[at] .. '\0' .. entry)
    at = at + 1
  end
end
return {'ok'}
