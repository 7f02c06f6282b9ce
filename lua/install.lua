-- install: a namespace from a backup, whose blobs and releases are there already: all the rest, and at last the head.
--
-- KEYS  1 head  2 blobs  3 log  4 quarantine  5 overrides  6 approvals  7 holds  8 notices  9… releases (of the backup)
-- ARGV  1 command (PUBLISH, or SPUBLISH on a Cluster)  2 notice  3 change (of the head)
--       4 tail (the id of the log's newest entry; empty: there is none)
--       5…11 lengths (of the seven lists that follow from 12 on: digests of the releases, blobs that must be there,
--       quarantine fields, override fields, approval fields, hold fields, head fields; after them come new entries of
--       the log, each as its id, the number of its texts, and these)
-- REPLY {"installed"}  {"exists", version}  {"release", key}  {"missing", digest}  {"log", tail}  {"type", key, found}
--       {"denied", key}
--
-- Atomic because whoever sees the head must find all it stands for, and of two imports one alone may win. Until the
-- head is there, blobs and releases are nothing to anybody.

local head, blobs, log, quarantine, overrides, approvals, holds, notices =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local command, notice, change, tail = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local starts = {12}
for list = 1, 7 do starts[list + 1] = starts[list] + tonumber(ARGV[4 + list]) end

local function put(list, key, word)
  for at = starts[list], starts[list + 1] - 1, 2 do redis.call(word, key, ARGV[at], ARGV[at + 1]) end
end

for _, key in ipairs({head, blobs, log, quarantine, overrides, approvals, holds}) do
  local found, wanted = redis.call("TYPE", key).ok, key == log and "stream" or "hash"
  if found ~= "none" and found ~= wanted then return {"type", key, found} end
end
local there = redis.call("HMGET", head, "change", "version")
if there[1] == change then return {"installed"} end
if there[1] or there[2] then return {"exists", there[2] or ""} end
local needs = {{command, notices, ""}, {"XADD", log, "*", "a", ""}, {"HSET", quarantine, "a", ""},
  {"HSETNX", overrides, "a", ""}, {"HSET", approvals, "a", ""}, {"HSETNX", holds, "a", ""}, {"HSET", head, "a", ""}}
for _, need in ipairs(redis.acl_check_cmd and needs or {}) do
  if not redis.acl_check_cmd(unpack(need)) then return {"denied", need[2]} end
end
for at = starts[1], starts[2] - 1 do
  local key = KEYS[9 + at - starts[1]]
  if redis.call("HGET", key, "digest") ~= ARGV[at] then return {"release", key} end
end
for at = starts[2], starts[3] - 1 do
  if redis.call("HEXISTS", blobs, ARGV[at]) == 0 then return {"missing", ARGV[at]} end
end
local newest = redis.call("XREVRANGE", log, "+", "-", "COUNT", 1)[1]
if (newest and newest[1] or "") ~= tail then return {"log", newest and newest[1] or ""} end

local at = starts[8]
while at <= #ARGV do
  local last = at + 1 + tonumber(ARGV[at + 1])
  local added = redis.pcall("XADD", log, ARGV[at], unpack(ARGV, at + 2, last))
  -- An emptied log knows its last id, which nothing else tells. The first entry finds that out, or none does.
  if type(added) == "table" then return added.err:find("equal or smaller", 1, true) and {"log", tail} or added end
  at = last + 1
end
put(3, quarantine, "HSET")
put(4, overrides, "HSETNX")
put(5, approvals, "HSET")
put(6, holds, "HSETNX")
put(7, head, "HSET")
redis.pcall(command, notices, notice)
return {"installed"}
