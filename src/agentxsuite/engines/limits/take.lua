-- bucket.py's take(), for buckets that many processes share: one key, one atomic step, Redis' clock.
-- KEYS: the bucket. ARGV: per_minute, burst, cost. Answers {allowed, microseconds to wait, tokens left}.
-- An absent key is a full bucket, so a bucket expires when it is full again.
local TOKEN = 60000000
local per_minute, brim, grains = tonumber(ARGV[1]), ARGV[2] * TOKEN, ARGV[3] * TOKEN
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local level = brim
local stored = redis.call('GET', KEYS[1])
if stored then
  local held, at = string.match(stored, '^(%d+) (%d+)$')
  level = math.min(brim, held + math.max(0, now - at) * per_minute)
end

local allowed = grains <= level
local wait = 0
if allowed then
  level = level - grains
else
  wait = math.ceil((grains - level) / per_minute)
end

local life = math.ceil((brim - level) / per_minute / 1000) + 1  -- milliseconds, never too few
redis.call('SET', KEYS[1], string.format('%.0f %.0f', level, now), 'PX', string.format('%.0f', life))
return {allowed and 1 or 0, wait, math.floor(level / TOKEN)}
