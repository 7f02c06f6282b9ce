#!/bin/sh
# A password for each role, made once, and the users of the server with their hashes. Each role's containers see a
# directory of their own below /access, or below what ACCESS names.
set -eu
cd "${ACCESS:-/access}"
[ ! -f server/users.acl ] || exit 0

echo "user default off" >server/users.acl.new
for role in publisher subscriber operator; do
  head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$role/password"
  chmod 444 "$role/password"
  confbus acl -n "${CONFBUS_NAMESPACE:-checkout}" --role "$role" --hash "$role/password" --aclfile >>server/users.acl.new
done
chmod 444 server/users.acl.new
mv server/users.acl.new server/users.acl
