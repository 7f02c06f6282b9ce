-- amend: set or take away one field of what people put beside the releases, with its entry in the audit trail.
--
-- KEYS  1 fields (the overrides, the approvals, or the holds)  2 log  3 notices
-- ARGV  1 command (PUBLISH, or SPUBLISH on a Cluster)  2 field  3 value (empty: take it away)
--       4 expected (what the field must hold; empty: anything)  5… entry (of the log)
-- REPLY {"amended"}  {"absent"}  {"differs"}  {"type", key, found}  {"denied", key}
--
-- Atomic because what ended must not take away what somebody set in its place meanwhile, and because nothing may
-- change without its entry. The notice carries no facts: the active publisher looks at once, subscribers read the head.
-- Where there may be no notice, the publisher finds the change by its next look.

local fields, log, notices = KEYS[1], KEYS[2], KEYS[3]
local command, field, value, expected = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

for key, wanted in pairs({[fields] = "hash", [log] = "stream"}) do
  local found = redis.call("TYPE", key).ok
  if found ~= "none" and found ~= wanted then return {"type", key, found} end
end
local now = redis.call("HGET", fields, field)
if value ~= "" and now == value then return {"amended"} end
if value == "" and not now then return {"absent"} end
if expected ~= "" and now ~= expected then return {"differs"} end
local change = value == "" and {"HDEL", fields, field} or {"HSET", fields, field, value}
if redis.acl_check_cmd and not redis.acl_check_cmd(unpack(change)) then return {"denied", fields} end

redis.call("XADD", log, "MAXLEN", "~", "10000", "*", unpack(ARGV, 5))
redis.call(unpack(change))
redis.pcall(command, notices, "\128")
return {"amended"}
