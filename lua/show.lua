-- show: one section of a release as JSON, or the names of its sections; for eyes only.
--
-- KEYS  1 release  2 blobs
-- ARGV  1 section (absent: list the sections)
-- REPLY {JSON}  {section…}  {"no release", key}  {"no section", section}  {"missing", digest}
--       {"sealed", section}
--
-- A script because redis-cli cannot decode msgpack. JSON made here is for reading: an empty list prints as {} and
-- very large integers lose digits; workers never see it.

local release, blobs = KEYS[1], KEYS[2]
local section = ARGV[1]

if redis.call("TYPE", release).ok ~= "hash" then return {"no release", release} end
if not section then
  local names, fields = {}, redis.call("HKEYS", release)
  for _, field in ipairs(fields) do
    if string.sub(field, 1, 8) == "section:" then names[#names + 1] = string.sub(field, 9) end
  end
  table.sort(names)
  return names
end
local digest = redis.call("HGET", release, "section:" .. section)
if not digest then return {"no section", section} end
local blob = redis.call("HGET", blobs, digest)
if not blob then return {"missing", digest} end
if string.byte(blob) == 193 then return {"sealed", section} end -- what begins so is no msgpack
return {cjson.encode(cmsgpack.unpack(blob))}
