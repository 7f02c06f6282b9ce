-- unguard: end the guard of one head change, with its entry in the audit trail.
--
-- KEYS  1 guard  2 log
-- ARGV  1 change (the id of the head change that is guarded)  2… entry (of the log)
-- REPLY {"ended"}  {"absent"}  {"type", key, found}  {"denied", key}
--
-- Atomic because the guard of a later change must stay, and because no guard may end without its entry.

local guard, log = KEYS[1], KEYS[2]
local change = ARGV[1]

for key, wanted in pairs({[guard] = "hash", [log] = "stream"}) do
  local found = redis.call("TYPE", key).ok
  if found ~= "none" and found ~= wanted then return {"type", key, found} end
end
if redis.call("HGET", guard, "change") ~= change then return {"absent"} end
if redis.acl_check_cmd and not redis.acl_check_cmd("DEL", guard) then return {"denied", guard} end

redis.call("XADD", log, "MAXLEN", "~", "10000", "*", unpack(ARGV, 2))
redis.call("DEL", guard)
return {"ended"}
