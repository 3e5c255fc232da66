# Run a command that holds writers, and see to it that the one that lets them go is run in time.
#
#   sh -c TEXT guard MODE SECONDS COUNT ACQUIRE... RELEASE...
#
# The first COUNT words after COUNT are `acquire`, the others, if any, `release`; both may take SECONDS. They are run as
# they are, never by a shell. MODE `always` runs release whatever became of acquire; `if-held` not when acquire ended
# with a failure of its own, which then holds nothing (to thaw would undo somebody else's freeze).
#
# On standard output: `ready`; after a line with a number on the input `acquired STATUS`; at last `released STATUS WHY`.
# Release is run after one more line, at the end of the input, or that number of seconds after the first line. The exit
# status is 0 only where all went well and the input asked for it.
#
# Three processes in a row, joined by pipes, so that any of them may be killed: `events` writes down what happens,
# `decide` ends when it is time, `let_go` runs release then. Needs sleep; setsid and tail where there are any. Written
# for every POSIX shell: no `read -t`, no fractions of a second, no files, no /proc.

mode=$1 patience=$2 count=$3
shift 3
# Process groups are signalled by the shell's own kill alone. The program kill of procps reads only the first digit of a
# negative number: `kill -KILL -1234` is `kill -KILL -1` to it, which ends all that runs.
leader=
case $(command -v kill) in
kill) command -v setsid >/dev/null 2>&1 && leader=setsid ;;
esac

# To all of a process group where setsid made one, else to the process. A number below zero is what a leader left of its
# group: its own number may be somebody else's by now.
signal() {
    case ${leader:-alone}:$2 in
    *:) ;;
    alone:* | *:-*) kill "-$1" "$2" 2>/dev/null ;;
    *) kill "-$1" "-$2" 2>/dev/null || kill "-$1" "$2" 2>/dev/null ;;
    esac
}

# An orphan would stay as a zombie in a container whose first process reaps nothing.
rest() {
    sleep "$1" &
    sleeper=$!
    wait "$sleeper"
}
# KILL, since a sleep that was only just forked still has our trap.
cut_rest_short() {
    trap 'kill -KILL "$sleeper" 2>/dev/null; wait "$sleeper" 2>/dev/null; exit 0' TERM
}

alarm() {
    cut_rest_short
    rest "$1"
    echo deadline >&5
}

ticks() {
    cut_rest_short
    while rest 1; do echo tick >&5; done
}

acquire() {
    words=$# turned=0
    while [ "$turned" -lt "$count" ]; do
        set -- "$@" "$1"
        shift
        turned=$((turned + 1))
    done
    shift $((words - count))
    # exec: else a word could name a function of ours, or a builtin.
    exec $leader "$@" </dev/null 2>&1 4>&- 5>&- &
    child=$!
    echo "acquire $child" >&5
    wait "$child"
    status=$? left=
    # Any process may get its number now, unless it left others in its group, which hold that number.
    [ -z "$leader" ] || ! kill -0 "-$child" 2>/dev/null || left=-$child
    echo "acquire $left" >&5
    echo "acquired $status" >&5
}

events() {
    exec 5>&1
    read -r hold || return 0
    echo "hold $hold" >&5
    alarm "$hold" >/dev/null 4>&- &
    helpers=$!
    ticks >/dev/null 4>&- &
    echo "helpers $helpers $!" >&5
    if command -v tail >/dev/null 2>&1; then
        # Holds at most 4 KiB but takes all, so that nobody waits for ever to be read.
        acquire "$@" | tail -c 4096 >&4 5>&- &
        echo "drain $!" >&5
    else
        acquire "$@" >/dev/null &
    fi
    if read -r _; then echo asked >&5; else echo ended >&5; fi
    wait
}

# Ends in one of three ways: a reason to let go is said, nothing was asked, or killed; let_go sees its end.
decide() {
    trap : PIPE
    hold= helpers= held_by= reaped= why= seconds=0
    while [ -z "$why" ] && read -r event value; do take; done
    [ -n "$hold" ] || return 0
    [ -n "$reaped" ] || stop_acquire
    echo "over ${why:-ended}"
    told=$?
    for helper in $helpers; do kill "$helper" 2>/dev/null; done
    [ "$told" != 0 ] || return 0
    # let_go is dead.
    status=${reaped:-none}
    refused || release "$@"
    signal KILL "$held_by"
}

