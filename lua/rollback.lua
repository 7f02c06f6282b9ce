-- rollback: a new version with the content of an old one, by hand, with redis-cli alone.
--
-- KEYS  1 head  2 target (the release to go back to)  3 release (the new one: the next free version)
--       4 bad (the release the head stands at)  5 blobs  6 log  7 quarantine  8 notices
-- ARGV  1 author  2 message  3 command (SPUBLISH on a Cluster; optional: PUBLISH)
-- REPLY {"rolled back", version, revision}  {"no head"}  {"head is at", version}  {"no release", key}
--       {"next free", version}  {"missing", digest}  {"type", key, found}  {"denied", key}
--
-- Atomic because the head, the quarantine and the new release must agree. No compare-and-set: an operator wins over
-- whatever happened meanwhile. The notice carries no facts; subscribers read the head.

local head, target, release, bad = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local blobs, log, quarantine, notices = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local author, message, command = ARGV[1] or "", ARGV[2] or "", ARGV[3] or ""

local function ends_with(text, ending) return string.sub(text, -#ending) == ending end
local function sections(key)
  local found, fields = {}, redis.call("HGETALL", key)
  for at = 1, #fields, 2 do
    if string.sub(fields[at], 1, 8) == "section:" then found[string.sub(fields[at], 9)] = fields[at + 1] end
  end
  return found
end

local function named(names)
  table.sort(names)
  return table.concat(names, " ", 1, math.min(#names, 20)) .. (#names > 20 and " and " .. #names - 20 .. " more" or "")
end

for key, wanted in pairs({[head] = "hash", [blobs] = "hash", [log] = "stream", [quarantine] = "hash"}) do
  local found = redis.call("TYPE", key).ok
  if found ~= "none" and found ~= wanted then return {"type", key, found} end
end
local now = redis.call("HMGET", head, "version", "change", "ancestors", "digest", "epoch", "revision")
local version = now[1]
if not version then return {"no head"} end
if not ends_with(bad, ":release:" .. version) then return {"head is at", version} end
if redis.call("TYPE", target).ok ~= "hash" then return {"no release", target} end
if redis.call("TYPE", bad).ok ~= "hash" then return {"no release", bad} end
local next_free = string.format("%.0f", tonumber(version) + 1)
if not ends_with(release, ":release:" .. next_free) then return {"next free", next_free} end
local next_revision = string.format("%.0f", tonumber(now[6] or 0) + 1)
local restored, left = sections(target), sections(bad)
for _, digest in pairs(restored) do
  if redis.call("HEXISTS", blobs, digest) == 0 then return {"missing", digest} end
end
local needs = {{"COPY", target, release}, {"HSET", release, "a", ""}, {"HSET", quarantine, "a", ""},
  {"HDEL", quarantine, "a"}, {"XADD", log, "*", "a", ""}, {"HINCRBY", head, "a", 1}, {"HSET", head, "a", ""}}
for _, need in ipairs(redis.acl_check_cmd and needs or {}) do
  if not redis.acl_check_cmd(unpack(need)) then return {"denied", need[2]} end
end

local time = redis.call("TIME")
local at = time[1] .. string.sub(string.format("%06d", time[2]), 1, 3)
local kept = {}
for id in string.gmatch((now[3] or "") .. " " .. now[2], "%S+") do kept[#kept + 1] = id end
local ancestors = table.concat(kept, " ", math.max(1, #kept - 15))
local change = string.sub(redis.sha1hex(now[2] .. at .. target .. author .. message), 1, 16)

redis.call("COPY", target, release, "REPLACE")
redis.call("HSET", release, "version", next_free, "parent", version, "author", author, "message", message, "at", at)
local of, digest = unpack(redis.call("HMGET", release, "of", "digest"))
local held, lifted = {}, {}
for section, blob in pairs(left) do
  if restored[section] ~= blob then
    held[#held + 1] = section
    local why = "rolled back by " .. author .. " at " .. at .. (message ~= "" and ": " .. message or "")
    redis.call("HSET", quarantine, section .. " " .. blob, why)
  end
end
for section, blob in pairs(restored) do
  if redis.call("HDEL", quarantine, section .. " " .. blob) == 1 then lifted[#lifted + 1] = section end
end
redis.call("XADD", log, "MAXLEN", "~", "10000", "*", "action", "rollback", "version", next_free, "from", version,
  "of", of, "revision", next_revision, "epoch", now[5] or "", "digest", digest, "from_digest", now[4] or "",
  "author", author, "message", message, "held", named(held), "lifted", named(lifted))
local revision = redis.call("HINCRBY", head, "revision", 1)
redis.call("HSET", head, "change", change, "ancestors", ancestors, "version", next_free, "digest", digest)
redis.pcall(command ~= "" and command or "PUBLISH", notices, "\128")
return {"rolled back", next_free, tostring(revision)}
