#!/bin/sh
# Runs a server for as long as its owner lives, and leaves nothing behind.
#
#   supervise.sh SERVER HOME GRACE_S
#
# stdin: a pipe whose other end nobody but the owner has. First comes the server's configuration and an empty line,
# later a line that means "stop"; the end means that the owner is gone, by whatever death.
# stdout: a pipe that every process here holds open, so that the owner sees when the last of them is gone.
# stderr: the log, also the server's.
#
# Three shells in one process group of their own: this one waits for the server, two wait for the owner. Any one of
# these processes may be killed, and the others still clear up. Signals go to "0", the own group, never to a number
# that may be somebody else's by now. HOME is made here, so that there is no moment when it belongs to nobody.
umask 077
PATH=$PATH:/usr/bin:/bin
program=$1 home=$2 tries=$(($3 * 20))

receive() {
  while IFS= read -r line; do
    [ -n "$line" ] || return 0
    printf '%s\n' "$line"
  done
  return 1
}

end() {
  rm -rf -- "$home"
  kill -KILL 0
}

outlast_owner() {
  read -r _
  while [ "$tries" -gt 0 ] && kill -0 "$server" 2>/dev/null; do
    kill -TERM 0 # more than once: a server that is just starting does not hear the first one
    sleep 0.05
    tries=$((tries - 1))
  done
  end
}

mkdir -- "$home" || exit
receive >"$home/server.conf" || end
exec 3<&0 </dev/null 4>&1 >&2
"$program" "$home/server.conf" 3<&- &
server=$!
trap '' TERM INT HUP # after that start, for the server is to obey them
outlast_owner <&3 3<&- &
outlast_owner <&3 3<&- &
exec 3<&-
wait "$server"
end