take() {
    case $event in
    hold) hold=$value && echo "begun $value" ;;
    helpers) helpers=$value ;;
    drain) echo "drain $value" ;;
    acquire) held_by=$value && echo "acquire $value" ;;
    acquired)
        reaped=$value
        echo "acquired $value"
        echo "acquired $value" >&3
        [ "$value" = 0 ] || why=${why:-failed}
        ;;
    asked | ended | deadline) why=${why:-$event} ;;
    tick)
        seconds=$((seconds + 1))
        [ -n "$reaped" ] || [ "$seconds" -lt "$patience" ] || why=${why:-late}
        # The alarm may have been killed.
        [ "$seconds" -lt "$hold" ] || why=${why:-deadline}
        ;;
    esac
}

# TERM, a second later KILL, and one more for a process that the kernel can't end now: release is run all the same.
stop_acquire() {
    signal TERM "$held_by"
    [ "$why" != deadline ] || signal KILL "$held_by"
    stopping=0
    while [ -z "$reaped" ] && [ "$stopping" -lt 2 ] && read -r event value; do
        take
        case $event in
        acquire) signal TERM "$held_by" ;;
        tick) stopping=$((stopping + 1)) && signal KILL "$held_by" ;;
        deadline) signal KILL "$held_by" ;;
        esac
    done
    [ -n "$reaped" ] || signal KILL "$held_by"
}

let_go() {
    # Whoever asks us to end gets it, after writers go on.
    trap : TERM HUP INT PIPE
    begun= held_by= drain= status=none why=lost
    while read -r word value; do
        case $word in
        begun) begun=1 ;;
        acquire) held_by=$value ;;
        drain) drain=$value ;;
        acquired) status=$value ;;
        over) why=$value && break ;;
        esac
    done
    [ -n "$begun" ] || exit 0
    [ "$why" != lost ] || signal KILL "$held_by"
    if refused; then
        released=none
        echo "released none refused"
    else
        release "$@"
    fi
    # What acquire left running in its own process group is over too: it may be what holds.
    signal KILL "$held_by"
    # It ends by itself where nothing that acquire started can still write.
    [ -z "$drain" ] || { [ "$status" != 0 ] && [ -n "$leader" ]; } || kill "$drain" 2>/dev/null
    [ "$status" = 0 ] && [ "$why" = asked ] && [ "$released" = 0 ]
}

# Above 128 a signal ended it, and nobody knows how far it had come.
refused() {
    [ "$mode" = if-held ] && [ "$why" = failed ] && [ "$status" -le 128 ]
}

release() {
    shift "$count"
    if [ $# -eq 0 ]; then
        released=0
        echo "released 0 $why"
        return
    fi
    exec $leader "$@" </dev/null >/dev/null 2>&1 &
    child=$!
    # Only now: who asks us to end before the fork would have nobody let go. And before the next one: a shell that was
    # just forked still has our trap for an instant, so the killer would miss its end.
    trap - TERM HUP INT
    end_in_time "$child" >/dev/null 2>&1 &
    killer=$!
    wait "$child"
    released=$?
    echo "released $released $why"
    kill "$killer" 2>/dev/null
    wait "$killer" 2>/dev/null
}

end_in_time() {
    cut_rest_short
    if [ "$patience" -gt 1 ]; then
        rest $((patience - 1))
        signal TERM "$1"
        rest 1
    else
        rest 1
        signal TERM "$1"
    fi
    signal KILL "$1"
}

if ! sleep 0; then
    echo "unfit sleep"
    exit 1
fi
exec 3>&1 4>&2
echo ready
events "$@" 3>&- 2>/dev/null | decide "$@" 4>&- 2>/dev/null | let_go "$@" 3>&- 4>&- 2>/dev/null
