# Say whether fsfreeze may be asked to freeze PATH, and write its dirty pages out as often as a line asks for it.
#
#   sh -c TEXT freezable PATH
#
# Answers `no-fsfreeze`, `no-mount`, `no-disk` (a file system of the network or in memory), `root` (freezing it would
# stop the container, or the node), or `ok DEVICE`; then `synced` for each line. PATH is written as in mountinfo.

path=$1 found='' root=''
command -v fsfreeze >/dev/null 2>&1 || { echo no-fsfreeze; exit 0; }
while read -r _ _ device _ mount _; do
    [ "$mount" != / ] || root=$device
    # The last one is on top.
    [ "$mount" != "$path" ] || found=$device
done </proc/self/mountinfo
case $found in
'') echo no-mount && exit 0 ;;
0:*) echo no-disk && exit 0 ;;
"$root") echo root && exit 0 ;;
esac
echo "ok $found"
while read -r _; do
    sync -f "$path" 2>/dev/null || sync
    echo synced
done
