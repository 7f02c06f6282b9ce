-- publish: one change of the head, whole or not at all.
--
-- KEYS  1 head  2 release (the new one)  3 blobs  4 log  5 quarantine  6 notices  7 parent (the release that the new
--       one starts as a copy of; the new one's own key when nothing is copied)  8 overrides  9 approvals  10 guard
--       11 holds  12… dropped (releases)
-- ARGV  1 command (PUBLISH, or SPUBLISH on a Cluster)  2 base epoch  3 base revision (both empty: no head yet)
--       4 change (its id)  5 parent digest (empty: copy nothing)  6 blob count (how many there must be before)
--       7 notice  8 digest (of the new release, whose approval is used up; empty: there is none)
--       9…20 lengths (of the twelve lists that follow from 21 on: head fields, release fields, release fields to
--       remove, blob fields, log fields, quarantine fields, quarantine fields to remove, blobs to free, override fields
--       to put back where there are none, override fields to remove before, guard fields (none: an earlier guard ends),
--       hold fields to put back where there are none)
-- REPLY {"published", revision}  {"published", revision, why the notice failed}  {"duplicate", revision}
--       {"conflict", epoch, revision, version}  {"blobs", found}  {"parent", key}  {"taken", key}
--       {"type", key, found}  {"denied", key}
--
-- Atomic because a reader of the head must find its release and blobs, and two publishers must not replace the same
-- head twice. Redis undoes nothing: every refusal comes before the first write, and the head after all it points to.

local head, release, blobs, log, quarantine, notices, parent, overrides, approvals, guard, holds =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local command, base_epoch, base_revision, change, parent_digest, blob_count, notice, digest =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]

local starts = {21}
for list = 1, 12 do starts[list + 1] = starts[list] + tonumber(ARGV[8 + list]) end

local function has(list) return starts[list + 1] > starts[list] end
local function each(list, most, action)
  local last = starts[list + 1] - 1
  for from = starts[list], last, most do action(unpack(ARGV, from, math.min(from + most - 1, last))) end
end
local function type_of(key) return redis.call("TYPE", key).ok end

local types = {[head] = "hash", [blobs] = "hash", [log] = "stream", [quarantine] = "hash", [guard] = "hash"}
for key, wanted in pairs(types) do
  local found = type_of(key)
  if found ~= "none" and found ~= wanted then return {"type", key, found} end
end
local now = redis.call("HMGET", head, "epoch", "revision", "change", "ancestors", "version")
local ancestors = " " .. (now[4] or "") .. " "
if now[3] == change or string.find(ancestors, " " .. change .. " ", 1, true) then return {"duplicate", now[2]} end
if (now[1] or "") ~= base_epoch or (now[2] or "") ~= base_revision then
  return {"conflict", now[1] or "", now[2] or "", now[5] or ""}
end
local needs = {{command, notices, ""}, {"HSET", head, "change", change}, {"XADD", log, "*", "action", "publish"}}
for _, need in ipairs(redis.acl_check_cmd and needs or {}) do
  if not redis.acl_check_cmd(unpack(need)) then return {"denied", need[2]} end
end
local found = tostring(redis.call("HLEN", blobs))
if found ~= blob_count then return {"blobs", found} end
if has(2) then
  if type_of(release) ~= "none" then return {"taken", release} end
  if parent_digest ~= "" and (type_of(parent) ~= "hash" or redis.call("HGET", parent, "digest") ~= parent_digest) then
    return {"parent", parent}
  end
end

each(4, 1000, function(...) redis.call("HSET", blobs, ...) end)
if parent_digest ~= "" then redis.call("COPY", parent, release) end
each(3, 1000, function(...) redis.call("HDEL", release, ...) end)
each(2, 1000, function(...) redis.call("HSET", release, ...) end)
each(5, 1000, function(...) redis.call("XADD", log, "MAXLEN", "~", "10000", "*", ...) end)
each(6, 1000, function(...) redis.call("HSET", quarantine, ...) end)
each(7, 1000, function(...) redis.call("HDEL", quarantine, ...) end)
each(11, 1000, function(...) redis.call("HSET", guard, ...) end)
each(1, 1000, function(...) redis.call("HSET", head, ...) end)
-- The head has moved: what fails from here on must not hide that.
each(10, 1000, function(...) redis.pcall("HDEL", overrides, ...) end)
each(9, 2, function(...) redis.pcall("HSETNX", overrides, ...) end)
each(12, 2, function(...) redis.pcall("HSETNX", holds, ...) end)
if not has(11) then redis.pcall("DEL", guard) end
if digest ~= "" then redis.pcall("HDEL", approvals, digest) end
for dropped = 12, #KEYS do redis.pcall("UNLINK", KEYS[dropped]) end
each(8, 1000, function(...) redis.pcall("HDEL", blobs, ...) end)

local revision = redis.call("HGET", head, "revision")
local sent = redis.pcall(command, notices, notice)
if type(sent) == "table" and sent.err then return {"published", revision, sent.err} end
return {"published", revision}
