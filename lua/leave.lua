-- leave: blobs and releases where no head names them yet, as an import brings them.
--
-- KEYS  1 head  2 blobs  3… releases (to be left)
-- ARGV  1 length (of the fields of blobs)  2… texts (the fields of blobs, then each release as the number of its texts,
--       and its fields)
-- REPLY {"left"}  {"exists", version}  {"type", key, found}  {"denied", key}
--
-- Atomic because a release must be the one of one import, and because none may be written over once there is a head.

local head, blobs = KEYS[1], KEYS[2]
local length = ARGV[1]

local function put(key, first, last)
  for from = first, last, 1000 do redis.call("HSET", key, unpack(ARGV, from, math.min(from + 999, last))) end
end

for _, key in ipairs({head, blobs}) do
  local found = redis.call("TYPE", key).ok
  if found ~= "none" and found ~= "hash" then return {"type", key, found} end
end
local version = redis.call("HGET", head, "version")
if version then return {"exists", version} end
local needs = {{"HSET", blobs, "a", ""}}
for release = 3, #KEYS do
  needs[#needs + 1] = {"UNLINK", KEYS[release]}
  needs[#needs + 1] = {"HSET", KEYS[release], "a", ""}
end
for _, need in ipairs(redis.acl_check_cmd and needs or {}) do
  if not redis.acl_check_cmd(unpack(need)) then return {"denied", need[2]} end
end

local at = tonumber(length) + 2
put(blobs, 2, at - 1)

for release = 3, #KEYS do
  local last = at + tonumber(ARGV[at])
  redis.call("UNLINK", KEYS[release])
  put(KEYS[release], at + 1, last)
  at = last + 1
end
return {"left"}
