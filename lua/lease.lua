-- lease: become or stay the active publisher.
--
-- KEYS  1 lease
-- ARGV  1 holder  2 ttl ms (how long it holds without another call, and another one's at most)
-- REPLY {"held", holder}: the holder after this call, which is the caller or somebody else
--
-- Atomic because between looking and setting, the lease of a stalled publisher can pass to another one.

local lease = KEYS[1]
local holder, ttl_ms = ARGV[1], ARGV[2]

local now = redis.call("GET", lease)
if now and now ~= holder then
  -- Its end is a time of the server's clock, which may have been set back since; or somebody wrote it without an end.
  local left_ms = redis.call("PTTL", lease)
  if left_ms < 0 or left_ms > tonumber(ttl_ms) then redis.call("SET", lease, now, "PX", ttl_ms) end
  return {"held", now}
end
redis.call("SET", lease, holder, "PX", ttl_ms)
return {"held", holder}
