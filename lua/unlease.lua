-- unlease: give the lease up, if it is still mine.
--
-- KEYS  1 lease
-- ARGV  1 holder
-- REPLY {"released"}  {"held", holder}  {"free"}
--
-- Atomic because a lease that expired may be another publisher's by the time it is deleted.

local lease = KEYS[1]
local holder = ARGV[1]

local now = redis.call("GET", lease)
if not now then return {"free"} end
if now ~= holder then return {"held", now} end
redis.call("DEL", lease)
return {"released"}
